/**
 * How rarely each series is abnormal: what is abnormal every hour says little about what is wrong now.
 *
 * Of each series the time that it was abnormal is added up, of all of them the time that was looked on; both fade with a half-life of a
 * week. What is going on now does not count against itself: a stretch is added when it has ended. At most `limits.rarityKeptMax`
 * series; the one that was abnormal longest ago goes first, and counts as if it never was. A process is known by its program: the next
 * one with another pid goes on where it ended. Pure.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import { limits } from "#shared/limits.ts";

const halfLifeMs = 7 * 86_400_000;
/** Before so much was seen, nobody knows what is rare. */
const seenMsMin = 3_600_000;
/** What was never abnormal counts as if it had been for so long: one interval of an agent, or three. */
const neverMs = 30_000;

/** What a series is known by. */
export type Measured = Pick<Anomaly, "host" | "series" | "metric" | "entity">;

export interface RarityState {
  readonly seenMs: number;
  readonly atMs: number;
  readonly abnormal: readonly (readonly [series: string, ms: number, asOfMs: number])[];
}

export class Rarity {
  #seenMs: number;
  #atMs: number;
  readonly #abnormal: Map<string, { ms: number; asOfMs: number }>;

  constructor(state?: RarityState) {
    this.#seenMs = state?.seenMs ?? 0;
    this.#atMs = state?.atMs ?? 0;
    this.#abnormal = new Map(state?.abnormal.map(([series, ms, asOfMs]) => [series, { ms, asOfMs }]));
  }

  /** Time goes on. */
  advance(nowMs: number): void {
    if (nowMs <= this.#atMs) return;
    if (this.#atMs > 0) this.#seenMs = this.#seenMs * faded(nowMs - this.#atMs) + (nowMs - this.#atMs);
    this.#atMs = nowMs;
  }

  /** A stretch that has ended. */
  add(anomaly: Measured & Pick<Anomaly, "startedMs" | "lastMs">): void {
    const { startedMs, lastMs } = anomaly;
    const key = keyOf(anomaly);
    const before = this.#abnormal.get(key);
    const kept = before === undefined ? 0 : before.ms * faded(Math.max(0, lastMs - before.asOfMs));
    this.#abnormal.delete(key);
    this.#abnormal.set(key, { ms: kept + Math.max(0, lastMs - startedMs), asOfMs: lastMs });
    if (this.#abnormal.size > limits.rarityKeptMax)
      this.#abnormal.delete(this.#abnormal.keys().next().value!);
  }

  /** -ln of the share of the time that was looked on in which the series was abnormal; undefined while too little was seen. */
  of(measured: Measured): number | undefined {
    if (this.#seenMs < seenMsMin) return undefined;
    const known = this.#abnormal.get(keyOf(measured));
    const ms = known === undefined ? 0 : known.ms * faded(Math.max(0, this.#atMs - known.asOfMs));
    return -Math.log(Math.min(1, (ms + neverMs) / this.#seenMs));
  }

  /** The host is gone. */
  forget(host: string): void {
    for (const key of this.#abnormal.keys()) if (key.startsWith(`${host}\n`)) this.#abnormal.delete(key);
  }

  state(): RarityState {
    const abnormal = [...this.#abnormal].map(([series, { ms, asOfMs }]) => [series, ms, asOfMs] as const);
    return { seenMs: this.#seenMs, atMs: this.#atMs, abnormal };
  }
}

function keyOf({ host, series, metric, entity: { kind, name } }: Measured): string {
  return kind === "process" ? `${host}\n${metric} ${programOf(name)}` : `${host}\n${series}`;
}

/** Without its pid. */
function programOf(name: string): string {
  return name.slice(name.indexOf("/") + 1);
}

function faded(ms: number): number {
  return 2 ** (-ms / halfLifeMs);
}
