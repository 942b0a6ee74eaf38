/**
 * Which process of a service on one host is which, so that the counters of two that live at once are not taken for one.
 *
 * Processes have random names. A new one takes the place of the one that was heard longest ago: that is what a restart looks like.
 * One that was replaced and is heard again lives beside the others, and gets a place of its own, which it keeps. So a service that
 * restarts keeps its first place and what was learned there, and the workers of one server have settled after their second report.
 */
import { limits } from "#shared/limits.ts";

interface Instance {
  readonly id: string;
  heardMs: number;
}

/** A process that was replaced is remembered for so long: several reports, also of one that reports every five minutes. */
const replacedMs = 900_000;

export class Instances {
  /** By place. */
  readonly #living: Instance[] = [];
  readonly #replaced = new Map<string, number>();

  /** The place of the process `id`, from 0; undefined when there are too many. */
  placeOf(id: string, nowMs: number): number | undefined {
    const known = this.#living.findIndex((instance) => instance.id === id);
    if (known >= 0) {
      this.#living[known]!.heardMs = nowMs;
      return known;
    }
    for (const [other, sinceMs] of this.#replaced)
      if (nowMs - sinceMs > replacedMs) this.#replaced.delete(other);
    if (this.#living.length === 0 || this.#replaced.has(id)) return this.#newPlace(id, nowMs);
    return this.#replaceOldest(id, nowMs);
  }

  #newPlace(id: string, nowMs: number): number | undefined {
    if (this.#living.length >= limits.otlpInstancesMax) return undefined;
    this.#replaced.delete(id);
    this.#living.push({ id, heardMs: nowMs });
    return this.#living.length - 1;
  }

  #replaceOldest(id: string, nowMs: number): number {
    let place = 0;
    for (const [index, { heardMs }] of this.#living.entries())
      if (heardMs < this.#living[place]!.heardMs) place = index;
    if (this.#replaced.size < limits.otlpInstancesMax) this.#replaced.set(this.#living[place]!.id, nowMs);
    this.#living[place] = { id, heardMs: nowMs };
    return place;
  }
}
