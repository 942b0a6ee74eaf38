/** The window's title and icon: what a glance at a row of browser tabs tells. */
import type { Severity } from "#shared/contract/incident.ts";
import type { Freshness } from "./freshness.ts";
import type { SeverityCount } from "./incident-list.ts";
import { severityGlyphs } from "./severity.ts";

export interface Badge {
  readonly title: string;
  /** A file of `public/`: `icon-<name>.svg`. */
  readonly icon: "calm" | "critical" | "major" | "info" | "stale";
}

const icons: Readonly<Record<Severity, Badge["icon"]>> = {
  critical: "critical",
  major: "major",
  warning: "major",
  info: "info",
};

/** "(2) ✕ Causeway". While nothing is heard the count is not known to be true any more, and the title says so. */
export function badge(counts: readonly SeverityCount[], fresh: Freshness, page: string): Badge {
  const name = page === "" ? "Causeway" : `${page} · Causeway`;
  const worst = counts[0];
  const total = counts.reduce((sum, { count }) => sum + count, 0);
  if (fresh.state === "stale" || fresh.state === "lost") return { title: `? ${name}`, icon: "stale" };
  if (worst === undefined) return { title: name, icon: "calm" };
  return { title: `(${total}) ${severityGlyphs[worst.severity]} ${name}`, icon: icons[worst.severity] };
}
