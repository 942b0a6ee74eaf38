/**
 * From an address or a name to the hosts that have it, as of what was seen lately.
 *
 * What is too old is passed over when asked, whether it was removed yet or not: the answer depends on the times of what was seen, never
 * on the order in which hosts were heard. Cost: the number of hosts behind the key.
 */
import type { Aged } from "./ageing.ts";

export class IndexByHost {
  readonly #hosts = new Map<string, Map<string, Set<Aged>>>();

  add(key: string, host: string, seen: Aged): void {
    const hosts = this.#hosts.get(key) ?? new Map<string, Set<Aged>>();
    this.#hosts.set(key, hosts);
    hosts.set(host, (hosts.get(host) ?? new Set()).add(seen));
  }

  remove(key: string, host: string, seen: Aged): void {
    const hosts = this.#hosts.get(key);
    const all = hosts?.get(host);
    if (hosts === undefined || all === undefined) return;
    all.delete(seen);
    if (all.size === 0) hosts.delete(host);
    if (hosts.size === 0) this.#hosts.delete(key);
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
