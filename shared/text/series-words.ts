/**
 * A series in few words. The canonical id is exact and unreadable (`process.cpu.utilization{process.pid=...}`); what tells it from
 * its neighbours is the metric's word and the part of the host.
 */

/** The metric and labels of a canonical series id (`shared/series.ts`); an id that is none is a metric without labels. */
export function parseSeriesId(id: string): {
  metric: string;
  labels: readonly (readonly [string, string])[];
} {
  const brace = id.indexOf("{");
  if (brace === -1 || !id.endsWith("}")) return { metric: id, labels: [] };
  const pairs = id.slice(brace + 1, -1).matchAll(/([^=,]+)="((?:[^"\\]|\\.)*)"/g);
  const labels = [...pairs].map(([, name, value]) => [name ?? "", unescape(value ?? "")] as const);
  return { metric: id.slice(0, brace), labels };
}

function unescape(value: string): string {
  return value.replace(/\\(.)/g, (_, char: string) => (char === "n" ? "\n" : char));
}

/** Labels that stand for others: a process is told by itself, not by its service; a filesystem by where it is mounted. */
const telling: readonly (readonly [label: string, replaced: RegExp])[] = [
  ["process.executable.name", /^service\./],
  // By what a service was recognised is of no use at night.
  ["service.name", /^causeway\.service\.source$/],
  // A container's network has a number that says nothing; whose it is, its service says.
  ["service.name", /^causeway\.network\.namespace$/],
  // Of an edge the other end counts.
  ["network.peer.address", /^network\.local\.address$/],
  ["system.filesystem.mountpoint", /^system\.(device|filesystem\.(type|mode))$/],
];

/** Labels in one line, values only, names first and numbers last: "java 4711", "eth0 receive", "nginx tcp 443". */
export function labelsLine(id: string): string {
  const all = parseSeriesId(id).labels;
  const replaced = telling
    .filter(([label]) => all.some(([name]) => name === label))
    .map(([, names]) => names);
  return all
    .filter(([name]) => !replaced.some((names) => names.test(name)))
    .sort(([a], [b]) => labelRank(a) - labelRank(b))
    .map(([, value]) => value)
    .join(" ");
}

function labelRank(name: string): number {
  if (/(pid|number|\.port)$/.test(name)) return 2;
  return name.endsWith(".name") ? 0 : 1;
}
