/**
 * The hosts of one group that report at one pace, step by step: is one of them unlike its siblings?
 *
 * Of a metric that stands out on some host, the siblings' z of the same step are gathered (`peer-row.ts`). It is unlike them when it is
 * six times as far from their median as half of them are (their median absolute deviation, but never less than half an expected
 * deviation), in the direction in which it stands out, for three steps in a row; it is like them again at half of that.
 *
 * A step is one of the data's time. It is closed when every member that was there a few steps ago has spoken of it or of a later one,
 * or when four are three steps further: so hosts may arrive in any order and up to three steps apart, and the same comes of it. A
 * member takes part from its fourth step on, and is waited for until it has been silent for five.
 *
 * Cost: what stands out is rare, and only that is gathered: one look at each member's metric.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { Column } from "#shared/snapshot.ts";
import type { HostDetector } from "../host-detector.ts";
import { Member, type MemberState, type Run } from "./member.ts";
import { describePeer, isTold, raisedBy } from "./peer-anomaly.ts";
import type { Row, Strong } from "./peer-row.ts";
import { type Spread, spreadOf } from "./spread.ts";

/** Fewer are no group: of three, one that is unlike leaves two that may be the odd ones. */
export const membersMin = 4;
/** Steps that members may arrive apart; and how long one that fell silent is waited for. */
const skewSteps = 3;
const lapseSteps = 5;
const unlikeMin = 6;
const backShare = 0.5;
/** In expected deviations: siblings that are equal to the last digit are no reason to tell one that is not. */
const madFloor = 0.5;
const confirmSteps = 3;

/** Plain JSON, beside the columns. */
export interface CohortState {
  readonly group: string;
  readonly stepMs: number;
  readonly closed: number;
  readonly members: readonly MemberState[];
}

let gathered = new Float64Array(64);

export class Cohort {
  readonly group: string;
  readonly stepMs: number;
  readonly members = new Map<string, Member>();
  /** Sorted by host, so that no order of arrival is seen in what is told. */
  #sorted: readonly Member[] = [];
  #closed: number;
  /** A host has spoken since the last look. */
  #spoken = false;

  constructor(group: string, stepMs: number, closed = 0) {
    this.group = group;
    this.stepMs = stepMs;
    this.#closed = closed;
  }

  /** Enough members to compare anything. */
  get isGroup(): boolean {
    return this.members.size >= membersMin;
  }

  /** With the fourth member all of them begin to be compared. */
  join(detector: HostDetector, state?: MemberState): Member {
    const member = new Member(detector, state);
    this.members.set(member.host, member);
    this.#sort();
    if (state === undefined && this.members.size === membersMin)
      for (const one of this.members.values()) one.compare();
    else if (state === undefined && this.isGroup) member.compare();
    return member;
  }

  /** Returns what ends with it. */
  leave(host: string, timeMs: number): Anomaly[] {
    const member = this.members.get(host);
    if (member === undefined) return [];
    this.members.delete(host);
    this.#sort();
    return endRuns(member, timeMs);
  }

  push(member: Member): void {
    const { lastMs, stepMs } = member.detector;
    if (!member.push(Math.floor(lastMs / stepMs))) return;
    member.dropRows(this.#closed);
    this.#spoken = true;
  }

  /** Closes every step that can be; returns what is told of it, by step and host. */
  close(): Anomaly[] {
    if (!this.#spoken || !this.isGroup) return [];
    this.#spoken = false;
    const told: Anomaly[] = [];
    for (let step = this.#nextStep(); step !== null && this.#isComplete(step); step = this.#nextStep()) {
      this.#judge(step, told);
      this.#closed = step;
      for (const member of this.#sorted) member.dropRows(step);
    }
    return told;
  }

  open(): Anomaly[] {
    return this.#sorted.flatMap(({ runs }) =>
      [...runs.values()].flatMap(({ anomaly }) => (anomaly === null ? [] : [anomaly])),
    );
  }

  #sort(): void {
    this.#sorted = [...this.members.values()].sort((a, b) => (a.host < b.host ? -1 : 1));
  }

  #nextStep(): number | null {
    let next = Number.POSITIVE_INFINITY;
    for (const { rows } of this.#sorted) if (rows.length > 0) next = Math.min(next, rows[0]!.step);
    return Number.isFinite(next) ? next : null;
  }

  #takesPart(member: Member, step: number): boolean {
    return member.saidSomething(step - lapseSteps, step - skewSteps);
  }

  /** Not by one host's word: a clock that is far ahead must not close the others' steps. */
  #isComplete(step: number): boolean {
    let taking = 0;
    let waiting = 0;
    let ahead = 0;
    for (const member of this.#sorted) {
      if (member.lastStep >= step + skewSteps) ahead += 1;
      if (!this.#takesPart(member, step)) continue;
      taking += 1;
      if (member.lastStep < step) waiting += 1;
    }
    return ahead >= membersMin || (taking >= membersMin && waiting === 0);
  }

