/**
 * What a reader of the `incidents` channel begins with: the deltas that it missed, or the whole channel; and the deltas
 * that follow, each made once for all readers.
 */
import type { Cursor } from "#shared/contract/live.ts";
import type { Limits } from "#shared/limits.ts";
import type { Delta, DeltaSource } from "#collector/store/store.ts";
import { encodeFrame, encodeSnapshot } from "./frames.ts";
import type { Replay } from "./live-client.ts";

export interface Start {
  readonly kind: "resumed" | "snapshot" | "gap";
  /** Everything up to here is in `frames`. */
  readonly seq: number;
  readonly frames: readonly (Buffer | Replay)[];
}

/** Encoded deltas kept for readers that were away for a moment; older ones are read from the store. */
const recentMax = 512;
/** Deltas read at once for a reader that was away for long: they are read when its turn comes, not all in advance. */
const pageDeltas = 64;

export class History {
  readonly #source: DeltaSource;
  readonly #limits: Limits;
  readonly #recent = new Map<number, Buffer>();
  readonly #snapshots = new Map<string, readonly Buffer[]>();
  #sentSeq: number;

  constructor(source: DeltaSource, limits: Limits) {
    this.#source = source;
    this.#limits = limits;
    this.#sentSeq = source.cursor().seq;
  }

  /** The newest sequence that `add` has given out. */
  get sentSeq(): number {
    return this.#sentSeq;
  }

  /** The frames of new deltas. Those already given out are left out; a hole before them is filled from the store. */
  add(deltas: readonly Delta[]): { seq: number; frame: Buffer }[] {
    const first = deltas[0];
    if (first === undefined) return [];
    const whole = first.seq > this.#sentSeq + 1 ? this.#source.deltasAfter(this.#sentSeq) : undefined;
    const fresh = (whole ?? deltas).filter(({ seq }) => seq > this.#sentSeq);
    return fresh.map((delta) => {
      const frame = encodeDelta(delta);
      this.#sentSeq = delta.seq;
      this.#recent.set(delta.seq, frame);
      this.#recent.delete(delta.seq - recentMax);
      return { seq: delta.seq, frame };
    });
  }

  begin(resume: Cursor | undefined): Start {
    const cursor = this.#source.cursor();
    if (resume === undefined || !this.#resumable(resume, cursor)) {
      const kind = resume === undefined ? "snapshot" : "gap";
      return { kind, seq: cursor.seq, frames: this.#snapshot(cursor, kind === "gap") };
    }
    const { epoch, seq: to } = cursor;
    const { seq: from } = resume;
    const frames: (Buffer | Replay)[] = [encodeFrame({ t: "resumed", ch: "incidents", epoch, from, to })];
    for (let after = from; after < to; after += pageDeltas) {
      frames.push(() => this.#replay(after, Math.min(after + pageDeltas, to)));
    }
    return { kind: "resumed", seq: to, frames };
  }

  #resumable(resume: Cursor, cursor: Cursor): boolean {
    return resume.epoch === cursor.epoch && this.#source.deltasAfter(resume.seq, 1) !== undefined;
  }

  /** The frames of (after, to]; undefined when the store no longer has them all. */
  #replay(after: number, to: number): readonly Buffer[] | undefined {
    const recent: Buffer[] = [];
    for (let seq = after + 1; seq <= to; seq += 1) {
      const frame = this.#recent.get(seq);
      if (frame !== undefined) recent.push(frame);
    }
    if (recent.length === to - after) return recent;
    const deltas = this.#source.deltasAfter(after, to - after);
    return deltas?.length === to - after ? deltas.map(encodeDelta) : undefined;
  }

  /** Readers that begin at the same place, as all do after a restart, share one copy. */
  #snapshot(cursor: Cursor, gap: boolean): readonly Buffer[] {
    const key = `${gap} ${cursor.epoch} ${cursor.seq}`;
    const known = this.#snapshots.get(key);
    if (known !== undefined) return known;
    const incidents = this.#source.channelIncidents();
    const frames = encodeSnapshot(incidents, cursor, gap, this.#limits.liveFrameBytesMax);
    if (this.#snapshots.size >= 2) this.#snapshots.clear();
    this.#snapshots.set(key, frames);
    return frames;
  }
}

function encodeDelta({ seq, incident }: Delta): Buffer {
  return encodeFrame({ t: "put", ch: "incidents", seq, item: incident });
}
