/**
 * A dead host speaks for what is on it: an incident all of whose trouble is on hosts that another incident says are silent is marked as
 * suppressed by that one. It stays open and in sight; it only need not be looked at first. When the hosts are back and it is still there,
 * the mark goes.
 */
import { isOver } from "#shared/contract/incident.ts";
import { entryAt, type Entry, revise } from "./entry.ts";

/** A host that is back is judged anew first: what was wrong before it died gets three samples to end. */
const backMs = 30_000;

export class Suppression {
  /** Whose hosts are down, as it was last worked out: thousands of hosts that come back one by one must not be counted anew each time. */
  #down: readonly Entry[] = [];
  #hosts: readonly (readonly string[])[] = [];
  #downBy: ReadonlyMap<string, Entry> = new Map();

  /** Marks what is on dead hosts, and takes the mark from what is not any more. */
  mark(entries: readonly Entry[], nowMs: number): void {
    this.#look(entries.filter(({ incident, downHosts }) => downHosts.length > 0 && !isOver(incident)));
    for (const entry of entries) {
      const by = isOver(entry.incident) ? null : suppressor(entry, this.#downBy);
      if (by !== null) entry.backSinceMs = null;
      if (by !== entry.incident.suppressedBy) mark(entry, by, nowMs);
    }
  }

  #look(down: readonly Entry[]): void {
    const same =
      down.length === this.#down.length &&
      down.every((entry, index) => entry === this.#down[index] && entry.downHosts === this.#hosts[index]);
    if (same) return;
    this.#down = down;
    this.#hosts = down.map(({ downHosts }) => downHosts);
    const downBy = new Map<string, Entry>();
    for (const entry of down)
      for (const host of entry.downHosts) if (!downBy.has(host)) downBy.set(host, entry);
    this.#downBy = downBy;
  }
}

/** The incident of the dead hosts, when all that is open here is on them and nothing here is their death itself. */
function suppressor({ openHosts, downHosts }: Entry, downBy: ReadonlyMap<string, Entry>): string | null {
  if (downBy.size === 0 || openHosts.length === 0 || downHosts.length > 0) return null;
  if (!openHosts.every((host) => downBy.has(host))) return null;
  return downBy.get(openHosts[0]!)!.incident.id;
}

function mark(entry: Entry, by: string | null, nowMs: number): void {
  if (by !== null) {
    revise(entry, { suppressedBy: by }, [entryAt(nowMs, "timeline.suppressed", { incident: by })], nowMs);
    return;
  }
  const goesOn = !isOver(entry.incident) && entry.active;
  if (goesOn) {
    entry.backSinceMs ??= nowMs;
    if (nowMs - entry.backSinceMs < backMs) return;
  }
  entry.backSinceMs = null;
  revise(entry, { suppressedBy: null }, goesOn ? [entryAt(nowMs, "timeline.unsuppressed")] : [], nowMs);
}