  #judge(step: number, told: Anomaly[]): void {
    const rows: { member: Member; row: Row }[] = [];
    for (const member of this.#sorted) {
      const takesPart = this.#takesPart(member, step);
      const row = takesPart ? member.rowOf(step) : undefined;
      if (row !== undefined) rows.push({ member, row });
      else if (!takesPart && member.runs.size > 0) told.push(...endRuns(member, step * this.stepMs));
    }
    // By metric, so that what all siblings show is gathered once.
    const spreads = new Map<number, Spread & { readonly count: number }>();
    for (const { member, row } of rows) {
      const unlike = new Set<number>();
      for (const strong of row.strong) {
        const { key, index } = member.placeOf(strong.number);
        const spread = spreads.get(key) ?? spreadOfRows(rows, key, index);
        spreads.set(key, spread);
        if (spread.count < membersMin || !isUnlike(strong, spread, member.runs.get(strong.number))) continue;
        unlike.add(strong.number);
        told.push(...this.#goOn(member, row, strong, spread));
      }
      for (const [number, run] of member.runs) {
        if (unlike.has(number)) continue;
        if (run.anomaly !== null) told.push({ ...run.anomaly, ended: true, lastMs: row.timeMs });
        member.runs.delete(number);
      }
    }
  }

  /** One more step in which a metric is unlike its siblings. */
  #goOn(
    { detector, runs }: Member,
    row: Row,
    strong: Strong,
    spread: Spread & { readonly count: number },
  ): Anomaly[] {
    const fresh = { startedMs: row.step * this.stepMs - this.stepMs, steps: 0, anomaly: null };
    const run: Run = runs.get(strong.number) ?? { ...fresh, toldScore: 0, raised: null };
    runs.set(strong.number, run);
    run.steps += 1;
    if (run.steps < confirmSteps) return [];
    const finding = { ...strong, ...spread, times: distance(strong, spread), unlikeMin, madFloor };
    const told: Anomaly[] = [];
    if (strong.own !== null) {
      // Its own history found it as well: one series, one anomaly.
      if (run.anomaly !== null) told.push({ ...run.anomaly, ended: true, lastMs: row.timeMs });
      run.anomaly = null;
      if (run.raised !== strong.own) {
        const raised = detector.change(strong.own, (anomaly) => raisedBy(anomaly, finding));
        if (raised !== undefined) told.push(raised);
      }
      run.raised = strong.own;
    } else if (run.raised === null) {
      const anomaly = describePeer(detector.table, finding, run.startedMs, row.timeMs);
      if (run.anomaly === null || isTold(run.toldScore, anomaly)) {
        run.toldScore = anomaly.score;
        told.push(anomaly);
      }
      run.anomaly = anomaly;
    }
    return told;
  }

  state(): CohortState {
    const members = this.#sorted.map((member) => member.state());
    return { group: this.group, stepMs: this.stepMs, closed: this.#closed, members };
  }

  /** By the member's place in `state()`. */
  columns(): [name: string, column: Column][] {
    return this.#sorted.flatMap((member, at) =>
      member.columns().map(([name, column]): [string, Column] => [`${at}/${name}`, column]),
    );
  }

  static restore(
    state: CohortState,
    detectorOf: (host: string) => HostDetector,
    column: (name: string) => Column,
  ): Cohort {
    const cohort = new Cohort(state.group, state.stepMs, state.closed);
    for (const [at, one] of state.members.entries()) {
      cohort.join(detectorOf(one.host), one).restore(one, (name) => column(`${at}/${name}`));
    }
    cohort.#spoken = true;
    return cohort;
  }
}

/** What the members' rows say of one metric; `hint` is where one of them has it. */
function spreadOfRows(
  rows: readonly { readonly member: Member; readonly row: Row }[],
  key: number,
  hint: number,
): Spread & { readonly count: number } {
  if (gathered.length < rows.length) gathered = new Float64Array(2 * rows.length);
  let count = 0;
  for (const { member, row } of rows) {
    const z = row.z[member.indexOf(key, hint)];
    if (z === undefined || z !== z) continue;
    gathered[count] = z;
    count += 1;
  }
  return { ...spreadOf(gathered, count), count };
}

function distance({ z }: Strong, { median, mad }: Spread): number {
  return Math.abs(z - median) / Math.max(mad, madFloor);
}

function isUnlike(strong: Strong, spread: Spread, run: Run | undefined): boolean {
  const told = run !== undefined && run.steps >= confirmSteps;
  const wanted = unlikeMin * strong.factor * (told ? backShare : 1);
  return strong.z > spread.median === strong.z > 0 && distance(strong, spread) > wanted;
}

function endRuns(member: Member, timeMs: number): Anomaly[] {
  const ends = [...member.runs.values()].flatMap(({ anomaly }) =>
    anomaly === null ? [] : [{ ...anomaly, ended: true, lastMs: Math.max(timeMs, anomaly.lastMs) }],
  );
  member.runs.clear();
  return ends;
}
