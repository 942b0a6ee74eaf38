/**
 * `npm run eval -- quiet --data DIR [--verbose] [--json FILE]`: how often the product would have called somebody, on a recording of
 * one's own.
 *
 * DIR is a folder as `npm start` leaves it; its journal is copied, so the collector may go on running, and judged again from its
 * first record to its last with nothing learned before. Counted as above "info": an anomaly that is a symptom, and that an incident
 * shows whose severity reached warning or more. Evidence never counts: it opens nothing.
 */
import { writeFileSync } from "node:fs";
import { severities } from "#shared/contract/incident.ts";
import { formatDuration } from "#shared/duration.ts";
import { renderAnomaly } from "#shared/text/anomaly-text.ts";
import { renderText } from "#shared/text/text.ts";
import { UsageError } from "./detection.ts";
import { journalIn, withCopy } from "./recording/copy.ts";
import { recordingOptions } from "./recording/options.ts";
import { replay, type Replayed, type ToldAnomaly } from "./recording/replay.ts";
import { type Figures, plain, shown, type Table } from "./report.ts";

const noisiestShown = 10;

export async function evalQuiet(
  args: readonly string[],
  print: (line: string) => void,
  dataFolder?: string,
): Promise<void> {
  const { folder, json, verbose } = recordingOptions(args, dataFolder);
  const replayed = await withCopy(journalIn(folder), (copy) => replay(copy));
  if (replayed.minutes === 0) throw new UsageError(`${folder}: its journal has no samples yet`);
  for (const line of reportOf(replayed)) print(line);
  if (verbose) for (const line of sentencesOf(replayed)) print(line);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(quietFigures(replayed), null, 2)}\n`);
}

export function quietFigures({ minutes, anomalies, incidents }: Replayed): Figures {
  const hours = minutes / 60;
  const above = anomalies.filter(isAboveInfo).length;
  return {
    "quiet.hours": hours,
    "quiet.anomalies_per_hour": anomalies.length / hours,
    "quiet.above_info_per_hour": above / hours,
    "quiet.incidents": incidents.length,
    "quiet.incidents_above_info": incidents.filter(({ severity }) => severity !== "info").length,
  };
}

function isAboveInfo({ first, severity }: ToldAnomaly): boolean {
  return first.role === "symptom" && severity !== null && severity !== "info";
}

function reportOf(replayed: Replayed): string[] {
  const { samples, hosts, series, skippedFrames, anomalies } = replayed;
  const figures = quietFigures(replayed);
  const skipped = skippedFrames === 0 ? "" : `; ${skippedFrames} frames could not be read and are left out`;
  const head = `${shown(figures["quiet.hours"])} hours with data, ${samples} samples of ${series} series, ${hosts === 1 ? "one host" : `${hosts} hosts`}${skipped}`;
  return [
    head,
    ...plain({
      title: "",
      head: ["figure", "value"],
      rows: Object.entries(figures).map(([key, value]) => [key, shown(value)]),
    }),
    ...plain(byDetector(anomalies)),
    ...plain(bySeverity(replayed)),
    ...plain(noisiest(anomalies)),
  ];
}

function byDetector(anomalies: readonly ToldAnomaly[]): Table {
  const groups = Map.groupBy(anomalies, ({ first }) => `${first.detector} ${first.role}`);
  const rows = [...groups]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, told]) => {
      const [detector = "", role = ""] = name.split(" ");
      return [detector, role, `${told.length}`, `${told.filter(isAboveInfo).length}`];
    });
  return { title: "", head: ["detector", "role", "anomalies", "above info"], rows };
}

function bySeverity({ incidents }: Replayed): Table {
  const rows = severities
    .toReversed()
    .map((severity) => [severity, `${incidents.filter((one) => one.severity === severity).length}`]);
  return { title: "", head: ["worst severity", "incidents"], rows };
}

function noisiest(anomalies: readonly ToldAnomaly[]): Table {
  const groups = Map.groupBy(anomalies, ({ first }) => nameOf(first));
  const rows = [...groups]
    .sort(([a, left], [b, right]) => right.length - left.length || (a < b ? -1 : 1))
    .slice(0, noisiestShown)
    .map(([name, told]) => [name, `${told.length}`, `${told.filter(isAboveInfo).length}`]);
  return { title: "", head: ["noisiest series", "anomalies", "above info"], rows };
}

function nameOf({ host, series }: ToldAnomaly["first"]): string {
  return `${host} ${series === "" ? "(silence)" : series}`;
}

function sentencesOf({ anomalies, incidents }: Replayed): string[] {
  const lines = anomalies.map((told) => {
    const { first, last } = told;
    const lasted = last.ended ? formatDuration(last.lastMs - last.startedMs) : "until the end";
    const weight = isAboveInfo(told) ? told.severity! : first.role === "symptom" ? "info" : first.role;
    return {
      atMs: first.startedMs,
      line: `${timeOf(first.startedMs)}  ${weight.padEnd(8)}  ${renderAnomaly(first, "en")} It lasted ${lasted}.`,
    };
  });
  lines.push(
    ...incidents.map(({ incident, severity }) => ({
      atMs: incident.detectedMs,
      line: `${timeOf(incident.detectedMs)}  ${severity.padEnd(8)}  ${incident.id}: ${renderText(incident.title, "en")}`,
    })),
  );
  return ["", ...lines.sort((a, b) => a.atMs - b.atMs).map(({ line }) => line)];
}

function timeOf(timeMs: number): string {
  return new Date(timeMs).toISOString().slice(0, 19).replace("T", " ");
}
