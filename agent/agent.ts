/**
 * The whole agent on one screen: probes write a tick into the recorder's columns, the framer makes a frame of it, the spool
 * stores it, and send delivers it. Each step knows only the next one.
 *
 * What is missing is accounted for here: ticks that did not happen, ticks that a full disk kept out of the spool, and the
 * time between the last tick of an earlier run and the first one of this.
 */
import type { Clock } from "#shared/clock.ts";
import { limits, type Limits } from "#shared/limits.ts";
import type { Log } from "#shared/log.ts";
import type { Labels } from "#shared/series.ts";
import type { LossReason } from "#shared/wire/wire.ts";
import type { AgentCost, BudgetLimits } from "./collect/budget.ts";
import { createCollectStats, type CollectStats } from "./collect/collect-stats.ts";
import { createCollect } from "./collect/collect.ts";
import type { Probe } from "./collect/probe.ts";
import { Recorder } from "./collect/recorder.ts";
import type { AgentStats } from "./collect/self.ts";
import { Framer, present } from "./send/framer.ts";
import { takeIdentity } from "./send/identity.ts";
import { Send, type Connect } from "./send/send.ts";
import { Spool } from "./send/spool.ts";

/** Memory for frames that a full disk does not take: hours of a usual host, and small beside the agent's budget. */
const heldBytesMax = 2 * 1024 * 1024;
/** How long a stop waits for what is spooled to be acknowledged. */
const flushMs = 2_000;

export interface AgentParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly dataDir: string;
  readonly intervalMs: number;
  readonly host: string;
  readonly version: string;
  /** What the agent is: host.name, os.type and so on; sent with every key frame. */
  readonly resource: Labels;
  readonly budget: BudgetLimits;
  readonly spoolLimits?: Partial<Pick<Limits, SpoolLimit> & { readonly heldBytesMax: number }>;
  /** Null: nothing is sent, the spool fills. */
  readonly connect: Connect | null;
  readonly probes: (given: { collect: CollectStats; agent: () => AgentStats }) => ProbeSet;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly newUuid: () => string;
  /** Sees every tick before it is encoded. */
  readonly onTick?: (timeMs: number, recorder: Recorder) => void;
}
type SpoolLimit = "spoolBytesMax" | "spoolAgeMsMax" | "segmentFramesMax" | "segmentBytesMax";

export interface ProbeSet {
  readonly probes: readonly Probe[];
  readonly cost: () => AgentCost;
}

export interface Agent {
  readonly agentId: string;
  readonly epoch: number;
  start(): void;
  /** Stops sampling, waits a moment for the collector, closes everything. */
  stop(): Promise<void>;
  stats(): AgentStats & { readonly connected: boolean; readonly lastTickMs: number };
}

/** Throws `StorageError` when the data directory cannot be used, or another agent uses it. */
export function createAgent(parts: AgentParts): Agent {
  const { clock, log, dataDir, intervalMs, host, version, resource, budget, random, newUuid } = parts;
  const bounds: Limits & { heldBytesMax: number } = { ...limits, heldBytesMax, ...parts.spoolLimits };
  const spool = new Spool({ path: `${dataDir}/spool.db`, clock, log, limits: bounds });
  const spooled = spool.lastTick === null ? null : { agentId: spool.stream, epoch: spool.lastTick.epoch };
  const { agentId, epoch } = takeIdentity({ dataDir, clock, log, newUuid, spooled });
  spool.claim(agentId);

  const recorder = new Recorder();
  const framer = new Framer({ agentId, epoch, resource, intervalMs, recorder, limits: bounds });
  const send =
    parts.connect === null
      ? null
      : new Send({ ...bounds, clock, log, spool, connect: parts.connect, agentId, host, version, random });

  const collectStats = createCollectStats();
  const stats = () => ({
    bytesSent: send?.bytesSent ?? 0,
    framesSent: send?.framesSent ?? 0,
    spoolBytes: spool.sizeBytes,
    spoolFrames: spool.frameCount,
  });
  const { probes, cost } = parts.probes({ collect: collectStats, agent: stats });
  const collect = createCollect({
    clock,
    log,
    recorder,
    probes,
    cost,
    onTick,
    config: { intervalMs, budget },
    stats: collectStats,
  });

  let lastMs = spool.lastTick?.timeMs ?? 0;
  let lastSeries = spool.lastTick?.series ?? 0;
  let gapReason: LossReason = "agent_restart";
  let gapIntervalMs = spool.lastTick?.intervalMs ?? intervalMs;

  function onTick(timeMs: number): void {
    parts.onTick?.(timeMs, recorder);
    accountForGap(timeMs);
    lastSeries = present(recorder.values, recorder.columns);
    if (spool.ready()) spoolTick(timeMs);
    else leaveOut(timeMs, "disk_full");
    recorder.endTick();
  }

  function accountForGap(timeMs: number): void {
    // Half an interval of slack: intervals may have changed over a restart.
    const missing = gapIntervalMs > 0 ? Math.round((timeMs - lastMs) / gapIntervalMs) - 1 : 0;
    if (lastMs > 0 && missing > 0) {
      const samples = missing * lastSeries;
      const [fromMs, toMs] = [lastMs + 1, timeMs - 1];
      spool.addLoss({ reason: gapReason, fromMs, toMs, series: lastSeries, samples });
    }
    lastMs = timeMs;
    gapReason = "tick_missed";
    gapIntervalMs = intervalMs;
  }

  function spoolTick(timeMs: number): void {
    if (spool.keyWanted) framer.wantKey();
    const before = spool.lastPosition;
    const frame = framer.frame(timeMs, spool.takeLosses());
    if (frame.bytes.length > limits.frameBytesMax) refuseLarge(frame.bytes.length);
    else send?.spooled(spool.append(frame), before);
  }

  /** No collector would take it. */
  function refuseLarge(sizeBytes: number): void {
    log.error("frame is too large and was dropped", { sizeBytes, limit: limits.frameBytesMax });
    spool.giveBackLosses();
    leaveOut(lastMs, "shed");
  }

  function leaveOut(timeMs: number, reason: LossReason): void {
    framer.wantKey();
    const lost = { fromMs: timeMs, toMs: timeMs, series: lastSeries, samples: lastSeries };
    spool.addLoss({ reason, ...lost });
  }

  return {
    agentId,
    epoch,
    start() {
      const stoppedMs = spool.takeStopped();
      const lastRun = spool.lastTick === null ? "none" : stoppedMs === null ? "ended suddenly" : "stopped";
      log.info("agent started", {
        agent: agentId,
        epoch,
        host,
        version,
        lastRun,
        spooledFrames: spool.frameCount,
      });
      collect.start();
      send?.start();
    },
    async stop() {
      collect.stop();
      await send?.stop(flushMs);
      spool.noteStopped(clock.nowMs());
      log.info("agent stopped", { agent: agentId, epoch, spooledFrames: spool.frameCount });
      spool.close();
    },
    stats: () => ({ ...stats(), connected: send?.connected ?? false, lastTickMs: lastMs }),
  };
}
