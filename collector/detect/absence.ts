/**
 * Silence is a signal: a host that should report and does not. Driven by the journal's own ticks, never by a clock.
 *
 * What is told apart: the agent said goodbye (stopped on purpose: no anomaly); its connection closed and it did not come
 * back (the agent died: the host's kernel closed the socket); its connection timed out (host dead or unreachable). After the
 * collector itself was away everyone gets time to come back.
 */
import type { Anomaly } from "#shared/anomaly.ts";

export type ConnectionEnd = "bye" | "closed" | "timeout";

/** A host is silent after this many intervals, but not before `silentMsMin`. */
const silentIntervals = 2.5;
const silentMsMin = 15_000;
/** After a start of the collector, while agents are in their backoff. */
const startGraceMs = 60_000;

export interface HostPresence {
  intervalMs: number;
  /** On the journal's time line: when the last frame of this host was appended. */
  lastArrivalMs: number;
  /** The newest tick's own time. */
  lastDataMs: number;
  end: ConnectionEnd | null;
  silent: Anomaly | null;
}

export class Absence {
  #hosts = new Map<string, HostPresence>();
  #nowMs = 0;
  #graceUntilMs = 0;

  started(nowMs: number): void {
    this.#advance(nowMs);
    this.#graceUntilMs = this.#nowMs + startGraceMs;
  }

  /** A frame of `host` was appended; ends its silence. */
  heard(host: string, dataMs: number, intervalMs: number): Anomaly[] {
    const presence = this.#hosts.get(host) ?? {
      intervalMs,
      lastArrivalMs: 0,
      lastDataMs: 0,
      end: null,
      silent: null,
    };
    this.#hosts.set(host, presence);
    presence.intervalMs = intervalMs;
    presence.lastArrivalMs = this.#nowMs === 0 ? dataMs : this.#nowMs;
    presence.lastDataMs = Math.max(presence.lastDataMs, dataMs);
    presence.end = null;
    if (presence.silent === null) return [];
    const ended = { ...presence.silent, ended: true, lastMs: Math.max(this.#nowMs, presence.silent.lastMs) };
    presence.silent = null;
    return [ended];
  }

  /** A connection of `host` ended. */
  left(host: string, end: ConnectionEnd): void {
    const presence = this.#hosts.get(host);
    if (presence !== undefined) presence.end = end;
  }

  /** The journal's time is `nowMs`: who is silent now? Nobody asks about a host that is in maintenance then. */
  tick(nowMs: number, inMaintenance: (host: string, timeMs: number) => boolean): Anomaly[] {
    this.#advance(nowMs);
    if (this.#nowMs < this.#graceUntilMs) return [];
    const found: Anomaly[] = [];
    for (const [host, presence] of this.#hosts) {
      if (!isQuiet(presence, this.#nowMs)) continue;
      if (inMaintenance(host, this.#nowMs)) {
        if (presence.silent !== null) found.push({ ...presence.silent, ended: true, lastMs: this.#nowMs });
        presence.silent = null;
        continue;
      }
      if (presence.silent !== null || presence.end === "bye") continue;
      presence.silent = silence(host, presence, this.#nowMs);
      found.push(presence.silent);
    }
    return found;
  }

  state(host: string): "up" | "silent" | "stopped" {
    const presence = this.#hosts.get(host);
    if (presence?.end === "bye") return "stopped";
    return presence === undefined || presence.silent === null ? "up" : "silent";
  }

  get nowMs(): number {
    return this.#nowMs;
  }

  /** Nothing has come from it for so long that it would be silent. */
  isQuiet(host: string): boolean {
    const presence = this.#hosts.get(host);
    return presence !== undefined && isQuiet(presence, this.#nowMs);
  }

  open(): Anomaly[] {
    return [...this.#hosts.values()].flatMap(({ silent }) => (silent === null ? [] : [silent]));
  }

  /** Time on the journal's line only goes forward; a collector clock that was set back waits. */
  #advance(nowMs: number): void {
    this.#nowMs = Math.max(this.#nowMs, nowMs);
  }

  meta(): AbsenceMeta {
    return { nowMs: this.#nowMs, graceUntilMs: this.#graceUntilMs, hosts: [...this.#hosts] };
  }

  static restore(meta: AbsenceMeta): Absence {
    const absence = new Absence();
    absence.#nowMs = meta.nowMs;
    absence.#graceUntilMs = meta.graceUntilMs;
    absence.#hosts = new Map(meta.hosts.map(([host, presence]) => [host, { ...presence }]));
    return absence;
  }
}

export interface AbsenceMeta {
  readonly nowMs: number;
  readonly graceUntilMs: number;
  readonly hosts: readonly (readonly [string, HostPresence])[];
}

function isQuiet({ intervalMs, lastArrivalMs }: HostPresence, nowMs: number): boolean {
  return nowMs - lastArrivalMs > Math.max(silentMsMin, silentIntervals * intervalMs);
}

function silence(host: string, presence: HostPresence, nowMs: number): Anomaly {
  const died = presence.end === "closed";
  const startedMs = presence.lastDataMs;
  return {
    id: `${host}|silence|${startedMs}`,
    host,
    entity: died ? { kind: "agent", host, name: "" } : { kind: "host", host, name: "" },
    series: "",
    metric: "",
    kind: "state",
    resource: "agent",
    role: "symptom",
    unit: "s",
    detector: "absence",
    direction: "down",
    startedMs,
    lastMs: nowMs,
    ended: false,
    value: (nowMs - startedMs) / 1000,
    expectedLow: 0,
    expectedHigh: presence.intervalMs / 1000,
    score: 8,
    hostShare: null,
    provisional: false,
    completeness: 0,
    reasons: [{ key: died ? "reason.agent_died" : "reason.unreachable", effect: "raised", args: {} }],
  };
}
