/**
 * How long the way to each peer takes, and how much has to be sent again: round-trip time and retransmits by edge.
 *
 * A network that is slow or loses packets shows on the edges that use it, minutes before it shows in what services measure.
 * The kernel measures both for every connection anyway; `ss` lists them (`socket-statistics.ts`), at most every 30 s. An
 * edge's round-trip time is the median over its connections that heard an acknowledgement since the last look: an idle one
 * only remembers, and one whose peer waits before it acknowledges (up to 40 ms) is not the network's fault. Its retransmits are summed connection by connection, so that the counter never falls when one closes. At
 * most `limits.edgeTimingsPerHostMax` edges, those that go out and those with most connections first. Without `ss`, or when it
 * fails three times in a row, this is told once and done without. Only the agent's own network namespace is seen.
 */
import type { Clock } from "#shared/clock.ts";
import { limits } from "#shared/limits.ts";
import { counter, gauge, type Column } from "./column.ts";
import type { ConnectionsProbe } from "./connections.ts";
import type { Edge } from "./edges.ts";
import type { Commit, Probe, ProbeReport, Tick } from "./probe.ts";
import type { Recorder } from "./recorder.ts";
import type { RunSs, SsEnd } from "./socket-statistics.ts";
import { SocketTable, type Timing } from "./socket-table.ts";
import { Sticky, Top } from "./top.ts";

const periodMs = 30_000;
const failuresMax = 3;
/** Looks for which an edge stays told after it was last among the chosen: five minutes. */
const looksOutside = 10;
/** Connections that sent something again and are still open. */
const resentMax = 10_000;
/** More than any number of connections: what a service uses is told before who uses it. */
const outFirst = 1e9;
const what = "round-trip times and retransmits of connections";

export interface EdgeTimingsParts {
  readonly clock: Clock;
  readonly connections: ConnectionsProbe;
  /** Undefined where there is no `ss`. */
  readonly run: RunSs | undefined;
  /** Later `ss` is killed and the look is given up. */
  readonly patienceMs: number;
}

export function createEdgeTimings(parts: EdgeTimingsParts): Probe {
  return new EdgeTimings(parts);
}

/** What one look saw of an edge. */
interface Seen {
  connections: number;
  readonly rttSeconds: number[];
  retransmits: number;
}

interface Told {
  readonly rtt: Column;
  readonly retransmits: Column;
  /** Since it was first told. */
  total: number;
}

interface Resent {
  total: number;
  look: number;
}

