/**
 * From an address or a name to the hosts that have it, as of what was seen lately.
 *
 * What is too old is passed over when asked, whether it was removed yet or not: the answer depends on the times of what was seen, never
 * on the order in which hosts were heard. Cost: what is behind the key; 50 bytes for a record.
 */
import type { Aged } from "./ageing.ts";

export class IndexByHost<T extends Aged> {
  readonly #hosts = new Map<string, Map<string, T[]>>();

  /** True if by this `host` may have come to have the key: what else it has it by was seen earlier, and may be too old. */
  add(key: string, host: string, seen: T): boolean {
    let hosts = this.#hosts.get(key);
    if (hosts === undefined) this.#hosts.set(key, (hosts = new Map<string, T[]>()));
    const all = hosts.get(host);
    if (all === undefined) hosts.set(host, [seen]);
    else all.push(seen);
    return all === undefined || isLast(seen, all);
  }

  /** True if without this `host` may not have the key any more. */
  remove(key: string, host: string, seen: T): boolean {
    const hosts = this.#hosts.get(key);
    const all = hosts?.get(host);
    if (hosts === undefined || all === undefined) return false;
    const place = all.indexOf(seen);
    const last = all.pop()!;
    if (last !== seen) all[place] = last;
    if (all.length > 0) return isLast(seen, all);
    hosts.delete(host);
    if (hosts.size === 0) this.#hosts.delete(key);
    return true;
  }

  /** Sorted. */
  hosts(key: string, sinceMs: number): string[] {
    const found: string[] = [];
    for (const [host, all] of this.#hosts.get(key) ?? []) {
      for (const { seenMs } of all) {
        if (seenMs < sinceMs) continue;
        found.push(host);
        break;
      }
    }
    return found.sort();
  }
}

function isLast(seen: Aged, all: readonly Aged[]): boolean {
  for (const other of all) if (other !== seen && other.seenMs >= seen.seenMs) return false;
  return true;
}
