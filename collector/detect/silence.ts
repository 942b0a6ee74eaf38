/** How a host's silence is told: what is known of its reason, and with whom it shares it. */
import type { Anomaly, Reason } from "#shared/anomaly.ts";
import type { Partition } from "./partitions.ts";

/** `left_behind`: the others that fell silent with it are back, so it is not the network. */
export type SilenceReason = "agent_died" | "unreachable" | "left_behind";

export interface Silence {
  readonly host: string;
  readonly intervalMs: number;
  /** The newest tick's own time: since then nothing is known. */
  readonly lastDataMs: number;
}

export function silence(of: Silence, nowMs: number, why: SilenceReason): Anomaly {
  const reason: Reason = { key: `reason.${why}`, effect: "raised", args: {} };
  const kind = why === "agent_died" ? "agent" : "host";
  return { ...silenceOf(of, nowMs, reason), entity: { kind, host: of.host, name: "" } };
}

/** The silence of one of several hosts that were cut off at once. */
export function cutOffSilence(of: Silence, nowMs: number, { id, network, all }: Partition): Anomaly {
  const key = network !== null ? "partition_network" : all ? "partition_all" : "partition";
  const args: Reason["args"] = network === null ? {} : { network: `${network}/24` };
  const entity = { kind: "network", host: network ?? "collector", name: "" } as const;
  return {
    ...silenceOf(of, nowMs, { key: `reason.${key}`, effect: "raised", args }),
    group: { id, entity },
  };
}

export function ended(told: Anomaly, nowMs: number): Anomaly {
  return { ...told, ended: true, lastMs: Math.max(nowMs, told.lastMs) };
}

/** The end of a silence that lasted so long that its host counts as taken out of service. */
export function endedAsGone(told: Anomaly, nowMs: number): Anomaly {
  const silentMs = nowMs - told.startedMs;
  const gone: Reason = { key: "reason.gone", effect: "lowered", args: { silent: silentMs } };
  return { ...ended(told, nowMs), value: silentMs / 1000, reasons: [...told.reasons, gone] };
}

function silenceOf({ host, intervalMs, lastDataMs }: Silence, nowMs: number, reason: Reason): Anomaly {
  return {
    id: `${host}|${reason.key === "reason.left_behind" ? "left-behind" : "silence"}|${lastDataMs}`,
    host,
    entity: { kind: "host", host, name: "" },
    series: "",
    metric: "",
    kind: "state",
    resource: "agent",
    role: "symptom",
    unit: "s",
    detector: "absence",
    direction: "down",
    startedMs: lastDataMs,
    lastMs: nowMs,
    ended: false,
    value: (nowMs - lastDataMs) / 1000,
    expectedLow: 0,
    expectedHigh: intervalMs / 1000,
    score: 8,
    hostShare: null,
    provisional: false,
    completeness: 0,
    reasons: [reason],
  };
}
