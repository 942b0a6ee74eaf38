/**
 * `npm run eval -- exam --data DIR [--verbose] [--json FILE]`: an exam of the demonstration bank (`npm run demo -- exam`), judged again by
 * the product as it is now.
 *
 * DIR is the bank's folder: `exam.json` says what was done to the bank and when, the collector's journal what was measured. So that a
 * change to detection, grouping or ranking is seen in a minute instead of two hours, on the very same faults.
 */
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Cause, Incident } from "#shared/contract/incident.ts";
import { inWords } from "#shared/text/metric-words.ts";
import { renderText } from "#shared/text/text.ts";
import { type ExamRecord, examRecordFile, lineOf, summaryOf } from "../../deploy/demo/exam/exam.ts";
import {
  type ExamScore,
  type FaultRun,
  scoreExam,
  scoreFault,
  type Told,
} from "../../deploy/demo/exam/score.ts";
import { DataError } from "./data/read.ts";
import { journalIn, withCopy } from "./recording/copy.ts";
import { judgeAgain } from "./recording/judge-again.ts";
import { recordingOptions } from "./recording/options.ts";
import type { Figures } from "./report.ts";

const symptomsShown = 6;
const evidenceShown = 4;

export async function evalExam(
  args: readonly string[],
  print: (line: string) => void,
  dataFolder?: string,
): Promise<void> {
  const { folder, json, verbose } = recordingOptions(args, dataFolder);
  const record = recordIn(folder);
  const told = await withCopy(journalIn(folder), toldAgain);
  for (const run of record.runs) {
    print(lineOf(scoreFault(run, told, record.settleMs)));
    if (verbose) for (const line of incidentsDuring(run, told, record)) print(line);
  }
  const score = scoreExam(record.runs, told, record);
  print(`\n${summaryOf(score)}`);
  if (verbose) for (const line of falseOnes(score, told)) print(line);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(examFigures(score), null, 2)}\n`);
}

export function examFigures(score: ExamScore): Figures {
  const { faults, detected, incidentsPerFault, rankedFirst, rankedInThree, falsePerHour } = score;
  const share = (count: number): number => count / faults.length;
  return {
    "exam.detected": share(detected),
    "exam.incidents_per_fault": incidentsPerFault ?? 0,
    "exam.first": share(rankedFirst),
    "exam.in_three": share(rankedInThree),
    "exam.false_per_hour": falsePerHour ?? 0,
    "exam.median_s": score.medianSecondsToDetect ?? 0,
  };
}

function recordIn(folder: string): ExamRecord {
  const path = join(folder, examRecordFile);
  if (!existsSync(path)) throw new DataError(`${path}: not there; npm run demo -- exam writes it`);
  return JSON.parse(readFileSync(path, "utf8")) as ExamRecord;
}

/** Each state of each incident, with the journal's time at which it was told. */
async function toldAgain(path: string): Promise<Told[]> {
  const told: Told[] = [];
  await judgeAgain(path, ({ chain }) => {
    const apply = chain.apply.bind(chain);
    chain.apply = (event) => {
      const result = apply(event);
      for (const incident of result.incidents) told.push({ atMs: chain.nowMs(), incident });
      return result;
    };
    return () => {};
  });
  return told;
}

function incidentsDuring(run: FaultRun, told: readonly Told[], { settleMs }: ExamRecord): string[] {
  const untilMs = run.endedMs + settleMs;
  const last = new Map<string, Told>();
  for (const one of told) if (one.atMs <= untilMs) last.set(one.incident.id, one);
  return [...last.values()]
    .filter(({ incident }) => incident.updatedMs >= run.startedMs)
    .flatMap(({ incident }) => linesOf(incident, run.startedMs));
}

/** Times are counted from the fault's start. */
function linesOf(incident: Incident, fromMs: number): string[] {
  const { id, severity, state, title, reopened, startedMs, detectedMs, causes, symptoms } = incident;
  const at = (ms: number): string => `${((ms - fromMs) / 1000).toFixed(0)} s`;
  const again = reopened === 0 ? "" : `, reopened ${reopened} times`;
  return [
    `  ${id} ${severity} ${state}${again}, began ${at(startedMs)}, told ${at(detectedMs)}: ${renderText(inWords(title, "en"), "en")}`,
    ...causes.flatMap((cause) => causeLines(cause, at)),
    ...symptoms
      .slice(0, symptomsShown)
      .map((one) => `    felt ${at(one.startedMs)}: ${one.host} ${one.series} ${one.value}`),
  ];
}

function causeLines({ entity, confidence, evidence }: Cause, at: (ms: number) => string): string[] {
  return [
    `    cause ${confidence.toFixed(2)} ${entity}`,
    ...evidence
      .slice(0, evidenceShown)
      .map((one) => `      ${at(one.startedMs)}: ${one.host} ${one.series} ${one.value}, score ${one.score}`),
  ];
}

function falseOnes({ falseIncidents }: ExamScore, told: readonly Told[]): string[] {
  return falseIncidents.flatMap((id) => {
    const last = told.findLast(({ incident }) => incident.id === id)!.incident;
    return ["", `false: ${new Date(last.detectedMs).toISOString()}`, ...linesOf(last, last.detectedMs)];
  });
}
