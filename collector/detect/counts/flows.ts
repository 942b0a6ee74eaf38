/**
 * The flows of one host: series come and go, and with them flows and their rows, up to a limit. What is defined beyond it is judged
 * like any other series.
 */
import { limits } from "#shared/limits.ts";
import type { Column } from "#shared/snapshot.ts";
import { Flow, type Member, tellsEvents } from "./flow.ts";
import { FlowRows, rowLength } from "./flow-row.ts";

/** JSON: the order of the rows, and of the members' columns. */
export interface FlowsState {
  readonly flows: readonly string[];
  readonly members: readonly number[];
  /** Numbers that there was no room for. */
  readonly refused: readonly number[];
}

export class Flows {
  readonly #rows = new FlowRows();
  readonly #flows = new Map<string, Flow>();
  readonly #members = new Map<number, Member>();
  /** Series that tell only how something ended, of which nobody tells how much there was: number and flow, for when somebody does. */
  readonly #lone = new Map<number, string>();
  readonly #memberAgain: (number: number) => Member;
  /** Those that there was no room for when they were defined. */
  readonly #refused = new Map<number, Member>();
  #ordered: readonly Flow[] | null = null;

  /** `memberAgain`: the member that a series which was defined before makes. */
  constructor(memberAgain: (number: number) => Member) {
    this.#memberAgain = memberAgain;
  }

  get rows(): Float64Array {
    return this.#rows.values;
  }

  get size(): number {
    return this.#flows.size;
  }

  /** Whether it is judged. */
  has(id: string): boolean {
    return this.#flows.has(id);
  }

  /** By id: what is told must not depend on the order of definitions. */
  ordered(): readonly Flow[] {
    this.#ordered ??= [...this.#flows.values()].sort((a, b) => (a.id < b.id ? -1 : 1));
    return this.#ordered;
  }

  member(number: number): Member | undefined {
    return this.#members.get(number);
  }

  /** What the series of that number belongs to. */
  of(number: number): Flow | undefined {
    const member = this.#members.get(number);
    return member === undefined ? undefined : this.#flows.get(member.counted.of);
  }

  add(member: Member): void {
    const id = member.counted.of;
    const known = this.#flows.get(id);
    if (known === undefined && !tellsEvents(member)) {
      this.#lone.set(member.number, id);
      return;
    }
    if (known === undefined && this.#flows.size >= limits.countFlowsPerHostMax) {
      this.#refused.set(member.number, member);
      return;
    }
    const flow = known ?? this.#begin(id);
    this.#members.set(member.number, member);
    flow.add(member);
    this.#ordered = null;
  }

  /** A flow, with those that waited for it. */
  #begin(id: string): Flow {
    const flow = new Flow(id, this.#rows.take());
    this.#flows.set(id, flow);
    for (const [number, of] of this.#lone) {
      if (of !== id) continue;
      this.#lone.delete(number);
      const member = this.#memberAgain(number);
      this.#members.set(number, member);
      flow.add(member);
    }
    return flow;
  }

  remove(number: number): void {
    this.#refused.delete(number);
    this.#lone.delete(number);
    const flow = this.of(number);
    if (flow === undefined) return;
    this.#members.delete(number);
    flow.remove(number);
    this.#ordered = null;
    if (flow.hasEvents) return;
    for (const member of flow.members) {
      this.#members.delete(member.number);
      this.#lone.set(member.number, flow.id);
    }
    this.#flows.delete(flow.id);
    this.#rows.release(flow.at);
  }

  state(): FlowsState {
    return {
      flows: this.ordered().map(({ id }) => id),
      members: this.#sortedMembers().map(({ number }) => number),
      refused: [...this.#refused.keys()].sort((a, b) => a - b),
    };
  }

  columns(): [name: string, column: Column][] {
    const ordered = this.ordered();
    const rows = new Float64Array(ordered.length * rowLength);
    for (const [index, { at }] of ordered.entries())
      rows.set(this.rows.subarray(at, at + rowLength), index * rowLength);
    const members = this.#sortedMembers();
    return [
      ["flows", rows],
      ["flow raw", Float64Array.from(members, ({ raw }) => raw)],
      ["flow seen", Float64Array.from(members, ({ seenMs }) => seenMs)],
    ];
  }

  /** After the same definitions, in whatever order: who is judged depends on who came first, and stays so. */
  restore({ flows, members, refused }: FlowsState, column: (name: string) => Column): void {
    const defined = new Map([...this.#members, ...this.#refused]);
    for (const number of defined.keys()) this.remove(number);
    for (const number of members) {
      const member = defined.get(number);
      // Another policy may not judge it any more.
      if (member === undefined) continue;
      this.add(member);
      defined.delete(number);
    }
    const without = new Set(refused);
    for (const [number, member] of defined) {
      if (without.has(number)) this.#refused.set(number, member);
      else this.add(member);
    }
    const raw = column("flow raw");
    const seen = column("flow seen");
    for (const [index, number] of members.entries()) {
      const member = this.#members.get(number);
      if (member === undefined) continue;
      member.raw = raw[index]!;
      member.seenMs = seen[index]!;
    }
    const rows = column("flows") as Float64Array;
    for (const [index, id] of flows.entries()) {
      const at = this.#flows.get(id)?.at;
      if (at !== undefined) this.rows.set(rows.subarray(index * rowLength, (index + 1) * rowLength), at);
    }
  }

  #sortedMembers(): Member[] {
    return [...this.#members.values()].sort((a, b) => a.number - b.number);
  }
}
