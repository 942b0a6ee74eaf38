/**
 * The doors, and the way back from the journal to samples: what came in as an agent's frame goes on as `SampleBatch`.
 *
 * A live entry brings its decoded frame; on replay it is decoded here, from the key frame of its segment on, which the
 * journal has. So detection sees the same batches whether it was there or replays.
 */
import type { Journal, JournalRecord } from "#collector/journal/journal.ts";
import type { SampleBatch } from "#shared/batch.ts";
import type { LossRecord } from "#shared/wire/wire.ts";
import { FrameDecoder, type DecodedFrame } from "#shared/wire/wire.ts";
import { HeldTicks } from "./held-ticks.ts";
import { Hosts, type Arrival, type HostsState, type NewSeries } from "./hosts.ts";

export { createAgentSocket, type AgentSocket, type AgentSocketOptions } from "./agent-socket.ts";
export { createOtlpHttp, type OtlpAnswer, type OtlpHttp, otlpPaths } from "./otlp-http.ts";
export { besideLabel } from "./otlp/origin.ts";
export { type ReturnCodes, usualReturnCodes } from "./otlp/outcome.ts";
export { parsePresence, type ConnectionEnd, type Presence } from "./presence.ts";
export type { ConnectionRefusal, IngestCounters } from "./counters.ts";
export { Hosts, type Arrival, type HostFacts, type HostsState, type NewSeries } from "./hosts.ts";

export interface Taken extends Arrival {
  /** What the agent reports as missing, times corrected. */
  readonly losses: readonly LossRecord[];
}

export interface Ingest {
  readonly hosts: Hosts;
  /** What a journal entry of kind "frame" holds. Null when its agent's series are unknown here: its key frame is gone. */
  take(record: JournalRecord): Taken | null;
  /** Ticks of sources that push, which came earlier and are final when the journal's time is `nowMs`. */
  due(nowMs: number): SampleBatch[];
  /** `host` is gone: nothing is kept of it but its facts. */
  retire(host: string): void;
  snapshot(): HostsState;
}

/** `state` is an earlier `snapshot()`; then the next record to take is the one after the snapshot's position. */
export function createIngest(options: { journal: Pick<Journal, "segmentUpTo">; state?: HostsState }): Ingest {
  const hosts = options.state === undefined ? new Hosts() : Hosts.restore(options.state);
  const replay = new ReplayDecoders(options.journal);
  const held = new HeldTicks(options.state?.held);
  /**
   * The agent was forgotten with its host, which was gone for long, and goes on where its segment was: what its columns are is in the
   * journal, if that still has it.
   */
  const rejoin = (record: JournalRecord, decoded: DecodedFrame): Arrival | null => {
    const { stream, epoch, sequence } = record;
    if (epoch === null || sequence === null) return null;
    const decoder = new FrameDecoder();
    const fresh: NewSeries[] = [];
    let resource: Arrival["resource"] = null;
    for (const { bytes, skewMs } of options.journal.segmentUpTo(stream, { epoch, sequence: sequence - 1 })) {
      const known = hosts.arrive(stream, skewMs, { ...decoder.decode(bytes), ticks: [] });
      fresh.push(...(known?.fresh ?? []));
      resource ??= known?.resource ?? null;
    }
    const arrival = hosts.arrive(stream, record.skewMs, decoded);
    return arrival === null ? null : { ...arrival, resource, fresh: [...fresh, ...arrival.fresh] };
  };

  return {
    hosts,
    take(record) {
      const decoded = replay.decoded(record);
      if (decoded === null) return null;
      const arrival = hosts.arrive(record.stream, record.skewMs, decoded) ?? rejoin(record, decoded);
      if (arrival === null) return null;
      const losses = decoded.losses.map((loss) => ({
        ...loss,
        fromMs: loss.fromMs - record.skewMs,
        toMs: loss.toMs - record.skewMs,
      }));
      if (!hosts.isPushing(arrival.host)) return { ...arrival, losses };
      for (const batch of arrival.batches) held.hold(batch);
      return { ...arrival, batches: [], losses };
    },
    due: (nowMs) => held.due(nowMs),
    retire(host) {
      replay.forget(hosts.agentOf(host) ?? "");
      held.forget(host);
      hosts.retire(host);
    },
    snapshot() {
      const ticks = held.snapshot();
      return { ...hosts.snapshot(), ...(ticks.length === 0 ? {} : { held: ticks }) };
    },
  };
}

/** Decoders of a replay, by stream; a stream that has come live needs none. */
class ReplayDecoders {
  readonly #decoders = new Map<string, FrameDecoder>();
  readonly #journal: Pick<Journal, "segmentUpTo">;

  constructor(journal: Pick<Journal, "segmentUpTo">) {
    this.#journal = journal;
  }

  decoded(record: JournalRecord): DecodedFrame | null {
    const { stream, decoded, key, bytes } = record;
    if (decoded !== null) {
      this.#decoders.delete(stream);
      return decoded;
    }
    const known = this.#decoders.get(stream);
    if (known !== undefined) return known.decode(bytes);
    const decoder = key ? new FrameDecoder() : this.#rebuild(record);
    if (decoder === null) return null;
    this.#decoders.set(stream, decoder);
    return decoder.decode(bytes);
  }

  forget(stream: string): void {
    this.#decoders.delete(stream);
  }

  #rebuild({ stream, epoch, sequence }: JournalRecord): FrameDecoder | null {
    if (epoch === null || sequence === null) return null;
    const before = this.#journal.segmentUpTo(stream, { epoch, sequence: sequence - 1 });
    if (before.length === 0) return null;
    const decoder = new FrameDecoder();
    for (const { bytes } of before) decoder.decode(bytes);
    return decoder;
  }
}
