/**
 * Whose an address is: what agents say of their hosts, and what stands as their own end in their connections.
 *
 * Loopback is everybody's and nobody's, but for addresses of 127.0.0.0/8 other than 127.0.0.1 that an agent says are its host's.
 */
import type { End } from "./host-ends.ts";
import { IndexByHost } from "./index-by-host.ts";

export class Addresses {
  readonly #said = new Map<string, Set<string>>();
  readonly #seen = new IndexByHost<End>();

  /** Replaces `before` by `now`. */
  say(host: string, before: readonly string[], now: readonly string[]): void {
    for (const address of before) {
      const hosts = this.#said.get(address);
      hosts?.delete(host);
      if (hosts?.size === 0) this.#said.delete(address);
    }
    for (const address of now) this.#said.set(address, (this.#said.get(address) ?? new Set()).add(host));
  }

  isSaid(address: string): boolean {
    return this.#said.has(address);
  }

  /** True if it makes the address the host's. */
  see(host: string, end: End): boolean {
    return !isLoopback(end.localAddress) && this.#seen.add(end.localAddress, host, end);
  }

  /** True if the address is not the host's any more by what is seen. */
  unsee(host: string, end: End): boolean {
    return !isLoopback(end.localAddress) && this.#seen.remove(end.localAddress, host, end);
  }

  /** Sorted. */
  owners(address: string, sinceMs: number): string[] {
    const said = this.#said.get(address);
    const seen = isLoopback(address) ? [] : this.#seen.hosts(address, sinceMs);
    return said === undefined ? seen : [...new Set([...said, ...seen])].sort();
  }
}

export function isLoopback(address: string): boolean {
  return address.startsWith("127.") || address === "::1";
}

/** What every machine calls itself by, and what is no address of one. */
export function isNobodys(address: string): boolean {
  return (
    address === "127.0.0.1" ||
    address === "::1" ||
    address === "" ||
    address === "0.0.0.0" ||
    address === "::"
  );
}
