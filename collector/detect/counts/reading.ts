/**
 * From a flow's series to what one tick brought: events, failures and refusals of the same stretch of time.
 *
 * All of them or none: while one of the series that tell something is late, nobody is read, and the next tick that has them all stands
 * for the whole time. A counter that fell began anew, and what it counted meanwhile is not known: that tick is skipped for all. After a gap of
 * more than ten intervals nothing is said about it. A counter that appears while its flow is watched, as the first error
 * of its kind does, began at zero, if that is possible at all.
 */
import type { Flow, Member } from "./flow.ts";
import { row } from "./flow-row.ts";
import { levelOf } from "./volume.ts";
import type { Counts } from "./windows.ts";

/** Without a value for this many intervals, and this long, a series is gone. */
const goneIntervals = 3;
const goneMsMin = 30_000;
/** Over a longer gap counts say nothing about now. */
const gapIntervals = 10;
/** A flow is watched from here on. */
const watchedMs = 180_000;
/** What a counter may show at first sight, in terms of what its flow usually brings in that time. */
const bornTimes = 2;
const bornMin = 10;
/** Larger values are no counts. */
const valueMax = 1e15;

/**
 * counted: `into` holds what came since the last tick that was. began: from here on there is something to count; before it, nothing is
 * known. reset: the same, because a counter fell or is back. waiting: not now. gone: there is nothing left to read.
 */
export type Reading = "counted" | "began" | "reset" | "waiting" | "gone";

/** `valueOf` gives the tick's value of a member, NaN when it has none. */
export function readFlow(
  flow: Flow,
  rows: Float64Array,
  timeMs: number,
  intervalMs: number,
  valueOf: (member: Member) => number,
  into: Counts,
): Reading {
  const goneMs = Math.max(goneMsMin, goneIntervals * intervalMs);
  let living = 0;
  let late = 0;
  for (const member of flow.told) {
    const value = valueOf(member);
    // Whatever is no number that can be counted is no value.
    member.value = Math.abs(value) <= valueMax ? value : Number.NaN;
    if (!Number.isNaN(member.value)) living += 1;
    else if (member.seenMs !== 0 && timeMs - member.seenMs < goneMs) late += 1;
    else member.raw = Number.NaN;
  }
  if (late > 0) return "waiting";
  if (living === 0) return "gone";
  const countedMs = rows[flow.at + row.countedMs]!;
  const elapsedMs = timeMs - countedMs;
  const known = countedMs !== 0 && elapsedMs <= gapIntervals * intervalMs;
  if (rows[flow.at + row.firstMs] === 0) rows[flow.at + row.firstMs] = timeMs;
  const watched = known && timeMs - rows[flow.at + row.firstMs]! >= watchedMs;
  const bornMost = bornMin + bornTimes * levelOf(rows, flow.at) * (elapsedMs / 1000);
  let whole = true;
  for (const member of flow.told) whole = take(member, timeMs, elapsedMs, watched ? bornMost : 0) && whole;
  if (!known) return "began";
  if (!whole) return "reset";
  sum(flow, into);
  return "counted";
}

/** Reads one member. False: what it counted since the last tick is not known. */
function take(member: Member, timeMs: number, elapsedMs: number, bornMost: number): boolean {
  const { value, raw } = member;
  member.delta = 0;
  if (Number.isNaN(value)) return true;
  const isNew = member.seenMs === 0;
  member.seenMs = timeMs;
  const { per, share } = member.counted;
  if (share !== null) member.delta = Math.min(1, Math.max(0, value / (per === 0 ? 1 : per)));
  else if (per !== 0) member.delta = Math.max(0, value) * (elapsedMs / 1000 / per);
  else {
    member.raw = value;
    const before = Number.isNaN(raw) && isNew && value <= bornMost ? 0 : raw;
    if (!(value >= before)) return false;
    member.delta = value - before;
  }
  return true;
}

function sum(flow: Flow, into: Counts): void {
  into.events = 0;
  into.failures = 0;
  into.refusals = 0;
  for (const member of flow.told) {
    if (member.counted.share !== null) continue;
    into.events += member.events * member.delta;
    into.failures += member.failures * member.delta;
    into.refusals += member.refusals * member.delta;
  }
  for (const member of flow.told) {
    const { share } = member.counted;
    if (share === null || Number.isNaN(member.value)) continue;
    const bad = into.events * (share === "of part" ? member.delta : 1 - member.delta);
    into.failures += member.failures * bad;
    into.refusals += member.refusals * bad;
  }
  into.failures = Math.min(into.events, Math.max(0, into.failures));
  into.refusals = Math.min(into.events, Math.max(0, into.refusals));
}
