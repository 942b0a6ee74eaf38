/**
 * The way of one batch through the collector, as spans. Parts get a `Tracer`; whether anything is recorded is not their
 * affair: `noTracer` costs a call, and `tracing.ts`, which brings an SDK of 27 MB, is loaded only when somebody listens.
 */
export const stages = ["admit", "append", "judge", "correlate", "commit", "push"] as const;
export type Stage = (typeof stages)[number];

export interface BatchTrace {
  /** Runs one stage. If `run` gives a promise, the stage lasts until it settles; an error is noted and passed on. */
  stage<T>(stage: Stage, run: () => T): T;
  /** The batch has gone its way. Stages after this are not recorded as its own. */
  end(): void;
}

export interface Tracer {
  /** Begins with the batch's arrival. `samples` and `host` become attributes of the span. */
  batch(batch: { host: string; samples: number }): BatchTrace;
  /** Sends what is recorded; resolves when that is done, has failed or takes longer than two seconds. */
  close(): Promise<void>;
}

const noBatch: BatchTrace = { stage: (_stage, run) => run(), end() {} };

export const noTracer: Tracer = { batch: () => noBatch, close: () => Promise.resolve() };
