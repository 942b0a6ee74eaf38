/**
 * Every edge, from whatever source, and which of them touch a host: joined sockets, calls, declarations.
 *
 * Correlation asks several times for each anomaly. What was worked out of a host is kept until something that it depends on comes or
 * goes (`Join` says whose), a minute at most, since edges also end by time. Cost: a host's own ends (two hundred at most are told), and
 * those of the hosts that talk to it, once each.
 */
import { type Entity, entityId } from "#shared/entity.ts";
import type { Join, Joined } from "./join.ts";
import type { Sources } from "./sources.ts";
import type { Named, ToldEdge, ToldEdges } from "./told-edges.ts";

const grainMs = 60_000;
/** Hosts that a call between two names may link: replicas of a service. More say nothing about any two of them. */
const hostsOfCallMax = 50;

export interface Link {
  readonly caller: Entity;
  readonly callee: Entity;
  readonly joined: Joined | undefined;
  readonly told: ToldEdge | undefined;
}

export interface Near {
  readonly callees: ReadonlySet<string>;
  readonly callers: ReadonlySet<string>;
}

export class Links {
  readonly #join: Join;
  readonly #pushed: Sources;
  readonly #told: readonly ToldEdges[];
  readonly #keptMs: number;
  #grain = -1;
  #toldVersions = "";
  #nowMs = 0;
  readonly #own = new Map<string, readonly Link[]>();
  readonly #near = new Map<string, Near>();
  #toldLinks: readonly Link[] | undefined;
  #toldByHost = new Map<string, Link[]>();

  constructor(join: Join, told: readonly ToldEdges[], keptMs: number, pushed: Sources) {
    this.#join = join;
    this.#pushed = pushed;
    this.#told = told;
    this.#keptMs = keptMs;
  }

  /** Everything that is asked from here on is as of `nowMs`. */
  at(nowMs: number): this {
    const grain = Math.floor(nowMs / grainMs);
    const toldVersions = [...this.#told, this.#pushed].map(({ version }) => version).join(" ");
    if (grain !== this.#grain || toldVersions !== this.#toldVersions) this.touched(null);
    this.#grain = grain;
    this.#toldVersions = toldVersions;
    this.#nowMs = grain * grainMs;
    return this;
  }

  /** What is known of the host's edges may be wrong now; null: of all hosts'. */
  touched(host: string | null): void {
    if (host !== null) {
      this.#own.delete(host);
      this.#near.delete(host);
      return;
    }
    this.#own.clear();
    this.#near.clear();
    this.#toldLinks = undefined;
  }

  /** Hosts that `host` calls, and is called by; without itself. */
  near(host: string): Near {
    const known = this.#near.get(host);
    if (known !== undefined) return known;
    const near = { callees: new Set<string>(), callers: new Set<string>() };
    for (const link of this.touching(host)) {
      const [callers, callees] = [this.hostsOf(link.caller), this.hostsOf(link.callee)];
      if (callers.includes(host)) for (const other of callees) near.callees.add(other);
      if (callees.includes(host)) for (const other of callers) near.callers.add(other);
    }
    near.callees.delete(host);
    near.callers.delete(host);
    this.#near.set(host, near);
    return near;
  }

  /** Each once, in an order that does not depend on who was heard first. */
  all(): Link[] {
    return [...this.#join.hosts.flatMap((host) => this.#ownOf(host)), ...this.told()];
  }

  /** Those with a service of `host`, or the host itself, at either end. */
  touching(host: string): readonly Link[] {
    const links = new Set(this.#ownOf(host));
    for (const other of this.#join.around(host, this.#nowMs)) {
      for (const link of this.#ownOf(other)) {
        if (isOf(link.caller, host) || isOf(link.callee, host)) links.add(link);
      }
    }
    this.told();
    for (const link of this.#toldByHost.get(host) ?? []) links.add(link);
    return [...links];
  }

  told(): readonly Link[] {
    if (this.#toldLinks !== undefined) return this.#toldLinks;
    this.#toldByHost = new Map();
    const edges = this.#told.flatMap((told) => told.edges(this.#nowMs, this.#keptMs));
    const links = edges.map((told): Link => {
      const [caller, callee] = [this.#entityOf(told.caller), this.#entityOf(told.callee)];
      return { caller, callee, joined: undefined, told };
    });
    for (const link of links) {
      for (const host of new Set([...this.hostsOf(link.caller), ...this.hostsOf(link.callee)])) {
        const others = this.#toldByHost.get(host);
        if (others === undefined) this.#toldByHost.set(host, [link]);
        else others.push(link);
      }
    }
    this.#toldLinks = links;
    return links;
  }

  /** Where an entity is; a service that is known by name may run on several hosts, a peer is on none. */
  hostsOf({ kind, host, name }: Entity): readonly string[] {
    if (kind === "peer") return [];
    if (host !== "") return [host];
    const hosts = this.#hostsOfService(name);
    return hosts.length <= hostsOfCallMax ? hosts : [];
  }

  /** Known by its sockets, or because it pushes. */
  #hostsOfService(name: string): string[] {
    const seen = this.#join.hostsOfService(name, this.#nowMs);
    return [...new Set([...seen, ...this.#pushed.hostsOfService(name)])].sort();
  }

  #ownOf(host: string): readonly Link[] {
    const known = this.#own.get(host);
    if (known !== undefined) return known;
    const links = this.#join.joined(host, this.#nowMs).map((joined): Link => {
      const { caller, callee } = joined;
      return { caller, callee, joined, told: undefined };
    });
    this.#own.set(host, links);
    return links;
  }

  #entityOf({ host, service }: Named): Entity {
    if (service === "") return { kind: "host", host, name: "" };
    const hosts = host === "" ? this.#hostsOfService(service) : [host];
    const [only, ...others] = hosts;
    if (only === undefined || others.length > 0) return { kind: "service", host: "", name: service };
    return { kind: "service", host: only, name: this.#join.spelling(only, service, this.#nowMs) ?? service };
  }
}

/** A peer's address may read like a host's name. */
export function isOf({ kind, host }: Entity, asked: string): boolean {
  return kind !== "peer" && host === asked;
}

export function otherEnd({ caller, callee }: Link, than: Entity): Entity {
  return entityId(caller) === entityId(than) ? callee : caller;
}
