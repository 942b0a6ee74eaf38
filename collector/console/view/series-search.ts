/** Which of a host's series are offered and charted first. */

interface SeriesInfo {
  readonly id: string;
  readonly metric: string;
  readonly role: string;
}

/** What one wants to see first of a host that one knows nothing about. */
const preferred: readonly string[] = [
  "system.cpu.utilization",
  "system.memory.utilization",
  "system.disk.io_time",
  "system.filesystem.utilization",
  "system.network.io",
  "system.linux.load_1m",
];

const roles = ["symptom", "evidence"];

/** The preferred metrics, one series of each; of a host that has none of them, its symptoms. */
export function startingSeries(series: readonly SeriesInfo[]): readonly string[] {
  const byMetric = new Map<string, string>();
  for (const one of [...series].sort(byInterest)) {
    const wanted = one.role === "symptom" || preferred.includes(one.metric);
    if (wanted && one.role !== "context" && !byMetric.has(one.metric)) byMetric.set(one.metric, one.id);
  }
  return [...byMetric.values()].slice(0, preferred.length);
}

/** Every word must occur in the id or in the metric's name as the reader knows it. The interesting ones stand first. */
export function searchSeries<T extends SeriesInfo>(
  series: readonly T[],
  search: string,
  metricWord: (metric: string) => string,
): readonly T[] {
  const words = search.toLowerCase().split(/\s+/).filter(Boolean);
  const matches = (one: T): boolean => {
    const text = `${one.id} ${metricWord(one.metric)}`.toLowerCase();
    return words.every((word) => text.includes(word));
  };
  return series.filter(matches).sort(byInterest);
}

/** Preferred metrics, then by role; of one metric the series with the fewest labels, which is the whole. */
function byInterest(a: SeriesInfo, b: SeriesInfo): number {
  return (
    rank(preferred, a.metric) - rank(preferred, b.metric) ||
    rank(roles, a.role) - rank(roles, b.role) ||
    (a.metric === b.metric ? a.id.length - b.id.length : 0) ||
    (a.id < b.id ? -1 : 1)
  );
}

function rank(order: readonly string[], name: string): number {
  const index = order.indexOf(name);
  return index === -1 ? order.length : index;
}
