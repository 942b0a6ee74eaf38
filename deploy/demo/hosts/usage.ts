/**
 * What a simulated host uses of the CPU and memory that it is said to have, told over OTLP as a hypervisor tells it of its machines.
 *
 * Agents that share one machine tell nothing of the machine, so without this no simulated host would have a CPU to be busy or a memory to
 * be full. The sums are over the host's first process and all below it. Written as OTLP's JSON by hand: the SDK would cost each of
 * six small processes 27 MB. Cost: a look at each process of the machine, some milliseconds every interval.
 */
import { readdirSync, readFileSync } from "node:fs";

/** What each host is said to have: as small as its services allow, so that a fault in one of them is felt. */
export const hostCores = 1;
export const hostMemoryBytes = 768 * 1024 * 1024;

export interface Usage {
  /** Since the host's beginning; what has ended counts. */
  readonly cpuSeconds: number;
  readonly memoryBytes: number;
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly memoryBytes: number;
}

/** USER_HZ, which Linux keeps at 100 for programs whatever the kernel ticks. */
const ticksPerSecond = 100;

/** Of `pid` and everything below it. */
export function usageBelow(pid: number, procRoot = "/proc"): Usage {
  const all = readdirSync(procRoot).flatMap((name) =>
    /^\d+$/.test(name) ? readProcess(procRoot, Number(name)) : [],
  );
  const members = new Set([pid]);
  for (let before = 0; before < members.size;) {
    before = members.size;
    for (const { pid: one, parent } of all) if (members.has(parent)) members.add(one);
  }
  let cpuSeconds = 0;
  let memoryBytes = 0;
  for (const process of all) {
    if (!members.has(process.pid)) continue;
    memoryBytes += process.memoryBytes;
    cpuSeconds += cpuOf(procRoot, process.pid, process.pid === pid);
  }
  return { cpuSeconds, memoryBytes };
}

/** Empty when it has ended meanwhile. */
function readProcess(procRoot: string, pid: number): Process[] {
  try {
    const status = readFileSync(`${procRoot}/${pid}/status`, "utf8");
    const field = (name: string): number =>
      Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(status)?.[1] ?? 0);
    return [{ pid, parent: field("PPid"), memoryBytes: field("VmRSS") * 1024 }];
  } catch {
    return [];
  }
}

/** Of the first process with what its ended children used: a sum that falls when one of them ends would be no counter. */
function cpuOf(procRoot: string, pid: number, withEnded: boolean): number {
  try {
    const stat = readFileSync(`${procRoot}/${pid}/stat`, "utf8");
    // The name in parentheses may hold anything; utime, stime, cutime, cstime are the 14th to 17th field, the 12th to 15th after it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    const ticks = fields.slice(11, withEnded ? 15 : 13).reduce((sum, text) => sum + Number(text), 0);
    return ticks / ticksPerSecond;
  } catch {
    return 0;
  }
}

export interface UsageReport {
  readonly host: string;
  readonly atMs: number;
  /** Share of `hostCores` since the last report; null at the first. */
  readonly cpuShare: number | null;
  readonly memoryBytes: number;
}

/** Turns sums into shares of an interval. */
export class UsageMeter {
  #last: { readonly atMs: number; readonly cpuSeconds: number } | null = null;

  report(host: string, { cpuSeconds, memoryBytes }: Usage, atMs: number): UsageReport {
    const last = this.#last;
    this.#last = { atMs, cpuSeconds };
    const share =
      last === null || atMs <= last.atMs
        ? null
        : ((cpuSeconds - last.cpuSeconds) * 1000) / (atMs - last.atMs) / hostCores;
    return { host, atMs, memoryBytes, cpuShare: share === null ? null : Math.min(1, Math.max(0, share)) };
  }
}

/** An ExportMetricsServiceRequest in OTLP's JSON (proto3's mapping: 64-bit numbers are strings). */
export function otlpOf({ host, atMs, cpuShare, memoryBytes }: UsageReport): unknown {
  const gauge = (name: string, unit: string, value: number) => ({
    name,
    unit,
    gauge: { dataPoints: [{ timeUnixNano: `${atMs}000000`, asDouble: value }] },
  });
  const attributes = [
    ["host.name", host],
    ["service.name", "hypervisor"],
  ].map(([key, value]) => ({ key, value: { stringValue: value } }));
  return {
    resourceMetrics: [
      {
        resource: { attributes },
        scopeMetrics: [
          {
            scope: { name: "causeway-demo-bank" },
            metrics: [
              ...(cpuShare === null ? [] : [gauge("system.cpu.utilization", "1", cpuShare)]),
              gauge("system.memory.utilization", "1", Math.min(1, memoryBytes / hostMemoryBytes)),
              gauge("system.memory.limit", "By", hostMemoryBytes),
            ],
          },
        ],
      },
    ],
  };
}
