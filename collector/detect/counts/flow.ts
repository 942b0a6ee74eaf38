/**
 * A flow: what happens at one place and either succeeds or fails, as the series of one host tell it together.
 *
 * Which series tell what follows from what each counts (`shared/counted.ts`). If a metric is divided by a label that says how it
 * ended, its series are the parts of the total, and those that ended badly are its failures and refusals. Else there is a total,
 * and beside it a counter of failures, one of successes, or a gauge of their share. Whatever says the same again is left alone, and
 * judged like any other series. The same series make the same flow, in whatever order they came.
 */
import type { Counted } from "#shared/counted.ts";
import type { Meaning } from "#shared/semantics.ts";
import type { Series } from "#shared/series.ts";

export interface Member {
  readonly number: number;
  readonly series: Series;
  /** Of all hosts that have the series: its entity may name another one. */
  readonly meaning: Meaning;
  readonly counted: Counted;
  /** Multiplies the thresholds of what is judged by this series. */
  readonly thresholdFactor: number;
  /** By how much what it counts enters the events, the failures and the refusals: 1, 0 or -1. */
  events: number;
  failures: number;
  refusals: number;
  /** A counter's total as last read, NaN before; and when it last had a value, 0 before. */
  raw: number;
  seenMs: number;
  /** What the last tick brought, and its value then: scratch. */
  value: number;
  delta: number;
}

export function memberOf(
  number: number,
  series: Series,
  meaning: Meaning,
  counted: Counted,
  thresholdFactor: number,
): Member {
  const nothing = {
    events: 0,
    failures: 0,
    refusals: 0,
    raw: Number.NaN,
    seenMs: 0,
    value: Number.NaN,
    delta: 0,
  };
  return { number, series, meaning, counted, thresholdFactor, ...nothing };
}

export class Flow {
  readonly id: string;
  /** Where its row begins. */
  readonly at: number;
  /** By number. */
  members: readonly Member[] = [];
  /** Those of them that tell something, and whether they tell how many there were; else nothing is judged. */
  told: readonly Member[] = [];
  hasEvents = false;

  constructor(id: string, at: number) {
    this.id = id;
    this.at = at;
  }

  add(member: Member): void {
    this.members = [...this.members, member].sort((a, b) => a.number - b.number);
    this.#follow();
  }

  remove(number: number): void {
    this.members = this.members.filter((member) => member.number !== number);
    this.#follow();
  }

  /** The series whose total it is, for its name and unit. */
  get carrier(): Member {
    return this.told.find(({ events }) => events !== 0)!;
  }

  #follow(): void {
    for (const member of this.members) member.events = member.failures = member.refusals = 0;
    const carrier = carrierOf(this.members);
    this.hasEvents = carrier !== undefined;
    if (carrier !== undefined) {
      const whole = this.members.filter((member) => isOfMetric(member, carrier));
      for (const member of whole) member.events = 1;
      if (whole.some(({ counted }) => counted.divided)) divide(whole);
      else
        addEndings(
          whole,
          this.members.filter((one) => fits(one, carrier)),
        );
    }
    this.told = this.members.filter((one) => one.events !== 0 || one.failures !== 0 || one.refusals !== 0);
  }
}

/** Whether it can tell how many there were. */
export function tellsEvents({ counted }: Member): boolean {
  return counted.divided || counted.part === "total";
}

/** Whose metric is the total: one that is divided rather than one that is not, transactions rather than requests, then by name. */
function carrierOf(members: readonly Member[]): Member | undefined {
  const whole = members.filter(tellsEvents);
  return whole.toSorted((a, b) => rank(a) - rank(b) || (a.series.metric < b.series.metric ? -1 : 1))[0];
}

function rank({ counted }: Member): number {
  return (counted.divided ? 0 : 2) + (counted.what === "transactions" ? 0 : 1);
}

function isOfMetric({ series, counted }: Member, carrier: Member): boolean {
  return series.metric === carrier.series.metric && (counted.divided || counted.part === "total");
}

function divide(whole: readonly Member[]): void {
  for (const member of whole) {
    if (member.counted.part === "failure") member.failures = 1;
    if (member.counted.part === "refusal") member.refusals = 1;
  }
}

/** Of the same noun, or of none. */
function fits({ counted }: Member, carrier: Member): boolean {
  const apart = !counted.divided && counted.part !== "total";
  return apart && (counted.noun === "" || counted.noun === carrier.counted.noun);
}

/** Counters before gauges of a share, failures before what is left when successes are taken away. */
function addEndings(whole: readonly Member[], others: readonly Member[]): void {
  const refusals = ofFirstMetric(others, "refusal");
  for (const member of refusals) member.refusals = 1;
  const failures = ofFirstMetric(others, "failure");
  for (const member of failures) member.failures = 1;
  if (failures.length > 0) return;
  const successes = ofFirstMetric(others, "success");
  if (successes.length === 0) return;
  for (const member of whole) member.failures = 1;
  for (const member of successes) member.failures = -1;
  if (refusals.every(({ counted }) => counted.share === null))
    for (const member of refusals) member.failures = -1;
}

function ofFirstMetric(members: readonly Member[], part: Counted["part"]): Member[] {
  const candidates = members.filter(({ counted }) => counted.part === part);
  const first = candidates.toSorted(
    (a, b) =>
      Number(a.counted.share !== null) - Number(b.counted.share !== null) ||
      (a.series.metric < b.series.metric ? -1 : 1),
  )[0];
  return candidates.filter(({ series }) => series.metric === first?.series.metric);
}
