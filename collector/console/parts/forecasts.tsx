/** What of a host will run out, soonest first; what is told as an incident has its mark. */
import type { Forecast, Host } from "#shared/contract/api.ts";
import { runsOutText } from "#shared/runs-out.ts";
import { renderText } from "#shared/text/text.ts";
import { language } from "../state/settings.ts";
import { parseEntityId } from "../view/series-name.ts";
import { shortName } from "./entity-name.tsx";
import { severityShapes } from "../view/severity.ts";
import { ShapeIcon } from "./marks.tsx";

export function Forecasts({ host }: { host: Pick<Host, "forecasts" | "lastSeenMs"> }) {
  return (
    <ul class="forecasts">
      {host.forecasts.map((forecast) => (
        <li key={forecast.series} class={forecast.told ? "mark mark-warning" : "faint"}>
          {forecast.told && <ShapeIcon shape={severityShapes.warning} />}
          {sentenceOf(forecast, host.lastSeenMs)}
        </li>
      ))}
    </ul>
  );
}

/** Seen from when the host was last heard: nothing later is known. */
function sentenceOf(forecast: Forecast, lastSeenMs: number): string {
  const { kind, name } = parseEntityId(forecast.entity) ?? { kind: "", name: forecast.entity };
  const thing = { kind, name: shortName(kind, name), metric: forecast.metric };
  return renderText(runsOutText(thing, forecast, lastSeenMs), language.value);
}
