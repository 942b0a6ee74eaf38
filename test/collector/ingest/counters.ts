/** Counters for tests: one that forgets, one that remembers. */
import type { IngestCounters } from "#collector/ingest/ingest.ts";

export const countNothing: IngestCounters = {
  agents: () => {},
  inFlight: () => {},
  received: () => {},
  admitted: () => {},
  repeated: () => {},
  gap: () => {},
  refusedFrame: () => {},
  refusedConnection: () => {},
  lost: () => {},
  otlpSources: () => {},
  refusedRequest: () => {},
  repeatedPoints: () => {},
};

/** Events by name, with their reason: `refusedFrame clock` -> 1. */
export class Counted {
  readonly counts = new Map<string, number>();
  readonly counters: IngestCounters = {
    ...countNothing,
    admitted: () => this.#add("admitted"),
    repeated: () => this.#add("repeated"),
    gap: () => this.#add("gap"),
    refusedFrame: (reason) => this.#add(`refusedFrame ${reason}`),
    refusedConnection: (reason) => this.#add(`refusedConnection ${reason}`),
    lost: (reason, samples) => this.#add(`lost ${reason}`, samples),
    refusedRequest: (reason) => this.#add(`refusedRequest ${reason}`),
    repeatedPoints: (count) => this.#add("repeatedPoints", count),
  };

  of(name: string): number {
    return this.counts.get(name) ?? 0;
  }

  #add(name: string, by = 1): void {
    this.counts.set(name, this.of(name) + by);
  }
}
