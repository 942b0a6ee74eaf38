/**
 * Acknowledge, resolve, call useful or noise, say the cause: who, optionally why, and what became of it. How a command is sent is in
 * `state/command.ts`.
 */
import { useRef } from "preact/hooks";
import { type Incident, isOver } from "#shared/contract/incident.ts";
import { fetchIncident, newCommandKey, sendCommand } from "../state/api.ts";
import {
  type CommandDoor,
  type CommandKind,
  type CommandOutcome,
  isOffered,
  runCommand,
  sameCause,
  sameDecision,
  sameFeedback,
} from "../state/command.ts";
import { myName, t, timeStyle } from "../state/settings.ts";
import { signal, useSignal } from "../state/signals.ts";
import { acceptAnswer, incidents, nowMs } from "../state/store.ts";
import { formatMoment } from "../view/time.ts";
import { Dialog } from "./dialog.tsx";

interface OpenCommand {
  readonly kind: CommandKind;
  /** As the operator saw it when the dialog opened. */
  readonly seen: Incident;
  /** What is proposed as the cause. */
  readonly entity: string;
}

const openCommand = signal<OpenCommand | null>(null);

/** What of the collector's feedback door each answer says. */
const verdicts = { useful: "useful", noise: "noise", withdraw: "none" } as const;

/** Opens the dialog; nothing happens for an incident that is not there, or of which the command would change nothing. */
export function command(kind: CommandKind, id: string, entity?: string): void {
  const seen = incidents.value.get(id);
  if (seen === undefined || !isOffered(kind, seen)) return;
  const proposed = entity ?? seen.confirmedCause?.entity ?? seen.causes[0]?.entity ?? "";
  openCommand.value = { kind, seen, entity: proposed };
}

export function CommandDialog() {
  const open = openCommand.value;
  return open === null ? null : <Form key={`${open.kind} ${open.seen.id}`} open={open} />;
}

function Form({ open: { kind, seen, entity } }: { open: OpenCommand }) {
  const by = useSignal(myName.value);
  const comment = useSignal("");
  const cause = useSignal(entity);
  const sending = useSignal(false);
  const problem = useSignal<string | null>(null);
  const attempt = useRef({ key: newCommandKey(), seen });
  const close = (): void => void (openCommand.value = null);

  async function send(event: Event): Promise<void> {
    event.preventDefault();
    const name = by.value.trim();
    const named = cause.value.trim();
    if (sending.value || name === "" || (kind === "cause" && named === "")) return;
    sending.value = true;
    problem.value = null;
    const text = comment.value.trim();
    const request = { by: name, ...(text === "" ? {} : { comment: text }) };
    const { key, seen } = attempt.current;
    const outcome = await runCommand(door(kind, named), seen, request, key, comparison(kind));
    sending.value = false;
    myName.value = name;
    if (outcome.kind !== "failed") acceptAnswer(outcome.incident);
    if (outcome.kind === "done") return close();
    problem.value = explain(kind, outcome);
    // What the operator reads now is what the next attempt decides on. Without an answer the key stays: it may have counted.
    if (outcome.kind === "conflict") attempt.current = { key: newCommandKey(), seen: outcome.incident };
    else if (outcome.status !== 0) attempt.current = { key: newCommandKey(), seen };
  }

  return (
    <Dialog title={t(`dialog.${kind}`)} onClose={close}>
      <form onSubmit={(event) => void send(event)}>
        <p class="faint">{t(`dialog.${kind}Hint`)}</p>
        {kind === "cause" && (
          <label class="field">
            {t("dialog.entity")}
            <input
              name="entity"
              required
              maxLength={256}
              list="entities"
              value={cause.value}
              onInput={(event) => (cause.value = event.currentTarget.value)}
            />
            <datalist id="entities">
              {seen.entities.map(({ id }) => (
                <option key={id} value={id} />
              ))}
            </datalist>
          </label>
        )}
        <label class="field">
          {t("dialog.by")}
          <input
            name="name"
            autocomplete="name"
            required
            maxLength={64}
            value={by.value}
            autofocus={myName.value === ""}
            onInput={(event) => (by.value = event.currentTarget.value)}
          />
        </label>
        <label class="field">
          {t("dialog.comment")}
          <textarea
            rows={2}
            maxLength={2000}
            value={comment.value}
            onInput={(event) => (comment.value = event.currentTarget.value)}
          />
        </label>
        <p role="alert" class="dialog-problem">
          {problem.value}
        </p>
        <div class="dialog-actions">
          <button type="button" class="button" onClick={close}>
            {t("dialog.cancel")}
          </button>
          <button
            type="submit"
            class="button primary"
            disabled={sending.value}
            autofocus={myName.value !== ""}
          >
            {sending.value ? t("dialog.sending") : t(`action.${kind}`)}
          </button>
        </div>
      </form>
    </Dialog>
  );
}

function isAnswer(kind: CommandKind): kind is keyof typeof verdicts {
  return kind in verdicts;
}

/** What must not have changed since the operator looked. */
function comparison(kind: CommandKind): typeof sameDecision {
  if (kind === "cause" || kind === "uncause") return sameCause;
  return isAnswer(kind) ? sameFeedback : sameDecision;
}

function door(kind: CommandKind, entity: string): CommandDoor {
  return {
    send: (incident, request, key) => {
      if (isAnswer(kind))
        return sendCommand("feedback", incident, { ...request, verdict: verdicts[kind] }, key);
      if (kind === "cause" || kind === "uncause")
        return sendCommand("cause", incident, { ...request, entity: kind === "cause" ? entity : null }, key);
      return sendCommand(kind, incident, request, key);
    },
    fetch: fetchIncident,
    newKey: newCommandKey,
  };
}

function explain(kind: CommandKind, outcome: Exclude<CommandOutcome, { kind: "done" }>): string {
  if (outcome.kind === "failed") {
    return outcome.status === 0 ? t("dialog.unreachable") : t("dialog.failed", { message: outcome.message });
  }
  if (isAnswer(kind)) {
    const answer = outcome.incident.feedback;
    if (answer === null) return t("dialog.conflictChanged");
    const at = formatMoment(answer.atMs, nowMs.value, timeStyle.value);
    return t("dialog.conflictAnswered", { by: answer.by, verdict: t(`feedback.${answer.verdict}`), at });
  }
  const said = outcome.incident.confirmedCause;
  if ((kind === "cause" || kind === "uncause") && said !== null)
    return t("dialog.conflictCause", {
      by: said.by,
      entity: said.entity,
      at: formatMoment(said.atMs, nowMs.value, timeStyle.value),
    });
  const last = outcome.incident.acknowledgements.at(-1);
  if (last === undefined || kind.endsWith("cause") || isOver(outcome.incident))
    return t("dialog.conflictChanged");
  return t("dialog.conflict", { by: last.by, at: formatMoment(last.atMs, nowMs.value, timeStyle.value) });
}
