/**
 * When a group is looked at (`look.ts`), and what past it takes.
 *
 * Once when it opens, and again ever more seldom while it lasts: what a fault does shows within minutes. Looked at are the hosts that
 * suffer and those that they talk to, from half an hour before the first symptom on. Cost: reading the past of `hostsMax` hosts, about 10 ms
 * each, at most once in ten seconds. Time is that of the samples.
 */
import type { HistoryRequest } from "#shared/host-history.ts";
import type { Group } from "./group.ts";
import type { Neighbourhood } from "./neighbourhood.ts";

/** What is usual is taken from this long before the first symptom. */
const beforeMs = 1_800_000;
const againMsMin = 10_000;
const againMsMax = 300_000;
/** Again after half of the time that it has lasted. */
const againShare = 0.5;
const hostsMax = 24;
/** Hosts that suffer: the rest is for those that they talk to. */
const sufferingMax = 12;

/** Null when it need not be looked at now. */
export function historyWanted(group: Group, graph: Neighbourhood, dataMs: number): HistoryRequest | null {
  const { id, shared, storm, toldMs, quietSinceMs, firstSymptomMs, look } = group;
  // Who is cut off together has its cause, and of what is silent or full nothing is to be seen elsewhere. What siblings share may be what all of
  // them call.
  if (
    shared?.entity.kind === "network" ||
    storm ||
    toldMs === null ||
    quietSinceMs !== null ||
    saysItAll(group)
  )
    return null;
  if (look !== null) {
    const againMs = againShare * (look.atMs - firstSymptomMs);
    if (dataMs - look.atMs < Math.min(againMsMax, Math.max(againMsMin, againMs))) return null;
  }
  return { id, hosts: hostsOf(group, graph), fromMs: firstSymptomMs - beforeMs, toMs: dataMs };
}

/** Hosts that are silent, filesystems that fill: whoever strays at that time does it for another reason. */
function saysItAll({ symptoms }: Group): boolean {
  for (const { detector, resource } of symptoms.values())
    if (detector !== "absence" && resource !== "space") return false;
  return true;
}

function hostsOf(group: Group, graph: Neighbourhood): string[] {
  const suffering = [...group.hosts()].slice(0, sufferingMax);
  const hosts = new Set(suffering);
  for (const host of suffering) {
    for (const near of graph.neighbours(host)) {
      if (hosts.size >= hostsMax) return [...hosts];
      hosts.add(near);
    }
  }
  return [...hosts];
}
