/**
 * The flows of one host: series come and go, and with them flows and their rows, up to a limit. What is defined beyond it is judged
 * like any other series.
 */
import { limits } from "#shared/limits.ts";
import type { Column } from "#shared/snapshot.ts";
import { Flow, type Member } from "./flow.ts";
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
  /** Those that there was no room for when they were defined. */
  readonly #refused = new Map<number, Member>();
  #ordered: readonly Flow[] | null = null;

  get rows(): Float64Array {
    return this.#rows.values;
  }

  get size(): number {
    return this.#flows.size;
  }

  /** Whether it is judged. */
  has(id: string): boolean {
    return this.#flows.get(id)?.hasEvents === true;
  }

  /** Those that can be judged, by id: what is told must not depend on the order of definitions. */
  ordered(): readonly Flow[] {
    this.#ordered ??= [...this.#flows.values()]
      .filter(({ hasEvents }) => hasEvents)
      .sort((a, b) => (a.id < b.id ? -1 : 1));
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
    if (known === undefined && this.#flows.size >= limits.countFlowsPerHostMax) {
      this.#refused.set(member.number, member);
      return;
    }
    const flow = known ?? new Flow(id);
    this.#flows.set(id, flow);
    this.#members.set(member.number, member);
    flow.add(member);
    this.#place(flow);
  }

  remove(number: number): void {
    this.#refused.delete(number);
    const flow = this.of(number);
    if (flow === undefined) return;
    this.#members.delete(number);
    flow.remove(number);
    if (flow.members.length === 0) this.#flows.delete(flow.id);
    this.#place(flow);
  }

  /** A row is for what is judged: a lone counter of failures needs none. */
  #place(flow: Flow): void {
    this.#ordered = null;
    if (flow.hasEvents === flow.at >= 0) return;
    if (flow.hasEvents) flow.at = this.#rows.take();
    else {
      this.#rows.release(flow.at);
      flow.at = -1;
    }
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
    const raw = column("flow raw");
    const seen = column("flow seen");
    for (const [index, number] of members.entries()) {
      const member = defined.get(number);
      // Another policy may not judge it any more.
      if (member === undefined) continue;
      member.raw = raw[index]!;
      member.seenMs = seen[index]!;
      this.add(member);
      defined.delete(number);
    }
    const without = new Set(refused);
    for (const [number, member] of defined) {
      if (without.has(number)) this.#refused.set(number, member);
      else this.add(member);
    }
    const rows = column("flows") as Float64Array;
    for (const [index, id] of flows.entries()) {
      const at = this.#flows.get(id)?.at;
      if (at !== undefined && at >= 0)
        this.rows.set(rows.subarray(index * rowLength, (index + 1) * rowLength), at);
    }
  }

  #sortedMembers(): Member[] {
    return [...this.#members.values()].sort((a, b) => a.number - b.number);
  }
}