class EdgeTimings implements Probe {
  readonly name = "edge-timings";
  readonly shedRank = 70;
  readonly periodMs = periodMs;
  readonly #parts: EdgeTimingsParts;
  readonly #chosen = new Top<Edge>(limits.edgeTimingsPerHostMax);
  readonly #told = new Sticky<Edge, Told>({
    passesOutside: looksOutside,
    membersMax: limits.edgeTimingsPerHostMax,
    make: ({ labels }) => ({
      rtt: gauge("causeway.edge.rtt", "s", 6, labels),
      retransmits: counter("causeway.edge.retransmits", "{segment}", 0, labels),
      total: 0,
    }),
  });
  /** By connection. */
  readonly #resent = new Map<string, Resent>();
  #look = 0;
  /** The last look saw every connection, so what a new one has sent again, it has since then. */
  #wholeBefore = false;
  #failures = 0;
  #lastLookMs = Number.NEGATIVE_INFINITY;

  constructor(parts: EdgeTimingsParts) {
    this.#parts = parts;
  }

  read(_: Tick, recorder: Recorder): ProbeReport | undefined | Promise<Commit> {
    const { run } = this.#parts;
    if (run === undefined) return { absent: [`${what}: there is no ss (iproute2)`] };
    return this.#failures < failuresMax ? this.#ask(run, recorder) : undefined;
  }

  close(): void {
    this.#resent.clear();
  }

  async #ask(run: RunSs, recorder: Recorder): Promise<Commit> {
    const seen = new Map<Edge, Seen>();
    this.#look += 1;
    let timed = 0;
    const nowMs = this.#parts.clock.monotonicMs();
    // At the first look nobody knows since when.
    const sinceMs = Math.min(Math.max(nowMs - this.#lastLookMs, periodMs), 2 * periodMs);
    const table = new SocketTable((timing) => {
      if (!Number.isNaN(timing.rttSeconds)) timed += 1;
      this.#add(seen, timing, sinceMs);
    });
    const end = await this.#list(run, table);
    // It falls back to /proc where the kernel refuses to speak netlink with it, and that has none.
    const problem =
      end.problem ?? (table.listed > 0 && timed === 0 ? "ss prints no round-trip times" : undefined);
    if (problem !== undefined) return () => this.#fail(problem);
    this.#failures = 0;
    this.#lastLookMs = nowMs;
    this.#wholeBefore = !end.cut;
    this.#forgetClosed();
    return () => this.#tell(seen, recorder);
  }

  async #list(run: RunSs, table: SocketTable): Promise<SsEnd> {
    const { clock, patienceMs } = this.#parts;
    const ss = await run((text) => table.add(text));
    let late = false;
    const deadline = clock.after(patienceMs, () => {
      late = true;
      ss.kill();
    });
    const end = await ss.ended;
    deadline.cancel();
    return late ? { problem: `ss took longer than ${patienceMs} ms`, cut: false } : end;
  }

  #add(seen: Map<Edge, Seen>, timing: Timing, sinceMs: number): void {
    const resent = this.#resentSince(timing);
    const edge = this.#parts.connections.edgeOf(timing.socket);
    if (edge === undefined) return;
    let sum = seen.get(edge);
    if (sum === undefined) {
      sum = { connections: 0, rttSeconds: [], retransmits: 0 };
      seen.set(edge, sum);
    }
    sum.connections += 1;
    sum.retransmits += resent;
    if (Number.isNaN(timing.rttSeconds) || timing.lastAckMs > sinceMs) return;
    sum.rttSeconds.push(timing.rttSeconds);
  }

  /** What the connection has sent again since the last look. */
  #resentSince({ socket, retransmits }: Timing): number {
    if (retransmits === 0) return 0;
    const { local, localPort, peer, peerPort, inode } = socket;
    const key = `${inode} ${local.words.join()} ${localPort} ${peer.words.join()} ${peerPort}`;
    const before = this.#resent.get(key);
    if (before === undefined) {
      if (this.#resent.size < resentMax) this.#resent.set(key, { total: retransmits, look: this.#look });
      return this.#wholeBefore ? retransmits : 0;
    }
    const since = Math.max(0, retransmits - before.total);
    before.total = retransmits;
    before.look = this.#look;
    return since;
  }

  #forgetClosed(): void {
    for (const [key, { look }] of this.#resent) if (look !== this.#look) this.#resent.delete(key);
  }

  #tell(seen: ReadonlyMap<Edge, Seen>, recorder: Recorder): undefined {
    this.#chosen.clear();
    for (const [edge, { connections }] of seen) {
      this.#chosen.offer(edge, isOut(edge) ? connections + outFirst : connections);
    }
    const { members } = this.#told;
    for (const edge of this.#chosen.items) if (members.has(edge)) this.#told.keep(edge);
    for (const edge of this.#chosen.items) if (!members.has(edge)) this.#told.keep(edge);
    this.#told.endPass();
    for (const [edge, told] of members) {
      const sum = seen.get(edge);
      if (sum === undefined && !this.#parts.connections.isTold(edge)) this.#told.drop(edge);
      told.total += sum?.retransmits ?? 0;
      told.retransmits.set(recorder, told.total);
      if (sum !== undefined) told.rtt.set(recorder, median(sum.rttSeconds));
    }
    return undefined;
  }

  #fail(problem: string): ProbeReport | undefined {
    this.#failures += 1;
    this.#wholeBefore = false;
    return this.#failures < failuresMax ? undefined : { absent: [`${what}: ${problem}`] };
  }
}

/** NaN of none. */
function median(values: number[]): number {
  values.sort((a, b) => a - b);
  const middle = values.length >> 1;
  return values.length % 2 === 1 ? values[middle]! : (values[middle - 1]! + values[middle]!) / 2;
}

function isOut({ labels }: Edge): boolean {
  return labels.some(([name, value]) => name === "causeway.edge.direction" && value === "out");
}
