/** One incident, in the order in which it is asked about: what, who is on it, why, how do we know, when, where. */
import { useEffect } from "preact/hooks";
import { type Incident, isOver } from "#shared/contract/incident.ts";
import { inWords } from "#shared/text/metric-words.ts";
import { renderText } from "#shared/text/text.ts";
import { command } from "../parts/command-dialog.tsx";
import { Icon } from "../parts/icon.tsx";
import { Link } from "../parts/link.tsx";
import { SeverityMark } from "../parts/marks.tsx";
import { ageSince, Moment } from "../parts/moment.tsx";
import { Sentence } from "../parts/sentence.tsx";
import { ApiFailure, fetchIncident } from "../state/api.ts";
import { useSignal } from "../state/signals.ts";
import { language, singleKeys, t, timeStyle } from "../state/settings.ts";
import { acceptAnswer, incidents, nowMs } from "../state/store.ts";
import { formatAge, formatLag, formatZone } from "../view/time.ts";
import { Causes } from "./causes.tsx";
import { EvidenceCharts } from "./evidence-charts.tsx";
import { Feedback } from "./feedback.tsx";
import { RelatedChanges } from "./related-changes.tsx";
import { Similar } from "./similar.tsx";
import { Story } from "./story.tsx";
import { Completeness, Entities, Timeline } from "./incident-details.tsx";

export function IncidentScreen({ id }: { id: string }) {
  const incident = incidents.value.get(id);
  return (
    <article class="incident">
      <Link to={{ screen: "incidents" }} class="back">
        <Icon name="back" /> {t("nav.back")}
      </Link>
      {incident === undefined ? <Missing id={id} /> : <Whole incident={incident} />}
    </article>
  );
}

/** Not in the live channel: older than what it carries, or not there at all. The collector is asked once. */
function Missing({ id }: { id: string }) {
  const problem = useSignal<string | null>(null);
  useEffect(() => {
    fetchIncident(id).then(acceptAnswer, (error: unknown) => {
      const gone = error instanceof ApiFailure && error.status === 404;
      problem.value = gone ? t("page.notFoundHint") : t("chart.failed", { message: String(error) });
    });
  }, [id]);
  if (problem.value === null) return <p class="waiting">{t("page.looking", { id })}</p>;
  return (
    <div class="waiting">
      <h1>{t("page.notFound", { id })}</h1>
      <p>{problem.value}</p>
    </div>
  );
}

function Whole({ incident }: { incident: Incident }) {
  return (
    <>
      <Head incident={incident} />
      <Actions incident={incident} />
      <div class="columns">
        <div>
          <Story incident={incident} />
          <Causes incident={incident} />
          <RelatedChanges incident={incident} />
          <EvidenceCharts incident={incident} />
        </div>
        <aside class="details">
          <Similar incident={incident} />
          <Timeline incident={incident} />
          <Feedback incident={incident} />
          <Entities incident={incident} />
          <Completeness incident={incident} />
          <p class="faint">{t("page.zone", { zone: formatZone(incident.startedMs, timeStyle.value) })}</p>
        </aside>
      </div>
    </>
  );
}

function Head({ incident }: { incident: Incident }) {
  const resolved = isOver(incident);
  const endMs = incident.resolvedMs;
  return (
    <header class={`incident-head head-${resolved ? "resolved" : incident.severity}`}>
      <p class="head-line">
        <SeverityMark severity={incident.severity} />
        <span class={`state state-${incident.state}`}>{t(`state.${incident.state}`)}</span>
        <span>
          {endMs === null
            ? t("incident.age", { age: ageSince(incident.startedMs) })
            : t("incident.lasted", { age: formatAge(endMs - incident.startedMs, language.value) })}
        </span>
        {incident.reopened > 0 && <span>{t("incident.reopened", { n: incident.reopened })}</span>}
        <span class="id">{incident.id}</span>
      </p>
      <Elsewhere incident={incident} />
      <h1>
        <Sentence text={renderText(inWords(incident.title, language.value), language.value)} />
      </h1>
      <dl class="head-facts">
        <div>
          <dt>{t("page.started")}</dt>
          <dd>
            <Moment atMs={incident.startedMs} />
          </dd>
        </div>
        <div>
          <dt>{t("page.detected")}</dt>
          <dd>{later(incident.detectedMs - incident.startedMs)}</dd>
        </div>
        {endMs !== null && (
          <div>
            <dt>{t("page.resolved")}</dt>
            <dd>
              <Moment atMs={endMs} />
            </dd>
          </div>
        )}
        <div>
          <dt>{t("incident.owner")}</dt>
          <dd class={incident.owner === null && !resolved ? "nobody" : ""}>
            {incident.owner ?? t("incident.nobody")}
          </dd>
        </div>
      </dl>
    </header>
  );
}

/** Another incident that speaks for this one, or that it has become part of. */
function Elsewhere({ incident: { mergedInto, suppressedBy } }: { incident: Incident }) {
  const id = mergedInto ?? suppressedBy;
  if (id === null) return null;
  return (
    <p class="elsewhere">
      <Link to={{ screen: "incident", id }}>
        {t(mergedInto === null ? "incident.suppressed" : "incident.merged", { id })}
      </Link>
    </p>
  );
}

function later(lagMs: number): string {
  return t("page.after", { age: formatLag(lagMs, language.value) });
}

function Actions({ incident }: { incident: Incident }) {
  if (isOver(incident)) return null;
  const key = singleKeys.value === "on" ? <kbd>a</kbd> : null;
  const last = incident.acknowledgements.at(-1);
  return (
    <div class="actions" role="group" aria-label={t("action.label")}>
      <button
        type="button"
        class={incident.owner === null ? "button primary" : "button"}
        onClick={() => command("acknowledge", incident.id)}
      >
        {t("action.acknowledge")} {key}
      </button>
      <button type="button" class="button" onClick={() => command("resolve", incident.id)}>
        {t("action.resolve")}
      </button>
      {last !== undefined && (
        <span class="faint">
          {t("action.acknowledged", { by: last.by })} · <Moment atMs={last.atMs} />
          {nowMs.value - last.atMs >= 60_000 && ` · ${t("hosts.ago", { age: ageSince(last.atMs) })}`}
          {last.comment !== "" && <q>{last.comment}</q>}
        </span>
      )}
    </div>
  );
}
