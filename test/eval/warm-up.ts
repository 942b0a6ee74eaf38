/**
 * `npm run eval -- warm-up --data DIR [--json FILE] [--verbose]`: how loud and how quick the first ten minutes of a new collector are.
 *
 * DIR is a folder as `npm start` leaves it. Its recording is begun anew every five minutes, each time by a detector that knows
 * nothing: once as it was, and once with each fault put into it. Series of services, which a recording of hosts lacks, are simulated.
 */
import { writeFileSync } from "node:fs";
import type { Anomaly } from "#shared/anomaly.ts";
import { UsageError } from "./detection.ts";
import { simulatedServices } from "./priors/services.ts";
import { quantile } from "./priors/spread.ts";
import { journalIn, withCopy } from "./recording/copy.ts";
import { recordingOptions } from "./recording/options.ts";
import { replay } from "./recording/replay.ts";
import { type Figures, plain, shown } from "./report.ts";
import { type Fault, Recording } from "./warm-up/starts.ts";

const minuteMs = 60_000;
const startsEveryMs = 5 * minuteMs;
const watchedMs = 10 * minuteMs;
/** On how many hosts each fault is tried at each start. */
const hostsTried = 4;

const hostFaults: readonly Fault[] = [
  {
    name: "cpu_step",
    metric: "system.cpu.utilization",
    fromMs: 2 * minuteMs,
    change: (value) => Math.min(0.95, value + 0.7),
  },
  { name: "memory_97", metric: "system.memory.utilization", fromMs: 0, change: () => 0.97 },
];
export const serviceFaults: readonly Fault[] = [
  hostFaults[0]!,
  {
    name: "success_50",
    metric: "gateway_success_ratio",
    fromMs: minuteMs,
    change: (value) => value * 0.5,
  },
  {
    name: "success_40_at_once",
    metric: "gateway_success_ratio",
    fromMs: 0,
    change: (value) => value * 0.4,
  },
  {
    name: "latency_5x",
    metric: "payments_latency_seconds",
    fromMs: 2 * minuteMs,
    change: (value) => value * 5,
  },
];

export async function evalWarmUp(
  args: readonly string[],
  print: (line: string) => void,
  dataFolder?: string,
): Promise<void> {
  const { folder, json, verbose } = recordingOptions(args, dataFolder);
  const hosts = new Recording();
  await withCopy(journalIn(folder), (copy) => replay(copy, (event) => hosts.hear(event)));
  if (hosts.lastMs === 0) throw new UsageError(`${folder}: its journal has no samples yet`);
  const services = new Recording();
  for (const event of simulatedServices()) services.hear(event);
  const say = verbose ? print : () => {};
  const figures: Figures = {
    ...warmUpFigures("hosts", hosts, hostFaults, say),
    ...warmUpFigures("services", services, serviceFaults, say),
  };
  const rows = Object.entries(figures).map(([key, value]) => [key, shown(value)]);
  for (const line of plain({ title: "", head: ["figure", "value"], rows })) print(line);
  if (json !== undefined) writeFileSync(json, `${JSON.stringify(figures, null, 2)}\n`);
}

export function warmUpFigures(
  name: string,
  recording: Recording,
  faults: readonly Fault[],
  verbose: (line: string) => void = () => {},
): Figures {
  const starts: number[] = [];
  for (let at = recording.firstMs; at + watchedMs <= recording.lastMs; at += startsEveryMs) starts.push(at);
  const calm = starts.map((at) => recording.judgedFrom(at, at + watchedMs));
  const all = calm.flat().map(({ anomaly }) => anomaly);
  for (const { startedMs, lastMs, role, provisional, metric, entity, value, expectedHigh } of all) {
    verbose(
      `${new Date(startedMs).toISOString()} ${lastMs - startedMs} ${role} ${provisional} ${metric} ${entity.name} ${value} ${expectedHigh}`,
    );
  }
  const count = (wanted: (anomaly: Anomaly) => boolean): number => all.filter(wanted).length;
  const figures: Figures = {
    [`${name}.starts`]: starts.length,
    [`${name}.symptoms`]: count(({ role }) => role === "symptom"),
    [`${name}.symptoms_provisional`]: count(({ role, provisional }) => role === "symptom" && provisional),
    [`${name}.evidence`]: count(({ role }) => role === "evidence"),
    [`${name}.evidence_provisional`]: count(({ role, provisional }) => role === "evidence" && provisional),
  };
  for (const fault of faults) {
    const hosts = recording.hostsWith(fault);
    const tried = Math.min(hosts.length, hostsTried);
    const found = starts.flatMap((at, index) => {
      const known = new Set(calm[index]!.map(({ anomaly }) => anomaly.id));
      const delays: number[] = [];
      for (let turn = 0; turn < tried; turn += 1) {
        // One at a time: what many hosts show together is another trouble.
        const hit = hosts[(index * tried + turn) % hosts.length]!;
        const told = recording
          .judgedFrom(at, at + watchedMs, fault, hit)
          .find(
            ({ anomaly: { id, metric, role } }) =>
              metric === fault.metric && role === "symptom" && !known.has(id),
          );
        if (told !== undefined) delays.push((told.toldMs - at - fault.fromMs) / 1000);
      }
      return delays;
    });
    figures[`${name}.${fault.name}_found`] = found.length / (starts.length * tried);
    if (found.length > 0) figures[`${name}.${fault.name}_delay_s`] = quantile(found, 0.5);
  }
  return figures;
}
