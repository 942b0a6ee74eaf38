/**
 * The figures of an edge that several ends, calls and declarations make up together. Pure; sums are made in a given order.
 *
 * Connections are counted at the caller's end, or at the callee's where the caller tells none. The round-trip time is the mean of the
 * ends that measured it, weighted by their connections; the callee's end stands in where the caller's agent measures none.
 */
import type { EdgeFigures } from "#shared/suspicion.ts";
import { faded, measuredMs, staleAfterMs } from "./ageing.ts";
import type { End } from "./host-ends.ts";
import type { Joined } from "./join.ts";
import type { ToldEdge } from "./told-edges.ts";

export class FigureSum {
  #connections = 0;
  #callsPerHour = 0;
  #rttSum = 0;
  #rttWeight = 0;
  #resentPerSecond = 0;
  #resentKnown = false;
  #unreachable = 0;
  #lastSeenMs: number | null = null;
  #declared = false;
  /** An end of the callee's may mirror those of several of the caller's services. */
  readonly #counted = new Set<End>();
  readonly #nowMs: number;

  constructor(nowMs: number) {
    this.#nowMs = nowMs;
  }

  addJoined({ end, mirror }: Joined): void {
    const weight = faded(end.weight, end.weightMs, this.#nowMs);
    this.#connections += weight;
    const timed = [end, mirror].find((one) => one !== undefined && this.#isRecent(one.rttMs));
    if (timed !== undefined) {
      // An edge whose connections are nearly forgotten has still been measured.
      const share = Math.max(weight, 1e-6);
      this.#rttSum += timed.rttSeconds * share;
      this.#rttWeight += share;
    }
    for (const one of [end, mirror]) this.#addTrouble(one);
    this.#see(Math.max(end.seenMs, mirror?.seenMs ?? 0));
  }

  addTold({ lastSeenMs, callsPerHour }: ToldEdge): void {
    this.#callsPerHour += callsPerHour;
    if (lastSeenMs === null) this.#declared = true;
    else this.#see(lastSeenMs);
  }

  figures(): EdgeFigures {
    const lastSeenMs = this.#lastSeenMs;
    return {
      connections: this.#connections,
      callsPerHour: this.#callsPerHour,
      rttSeconds: this.#rttWeight > 0 ? this.#rttSum / this.#rttWeight : null,
      retransmitsPerSecond: this.#resentKnown ? this.#resentPerSecond : null,
      unreachable: this.#unreachable,
      lastSeenMs,
      stale: !this.#declared && lastSeenMs !== null && this.#nowMs - lastSeenMs > staleAfterMs,
    };
  }

  /** Each side counts what it had to send again itself. */
  #addTrouble(end: End | undefined): void {
    if (end === undefined || this.#counted.has(end)) return;
    this.#counted.add(end);
    if (this.#isRecent(end.resentMs)) {
      this.#resentPerSecond += end.resentPerSecond;
      this.#resentKnown = true;
    }
    if (this.#isRecent(end.unreachableMs)) this.#unreachable += end.unreachable;
  }

  #isRecent(timeMs: number): boolean {
    return timeMs >= 0 && this.#nowMs - timeMs <= measuredMs;
  }

  #see(timeMs: number): void {
    this.#lastSeenMs = Math.max(timeMs, this.#lastSeenMs ?? 0);
  }
}
