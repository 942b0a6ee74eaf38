/** Marks: one shape for each severity and state, always beside its word. */
import type { Host } from "#shared/contract/api.ts";
import type { Severity } from "#shared/contract/incident.ts";
import { t } from "../state/settings.ts";
import { type Shape, severityShapes } from "../view/severity.ts";

export function SeverityMark({ severity, word = true }: { severity: Severity; word?: boolean }) {
  return (
    <span class={`mark mark-${severity}`}>
      <ShapeIcon shape={severityShapes[severity]} />
      <span class={word ? "mark-word" : "hidden-text"}>{t(`severity.${severity}`)}</span>
    </span>
  );
}

const hostShapes: Readonly<Record<Host["state"], Shape>> = {
  up: "square",
  silent: "hatch",
  stopped: "hollow-square",
  gone: "dash",
};

export function HostMark({ host, word = true }: { host: Pick<Host, "state" | "anomalies">; word?: boolean }) {
  const abnormal = host.state === "up" && host.anomalies > 0;
  const kind = host.state === "silent" ? "major" : abnormal ? "info" : "calm";
  return (
    <span class={`mark mark-${kind}`}>
      <ShapeIcon shape={abnormal ? "dot" : hostShapes[host.state]} />
      <span class={word ? "mark-word" : "hidden-text"}>
        {t(abnormal ? "host.abnormal" : `host.${host.state}`)}
      </span>
    </span>
  );
}

export function ShapeIcon({ shape }: { shape: Shape }) {
  return (
    <svg class="shape" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" focusable="false">
      {shapes[shape]}
    </svg>
  );
}

const stroke = {
  fill: "none",
  stroke: "currentColor",
  "stroke-width": 2,
  "stroke-linejoin": "round",
} as const;

const shapes = {
  cross: <path d="M3.5 3.5l9 9M12.5 3.5l-9 9" {...stroke} stroke-width={2.8} stroke-linecap="round" />,
  triangle: <path d="M8 2.2L14.6 13.6H1.4z" fill="currentColor" />,
  "hollow-triangle": <path d="M8 3.2L13.8 13H2.2z" {...stroke} stroke-width={1.8} />,
  dot: <circle cx="8" cy="8" r="4.6" fill="currentColor" />,
  square: <rect x="3.5" y="3.5" width="9" height="9" rx="1.5" fill="currentColor" />,
  "hollow-square": <rect x="3.5" y="3.5" width="9" height="9" rx="1.5" {...stroke} stroke-width={1.6} />,
  dash: <path d="M3.5 8h9" {...stroke} />,
  hatch: (
    <g {...stroke} stroke-width={1.5}>
      <rect x="2.5" y="2.5" width="11" height="11" rx="1.5" />
      <path d="M3 8.5L8.5 3M3.4 13L13 3.4M7.6 13L13 7.6" stroke-width={1.2} />
    </g>
  ),
};
