/**
 * The exam: every fault once, in an order of chance from a seed, with quiet before, between and after; then the figures.
 *
 * It looks on as an operator does: what the live protocol tells counts, and when it told it. It judges nothing while it runs.
 */
import type { Clock } from "#shared/clock.ts";
import { sleep } from "#shared/clock.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { errorText } from "#shared/errors.ts";
import { runFault } from "../bank.ts";
import type { Bank, Fault } from "../faults/fault.ts";
import { createRandom, shuffled } from "../load/random.ts";
import { type ExamScore, type FaultRun, scoreExam, scoreFault, type Told } from "./score.ts";

/** An incident that is told this long after a fault's end is still of it: two ticks and the collector's own. */
const settleMsMax = 30_000;

export interface ExamParts {
  readonly clock: Clock;
  readonly faults: readonly Fault[];
  readonly seed: number;
  readonly pauseMs: number;
  /** Undefined: each fault's own. */
  readonly seconds: number | undefined;
  readonly bankOf: (fault: Fault) => Bank;
  /** Calls `told` with every incident that there is and with each change of one, until it is stopped. */
  readonly watch: (told: (incident: Incident) => void) => Promise<{ stop(): void }>;
  readonly cut: AbortSignal;
  readonly say: (text: string) => void;
  /** Is given what was done so far, after each fault and at the end: with it and the journal anybody can score again. */
  readonly note?: ((record: ExamRecord) => void) | undefined;
}

/** What was done, as the folder of the bank keeps it beside the collector's journal. */
export interface ExamRecord {
  readonly seed: number;
  readonly fromMs: number;
  readonly toMs: number;
  readonly settleMs: number;
  readonly runs: readonly FaultRun[];
}

/** In the bank's folder. */
export const examRecordFile = "exam.json";

/** Resolves with the figures of all faults that were run; of those before the cut when it was cut. */
export async function runExam(parts: ExamParts): Promise<ExamScore> {
  const { clock, pauseMs, say, cut, seed, note = () => {} } = parts;
  const settleMs = Math.min(settleMsMax, pauseMs / 3);
  const told: Told[] = [];
  const runs: FaultRun[] = [];
  const watching = await parts.watch((incident) => told.push({ atMs: clock.nowMs(), incident }));
  const fromMs = clock.nowMs();
  const recordUpTo = (toMs: number): ExamRecord => ({ seed, fromMs, toMs, settleMs, runs });
  try {
    for (const fault of shuffled(parts.faults, createRandom(seed))) {
      await pause(clock, pauseMs, cut);
      if (cut.aborted) break;
      const run = await runOne(fault, parts);
      if (run === null) continue;
      runs.push(run);
      await pause(clock, settleMs, cut);
      note(recordUpTo(clock.nowMs()));
      say(lineOf(scoreFault(run, told, settleMs)));
    }
    await pause(clock, pauseMs - settleMs, cut);
    const record = recordUpTo(clock.nowMs());
    note(record);
    return scoreExam(runs, told, record);
  } finally {
    watching.stop();
  }
}

/** Null when it could not be had; said, and left out of the figures. */
async function runOne(fault: Fault, parts: ExamParts): Promise<FaultRun | null> {
  const { clock, cut, say, bankOf } = parts;
  const seconds = parts.seconds ?? fault.seconds;
  const startedMs = clock.nowMs();
  try {
    await runFault(fault, bankOf(fault), { clock, seconds, cut });
    return { fault: fault.name, cause: fault.cause, startedMs, endedMs: clock.nowMs() };
  } catch (error) {
    say(`${fault.name}: could not be made, and is left out: ${errorText(error)}`);
    return null;
  }
}

/** Short sleeps, so that a cut is noticed. */
async function pause(clock: Clock, ms: number, cut: AbortSignal): Promise<void> {
  const untilMs = clock.monotonicMs() + ms;
  while (!cut.aborted && clock.monotonicMs() < untilMs)
    await sleep(clock, Math.min(500, untilMs - clock.monotonicMs()));
}

export function lineOf(score: ExamScore["faults"][number]): string {
  const { fault, detected, secondsToDetect, incidents, rank, hostRank, named, confidence } = score;
  if (!detected) return `${fault.padEnd(20)} not detected (${incidents} other incidents)`;
  const place = rank === null ? `not named${hostRank === null ? "" : `, its host ${hostRank}.`}` : `${rank}.`;
  const first = named === "" ? "no cause" : `${named} (${confidence.toFixed(2)})`;
  const change =
    score.changeRight === null ? "" : `, the change ${score.changeRight ? "named first" : "not named first"}`;
  return (
    `${fault.padEnd(20)} after ${(secondsToDetect ?? 0).toFixed(0).padStart(3)} s, ${incidents} incident${incidents === 1 ? "" : "s"}, ` +
    `true cause ${place}${change}; first: ${first}`
  );
}

export function summaryOf(score: ExamScore): string {
  const { faults, detected, medianSecondsToDetect, incidentsPerFault, rankedFirst, rankedInThree } = score;
  const per = (value: number | null, digits: number): string =>
    value === null ? "unknown" : value.toFixed(digits);
  return [
    `detected ${detected} of ${faults.length}, median ${per(medianSecondsToDetect, 0)} s`,
    `incidents for each detected fault ${per(incidentsPerFault, 2)}`,
    `true cause first ${rankedFirst} of ${faults.length}, among the first three ${rankedInThree}`,
    `false incidents ${score.falseIncidents.length} in ${score.quietHours.toFixed(2)} h without a fault: ${per(score.falsePerHour, 2)} an hour`,
  ].join("\n");
}
