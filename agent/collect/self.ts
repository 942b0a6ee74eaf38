/**
 * The agent's own cost and state, as series like all others: what it uses, what it sent, what it could not do.
 *
 * Memory comes from /proc/self/statm: `anonymous` is resident less shared, what the agent adds to the machine; most
 * of a Node process' resident memory is its program text, which all Node processes share. Cost: one small read.
 */
import type { AgentCost } from "./budget.ts";
import { type CollectStats, type ProbeFailure, type ProbeStats } from "./collect-stats.ts";
import { counter, gauge, type Column } from "./column.ts";
import type { Kernel } from "./kernel.ts";
import type { Probe, ProbeReport, Tick } from "./probe.ts";
import { ProcFile, type ProcReader } from "./proc-file.ts";
import type { Recorder } from "./recorder.ts";

/** What other parts of the agent tell about themselves. Totals since the start, but for the spool's, which are now. */
export interface AgentStats {
  readonly bytesSent: number;
  readonly framesSent: number;
  readonly spoolBytes: number;
  readonly spoolFrames: number;
}

export interface SelfParts {
  readonly reader: ProcReader;
  readonly procRoot: string;
  readonly kernel: Kernel;
  readonly collect: CollectStats;
  readonly agent: () => AgentStats;
  /** User and system CPU seconds of this process since its start. */
  readonly cpuSeconds: () => number;
}

export interface SelfProbe extends Probe {
  /** For the budget: CPU now, memory as of the last reading. */
  cost(): AgentCost;
}

/** The real source of `SelfParts.cpuSeconds`. */
export function processCpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}

export function createSelf(parts: SelfParts): SelfProbe {
  return new Self(parts);
}

const failureReasons: readonly ProbeFailure[] = ["failed", "late", "busy"];

interface ProbeColumns {
  readonly duration: Column;
  readonly failures: readonly Column[];
  readonly shed: Column;
}

class Self implements SelfProbe {
  readonly name = "self";
  readonly shedRank = 0;
  readonly #parts: SelfParts;
  readonly #statm: ProcFile;
  #rssBytes = 0;
  #cpuSeconds = Number.NaN;

  readonly #cpu = gauge("causeway.agent.cpu.utilization", "1", 4);
  readonly #rss = gauge("causeway.agent.memory.rss", "By", 0);
  readonly #anonymous = gauge("causeway.agent.memory.anonymous", "By", 0);
  readonly #bytesSent = counter("causeway.agent.sent", "By", 0);
  readonly #framesSent = counter("causeway.agent.frames.sent", "{frame}", 0);
  readonly #spoolBytes = gauge("causeway.agent.spool.bytes", "By", 0);
  readonly #spoolFrames = gauge("causeway.agent.spool.frames", "{frame}", 0);
  readonly #ticksMissed = counter("causeway.agent.ticks.missed", "{tick}", 0);
  readonly #series = gauge("causeway.agent.series", "{series}", 0);
  readonly #refused = counter("causeway.agent.series.refused", "{series}", 0);
  readonly #probes = new Map<string, ProbeColumns>();

  #recorder: Recorder | undefined;
  /** Made once: a closure for each tick would be the largest garbage of all. */
  readonly #tellProbe = (stats: ProbeStats, name: string): void => {
    let columns = this.#probes.get(name);
    if (columns === undefined) {
      columns = probeColumns(name);
      this.#probes.set(name, columns);
    }
    const recorder = this.#recorder;
    if (recorder === undefined) return;
    columns.duration.set(recorder, stats.durationSeconds);
    columns.shed.set(recorder, stats.shed ? 1 : 0);
    // Told from the first failure on: a probe that never failed needs no series for it.
    for (let index = 0; index < failureReasons.length; index += 1) {
      const failures = stats.failures[failureReasons[index]!];
      if (failures > 0) columns.failures[index]!.set(recorder, failures);
    }
  };

  constructor(parts: SelfParts) {
    this.#parts = parts;
    this.#statm = new ProcFile(parts.reader, `${parts.procRoot}/self/statm`, { whole: false });
  }

  cost(): AgentCost {
    return { cpuSeconds: this.#parts.cpuSeconds(), rssBytes: this.#rssBytes };
  }

  read({ elapsedMs }: Tick, recorder: Recorder): ProbeReport | undefined {
    this.#readCpu(elapsedMs, recorder);
    const agent = this.#parts.agent();
    this.#bytesSent.set(recorder, agent.bytesSent);
    this.#framesSent.set(recorder, agent.framesSent);
    this.#spoolBytes.set(recorder, agent.spoolBytes);
    this.#spoolFrames.set(recorder, agent.spoolFrames);
    this.#ticksMissed.set(recorder, this.#parts.collect.ticksMissed);
    this.#series.set(recorder, recorder.series);
    this.#refused.set(recorder, recorder.refused);
    this.#recorder = recorder;
    this.#parts.collect.probes.forEach(this.#tellProbe);
    this.#readMemory(recorder);
    return undefined;
  }

  close(): void {
    this.#statm.close();
  }

  #readCpu(elapsedMs: number, recorder: Recorder): void {
    const cpuSeconds = this.#parts.cpuSeconds();
    if (elapsedMs > 0) this.#cpu.set(recorder, ((cpuSeconds - this.#cpuSeconds) * 1000) / elapsedMs);
    this.#cpuSeconds = cpuSeconds;
  }

  #readMemory(recorder: Recorder): void {
    const { pageBytes } = this.#parts.kernel;
    const cursor = this.#statm.read();
    cursor.number();
    const residentPages = cursor.number();
    const sharedPages = cursor.number();
    this.#rssBytes = residentPages * pageBytes;
    this.#rss.set(recorder, this.#rssBytes);
    this.#anonymous.set(recorder, (residentPages - sharedPages) * pageBytes);
  }
}

function probeColumns(name: string): ProbeColumns {
  const probe = ["causeway.probe", name] as const;
  return {
    duration: gauge("causeway.agent.probe.duration", "s", 5, [probe]),
    failures: failureReasons.map((reason) =>
      counter("causeway.agent.probe.failures", "{failure}", 0, [probe, ["reason", reason]]),
    ),
    shed: gauge("causeway.agent.probe.shed", "1", 0, [probe]),
  };
}
