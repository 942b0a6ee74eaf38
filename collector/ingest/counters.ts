/** What the doors count. `self/metrics.ts` exports it; tests look at it. */
import type { WireErrorReason } from "#shared/errors.ts";
import { decodeReasons } from "./decode/decode-error.ts";
import type { LossReason } from "#shared/wire/wire.ts";

export const connectionRefusals = [
  "subprotocol",
  "hello",
  "hello_timeout",
  "version",
  "rate",
  "too_many",
  "draining",
] as const;
export type ConnectionRefusal = (typeof connectionRefusals)[number];

/** Why an OTLP request was not taken at all. */
export const requestRefusals = [
  ...decodeReasons,
  "media_type",
  "encoding",
  "too_large",
  "corrupted",
  "overloaded",
  "unavailable",
] as const;
export type RequestRefusal = (typeof requestRefusals)[number];

export interface IngestCounters {
  /** Connected agents now. */
  agents(count: number): void;
  /** Bytes that wait for the disk or for detection now. */
  inFlight(sizeBytes: number): void;
  /** A frame came, whatever becomes of it. */
  received(sizeBytes: number): void;
  /** A frame was handed to the journal. */
  admitted(samples: number, sizeBytes: number): void;
  /** A frame that the journal already has, or is about to. */
  repeated(): void;
  /** A key frame that does not follow the last frame: its agent dropped segments and reports them as lost. */
  gap(): void;
  refusedFrame(reason: WireErrorReason): void;
  refusedConnection(reason: ConnectionRefusal): void;
  /** Samples that an agent reports as lost, or that a source pushed and that were not taken. */
  lost(reason: LossReason, samples: number): void;
  /** Services that push now. */
  otlpSources(count: number): void;
  refusedRequest(reason: RequestRefusal): void;
  /** Points of an OTLP request that were here already. */
  repeatedPoints(count: number): void;
}
