/** The first screen: what is wrong, what caused it, how sure we are, who is on it; or that nothing is, and how that is known. */
import type { Incident } from "#shared/contract/incident.ts";
import { Icon } from "../parts/icon.tsx";
import { browserClock } from "../state/browser-clock.ts";
import { t } from "../state/settings.ts";
import { computed, signal, useSignal } from "../state/signals.ts";
import { archiveLoaded, arranged, known } from "../state/store.ts";
import { hold } from "../view/incident-list.ts";
import { Calm } from "./calm.tsx";
import { IncidentRow } from "./incident-row.tsx";
import { Watch } from "./watch.tsx";

const resolvedShownFirst = 5;
/** A flood of hundreds is not read row by row; the worst stand first. */
const openShownFirst = 50;
const sparklinesMax = 10;

/** Half a minute after the last movement the list moves again: a forgotten pointer must not hide what is new. */
const holdMs = 30_000;
/** From the list's edge to the button above it. */
const leaveMs = 2_000;

const heldIds = signal<readonly string[] | null>(null);
let releaseTimer = browserClock.after(0, () => undefined);

const held = computed(() => hold(heldIds.value, arranged.value));
/** The open incidents in the order on the screen: what `j` and `k` walk through. */
export const shownIds = computed(() => held.value.shown.map((incident) => incident.id));

function holdList(): void {
  heldIds.value ??= arranged.value.open.map((incident) => incident.id);
  releaseTimer.cancel();
  releaseTimer = browserClock.after(holdMs, releaseList);
}

/** Not at once: the way to the "new" button leads out of the list, and it must not vanish under the pointer. */
function leaveList(): void {
  if (heldIds.value === null) return;
  releaseTimer.cancel();
  releaseTimer = browserClock.after(leaveMs, releaseList);
}

function releaseList(): void {
  releaseTimer.cancel();
  heldIds.value = null;
}

export function IncidentsScreen() {
  return (
    <div class="columns">
      <section aria-labelledby="incidents-title">
        <h1 id="incidents-title" class="hidden-text">
          {t("incidents.title")}
        </h1>
        {!known.value ? (
          <p class="waiting">{t("incidents.waiting")}</p>
        ) : held.value.shown.length === 0 && held.value.waiting.length === 0 ? (
          <Calm />
        ) : (
          <OpenIncidents />
        )}
        <ResolvedIncidents />
      </section>
      <Watch />
    </div>
  );
}

function OpenIncidents() {
  const all = useSignal(false);
  const { shown, waiting } = held.value;
  const rows = all.value ? shown : shown.slice(0, openShownFirst);
  const unowned = arranged.value.open.filter((incident) => incident.owner === null).length;
  return (
    <>
      <div class="list-head">
        <h2>{t("incidents.open", { n: arranged.value.open.length })}</h2>
        {unowned > 0 && <span class="faint">{t("incidents.unowned", { n: unowned })}</span>}
        <span role="status" class="list-new">
          {waiting.length > 0 && (
            <button type="button" class="pill" onClick={releaseList}>
              <Icon name="up" /> {t("incidents.new", { n: waiting.length })}
            </button>
          )}
        </span>
      </div>
      <ol
        class="incidents"
        onPointerMove={(event) => event.pointerType === "mouse" && holdList()}
        onPointerLeave={leaveList}
        onFocusIn={holdList}
        onKeyDown={holdList}
      >
        {rows.map((incident, i) => (
          <IncidentRow key={incident.id} incident={incident} sparkline={i < sparklinesMax} />
        ))}
      </ol>
      {shown.length > rows.length && (
        <button type="button" class="quiet" onClick={() => (all.value = true)}>
          {t("incidents.showAll", { n: shown.length })}
        </button>
      )}
    </>
  );
}

function ResolvedIncidents() {
  const all = useSignal(false);
  const resolved = arranged.value.resolved;
  if (!known.value || !archiveLoaded.value) return null;
  const shown: readonly Incident[] = all.value ? resolved : resolved.slice(0, resolvedShownFirst);
  return (
    <section class="resolved" aria-labelledby="resolved-title">
      <div class="list-head">
        <h2 id="resolved-title">{t("incidents.resolved")}</h2>
      </div>
      {resolved.length === 0 && <p class="faint">{t("incidents.resolvedEmpty")}</p>}
      <ol class="incidents">
        {shown.map((incident) => (
          <IncidentRow key={incident.id} incident={incident} sparkline={false} />
        ))}
      </ol>
      {resolved.length > shown.length && (
        <button type="button" class="quiet" onClick={() => (all.value = true)}>
          {t("incidents.showAll", { n: resolved.length })}
        </button>
      )}
    </section>
  );
}
