/**
 * The live protocol, WebSocket subprotocol `causeway.live.v1` at `/live/v1`: JSON text frames, one object each.
 *
 * Two classes of channel. An *exact* channel (`incidents`) has an epoch and a sequence that grows by one; a reader applies a
 * frame only if it is the next one, and resumes or takes a snapshot after a gap. A *conflated* channel (`hosts`, `system`)
 * has no sequence: the latest state wins and a slow reader skips. The sequence is stored with the data, so a restart of the
 * collector keeps the epoch; a new epoch says that history was lost and a snapshot follows.
 */
import * as z from "zod/mini";
import { hostSchema, warmupSchema } from "./api.ts";
import { incidentSchema } from "./incident.ts";

export const liveSubprotocol = "causeway.live.v1";
export const livePath = "/live/v1";

export const exactChannels = ["incidents"] as const;
export const conflatedChannels = ["hosts", "system"] as const;
export const channels = [...exactChannels, ...conflatedChannels] as const;
export type Channel = (typeof channels)[number];

/** Close codes beyond the WebSocket standard's. */
export const liveCloseCodes = {
  badFrame: 4400,
  subprotocol: 4406,
  helloTimeout: 4408,
  duplicateSubscription: 4409,
  tooMany: 4429,
  draining: 4503,
  slowConsumer: 4508,
} as const;

const cursorSchema = z.object({ epoch: z.string(), seq: z.int() });
export type Cursor = z.infer<typeof cursorSchema>;

/** Client to server. */
export const clientFrameSchema = z.discriminatedUnion("t", [
  z.object({ t: z.literal("hello"), v: z.literal(1), client: z.string() }),
  z.object({ t: z.literal("sub"), ch: z.enum(channels), resume: z.optional(cursorSchema) }),
  z.object({ t: z.literal("unsub"), ch: z.enum(channels) }),
]);
export type ClientFrame = z.infer<typeof clientFrameSchema>;

export const systemStateSchema = z.object({
  nowMs: z.int(),
  /** How far detection has come on the time line of the data. */
  watermarkMs: z.int(),
  hostsUp: z.int(),
  hostsTotal: z.int(),
  series: z.int(),
  samplesPerSecond: z.number(),
  /** From the newest sample's own time to its verdict, milliseconds; a backlog that is caught up with shows here. */
  detectionLagMs: z.number(),
  warmup: warmupSchema,
  /** Anomalies now that are not part of an incident. */
  weakSignals: z.int(),
  /** Operators' verdicts on incidents that are in force: `GET /api/v1/feedback`. */
  feedbacks: z.int(),
  /** Samples in the loss ledger of the last 24 hours. */
  lostSamples: z.int(),
  version: z.string(),
});
export type SystemState = z.infer<typeof systemStateSchema>;

/** Server to client. */
export const serverFrameSchema = z.discriminatedUnion("t", [
  z.object({ t: z.literal("welcome"), v: z.literal(1), nowMs: z.int(), hbMs: z.int(), build: z.string() }),
  /** The whole channel, in `of` parts numbered from 1. `gap`: the reader had a cursor, and it could not be resumed. */
  z.object({
    t: z.literal("snap"),
    ch: z.literal("incidents"),
    epoch: z.string(),
    seq: z.int(),
    part: z.int(),
    of: z.int(),
    gap: z.boolean(),
    items: z.array(incidentSchema),
  }),
  /** The reader's cursor was good; the deltas (from, to] follow as `put`. */
  z.object({
    t: z.literal("resumed"),
    ch: z.literal("incidents"),
    epoch: z.string(),
    from: z.int(),
    to: z.int(),
  }),
  z.object({ t: z.literal("put"), ch: z.literal("incidents"), seq: z.int(), item: incidentSchema }),
  z.discriminatedUnion("ch", [
    z.object({ t: z.literal("state"), ch: z.literal("hosts"), body: z.array(hostSchema) }),
    z.object({ t: z.literal("state"), ch: z.literal("system"), body: systemStateSchema }),
  ]),
  z.object({ t: z.literal("hb"), nowMs: z.int(), seq: z.record(z.string(), z.int()) }),
  z.object({ t: z.literal("error"), code: z.string(), message: z.string() }),
  z.object({ t: z.literal("bye"), code: z.int(), reconnectInMs: z.int() }),
]);
export type ServerFrame = z.infer<typeof serverFrameSchema>;

/** Server's heartbeat; a reader that hears nothing for two and a half of them shows its data as stale and reconnects. */
export const heartbeatMs = 10_000;
export const staleMs = 25_000;
