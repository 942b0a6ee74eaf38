/** Order, search and state of hosts. What needs a look stands first: silent, then abnormal, then by name; what is gone stands last. */
import type { Host, Warmup } from "#shared/contract/api.ts";

/** Made once: making one takes as long as forty comparisons. */
const names = new Intl.Collator("en", { numeric: true });

export function arrangeHosts(hosts: readonly Host[], search: string): readonly Host[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (host: Host): boolean => {
    const text = `${host.host} ${host.os} ${host.state} ${host.agentVersion}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  return hosts.filter(matches).sort((a, b) => attention(b) - attention(a) || names.compare(a.host, b.host));
}

function attention(host: Host): number {
  if (host.state === "silent") return 3;
  if (host.anomalies > 0) return 2;
  if (host.state === "gone") return -1;
  return host.state === "stopped" ? 1 : 0;
}

/** How far the time of day is known: of all series judged, on working days and on days of rest. Null when nothing is judged. */
export type SeasonProgress = "none" | "some" | "all";

export function seasonProgress(
  warmup: Warmup,
): { workdays: SeasonProgress; restdays: SeasonProgress } | null {
  const total = warmup.collecting + warmup.provisional + warmup.ready;
  if (total === 0) return null;
  const of = (known: number): SeasonProgress => (known === 0 ? "none" : known < total ? "some" : "all");
  return { workdays: of(warmup.workdays), restdays: of(warmup.restdays) };
}

export interface WarmupShares {
  /** 0 to 1; they sum to 1, or all are 0 when nothing is judged. */
  readonly collecting: number;
  readonly provisional: number;
  readonly ready: number;
}

export function warmupShares(
  warmup: Pick<Host["warmup"], "collecting" | "provisional" | "ready">,
): WarmupShares {
  const total = warmup.collecting + warmup.provisional + warmup.ready;
  if (total === 0) return { collecting: 0, provisional: 0, ready: 0 };
  return {
    collecting: warmup.collecting / total,
    provisional: warmup.provisional / total,
    ready: warmup.ready / total,
  };
}
