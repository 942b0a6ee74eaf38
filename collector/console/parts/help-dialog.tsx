/** The keys and the marks, on `?`. */
import { severities } from "#shared/contract/incident.ts";
import type { Word } from "../i18n/en.ts";
import { singleKeys, t } from "../state/settings.ts";
import { signal } from "../state/signals.ts";
import { Dialog } from "./dialog.tsx";
import { HostMark, SeverityMark } from "./marks.tsx";

export const helpOpen = signal(false);

const keys: readonly (readonly [readonly string[], Word])[] = [
  [["j", "k"], "help.next"],
  [["Enter"], "help.open"],
  [["Esc"], "help.back"],
  [["a"], "help.acknowledge"],
  [["u", "n", "w"], "help.feedback"],
  [["e"], "help.cause"],
  [["/"], "help.search"],
  [["g i", "g h", "g f"], "help.go"],
  [["?"], "help.help"],
];

export function HelpDialog() {
  if (!helpOpen.value) return null;
  const close = (): void => void (helpOpen.value = false);
  return (
    <Dialog title={t("help.title")} onClose={close}>
      <dl class="keys">
        {keys.map(([names, word]) => (
          <div key={word}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{t(word)}</dd>
          </div>
        ))}
      </dl>
      <label class="check">
        <input
          type="checkbox"
          checked={singleKeys.value === "on"}
          onChange={(event) => (singleKeys.value = event.currentTarget.checked ? "on" : "off")}
        />
        {t("help.single")}
      </label>
      <h3>{t("help.marks")}</h3>
      <p class="mark-row">
        {[...severities].reverse().map((severity) => (
          <SeverityMark key={severity} severity={severity} />
        ))}
      </p>
      <p class="mark-row">
        {(["up", "silent", "stopped", "gone"] as const).map((state) => (
          <HostMark key={state} host={{ state, anomalies: 0 }} />
        ))}
      </p>
      <div class="dialog-actions">
        <button type="button" class="button" onClick={close}>
          {t("help.close")}
        </button>
      </div>
    </Dialog>
  );
}
