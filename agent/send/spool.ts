/**
 * The spool: every frame is here before it is sent, and leaves when the collector has it durable.
 *
 * The unit of deletion is a segment, a key frame and what builds on it, because only from a key frame on can frames be read.
 * The newest segment stays even when all of it is acknowledged, so that a collector which forgot everything can start from
 * it. When the spool is too large or too old its oldest segments go, and each becomes a loss record that the next frame
 * carries. Segments that the collector may already have (sent, answer unknown) are not dropped: counting them as lost could
 * count them twice. A full disk holds frames in memory up to a limit; then ticks are not encoded any more, and counted.
 * Cost: one SQLite transaction a frame, about 0.1 ms of CPU.
 */
import type { Clock } from "#shared/clock.ts";
import { errorText, StorageError, WireError } from "#shared/errors.ts";
import { FrameLog } from "#shared/frame-log.ts";
import { isCorrupt, type FrameLogOptions, type Replaced } from "#shared/frame-log-file.ts";
import type { Log } from "#shared/log.ts";
import type { Position } from "#shared/wire/control.ts";
import { FrameDecoder, readHeader, type LossRecord } from "#shared/wire/wire.ts";
import { LossList } from "./losses.ts";
import { Reserve } from "./reserve.ts";
import { Segments, type SpoolSegment } from "./segments.ts";

/** "CWSP" */
const applicationId = 0x43575350;
const lossesNote = "losses";
const stoppedNote = "stopped";
/** Free pages kept for the next frames; the rest goes back to the file system after an outage. */
const keepFreeBytes = 16 * 1024 * 1024;
const transactionBytesMax = 128 * 1024;

export interface SpoolLimits {
  readonly spoolBytesMax: number;
  readonly spoolAgeMsMax: number;
  readonly unackedFramesMax: number;
  /** Frames held in memory while the disk is full. */
  readonly heldBytesMax: number;
}

/** A frame as the encoder made it. */
export interface Frame extends Position {
  readonly key: boolean;
  readonly firstMs: number;
  readonly lastMs: number;
  readonly samples: number;
  readonly series: number;
  /** Losses taken for this frame. */
  readonly carries: number;
  readonly bytes: Uint8Array;
}

export interface SpooledFrame extends Omit<Frame, "carries"> {
  readonly position: number;
}

/** The last tick that an earlier run has spooled. */
export interface LastTick {
  readonly timeMs: number;
  readonly intervalMs: number;
  readonly series: number;
  readonly epoch: number;
}

export interface SpoolOptions {
  /** A file whose folder exists, or ":memory:". */
  readonly path: string;
  readonly clock: Clock;
  readonly log: Log;
  readonly limits: SpoolLimits;
}

export class Spool {
  readonly #options: SpoolOptions;
  readonly #fileOptions: FrameLogOptions;
  #frames: FrameLog;
  readonly #segments = new Segments();
  #lastPosition = 0;
  /** Encoded, and not yet taken by the disk. */
  #unwritten: Frame[] = [];
  #unwrittenBytes = 0;
  #diskFull = false;
  #keyWanted = true;
  readonly #losses = new LossList();
  readonly #reserve: Reserve;
  #lastTick: LastTick | null = null;
  #stream = "";

  /** Throws `StorageError` when another agent uses the file. A damaged file is moved aside and accounted for. */
  constructor(options: SpoolOptions) {
    const { path, clock } = options;
    this.#options = options;
    this.#fileOptions = { path, clock, synchronous: "normal", cacheKiB: 256, applicationId };
    this.#frames = FrameLog.open(this.#fileOptions);
    this.#reserve = new Reserve(path);
    if (this.#frames.replaced === null) this.#load();
    else this.#accountDamage(this.#frames.replaced);
  }

  /** Whose frames are here; "" when there are none. */
  get stream(): string {
    return this.#stream;
  }

  /** Null when the spool was empty. */
  get lastTick(): LastTick | null {
    return this.#lastTick;
  }

  /** When the agent was stopped on purpose, or null: the last run ended suddenly. Reading it forgets it. */
  takeStopped(): number | null {
    const stopped = this.#frames.note(stoppedNote);
    if (stopped === null || stopped === "") return null;
    this.#try("note the start", () => this.#frames.setNote(stoppedNote, ""));
    return Number(stopped);
  }

  noteStopped(atMs: number): void {
    this.#try("note the stop", () => this.#frames.setNote(stoppedNote, String(atMs)));
  }

  #load(): void {
    this.#segments.load(this.#frames);
    this.#losses.load(this.#frames.note(lossesNote));
    const { newest } = this.#segments;
    if (newest === undefined) return;
    this.#stream = newest.stream;
    this.#lastPosition = newest.lastPosition;
    const last = this.#frames.last(newest.stream);
    if (last === undefined) return;
    const { lastMs: timeMs, series } = last;
    this.#lastTick = { timeMs, series, epoch: last.epoch ?? 0, intervalMs: intervalOf(last.bytes) };
  }

  /** Takes over what is here for `stream`; frames of any other agent cannot be sent and are given up as a loss. */
  claim(stream: string): void {
    this.#stream = stream;
    for (const segment of this.#segments.notOf(stream))
      this.#drop(segment, segment.position, "spool_corrupt");
  }

  get lastPosition(): number {
    return this.#lastPosition;
  }

  get frameCount(): number {
    return this.#segments.frameCount;
  }

  get sizeBytes(): number {
    return this.#frames.usedBytes();
  }

  /** The next frame must be a key frame: what it would build on is not in the spool. */
  get keyWanted(): boolean {
    return this.#keyWanted && this.#unwritten.length === 0;
  }

  /** Adds what is missing; the next frame carries it. */
  addLoss(loss: LossRecord): void {
    this.#losses.add(loss);
  }

  /** The losses for the frame that is being encoded. They stay noted until that frame is in the spool. */
  takeLosses(): LossRecord[] {
    return this.#losses.take();
  }

  /** The frame that took losses will not be appended: the next one carries them. */
  giveBackLosses(): void {
    this.#losses.giveBack();
  }

  /** False while the disk is full and memory holds all that it may: then do not encode. Tries the disk again. */
  ready(): boolean {
    if (this.#unwritten.length === 0) return true;
    this.#write();
    return this.#unwrittenBytes < this.#options.limits.heldBytesMax;
  }

  /**
   * Stores a frame, or holds it in memory while the disk is full. Returns the frames that are now in the spool; [] when the
   * disk takes none.
   */
  append(frame: Frame): SpooledFrame[] {
    this.#unwritten.push(frame);
    this.#unwrittenBytes += frame.bytes.length;
    const written = this.#write();
    if (written.length > 0) this.#enforceLimits();
    return written;
  }

  /** Small transactions, so that what waited does not need its own size again in the write-ahead log of a full disk. */
  #write(): SpooledFrame[] {
    const written: SpooledFrame[] = [];
    while (this.#unwritten.length > 0) {
      const frames = this.#nextFrames();
      const positions = this.#store(frames);
      if (positions === null) return written;
      this.#unwritten = this.#unwritten.slice(frames.length);
      this.#unwrittenBytes -= sizeOf(frames);
      this.#losses.noted(carriedBy(frames));
      this.#keyWanted = false;
      for (const [index, frame] of frames.entries()) {
        written.push(this.#added(frame, positions[index] ?? this.#lastPosition));
      }
    }
    if (this.#diskFull) this.#options.log.info("spool took frames again", { frames: written.length });
    this.#diskFull = false;
    return written;
  }

  #nextFrames(): Frame[] {
    let sizeBytes = 0;
    const end = this.#unwritten.findIndex(({ bytes }) => (sizeBytes += bytes.length) > transactionBytesMax);
    return end === -1 ? this.#unwritten : this.#unwritten.slice(0, Math.max(1, end));
  }

  /** Null: the disk takes nothing now. */
  #store(frames: readonly Frame[]): (number | null)[] | null {
    const rows = frames.map((frame) => ({ ...frame, kind: 0, stream: this.#stream, skewMs: 0 }));
    try {
      return this.#frames.append(rows, () => this.#noteLosses(carriedBy(frames)));
    } catch (error) {
      this.#refused(error);
      return null;
    }
  }

  #added(frame: Frame, position: number): SpooledFrame {
    if (frame.key || this.#segments.newest === undefined) {
      this.#reserve.hold();
      this.#segments.begin({ ...frame, position, stream: this.#stream }, frame.lastMs);
    } else {
      this.#segments.grow(position, frame.lastMs);
    }
    this.#lastPosition = position;
    return { ...frame, position };
  }

  #refused(error: unknown): void {
    if (!(error instanceof StorageError)) throw error;
    if (isCorrupt(error)) {
      this.#beginAnew();
      return;
    }
    if (!error.retryable) throw error;
    if (!this.#diskFull) {
      this.#options.log.error("spool refused a frame; frames are held in memory", {
        error: errorText(error),
        heldBytesMax: this.#options.limits.heldBytesMax,
      });
      this.#reserve.release();
    }
    this.#frames.checkpoint();
    this.#diskFull = true;
  }

  /** Damage seen at work: the file is moved aside, what it held and what was on its way into it are lost. */
  #beginAnew(): void {
    this.#frames.close();
    this.#frames = FrameLog.open(this.#fileOptions);
    this.#segments.clear();
    this.#keyWanted = true;
    this.#giveUpUnwritten();
    if (this.#frames.replaced !== null) this.#accountDamage(this.#frames.replaced);
  }

  /** What they build on is gone. */
  #giveUpUnwritten(): void {
    for (const { firstMs, lastMs, series, samples } of this.#unwritten) {
      this.#losses.add({ reason: "spool_corrupt", fromMs: firstMs, toMs: lastMs, series, samples });
    }
    this.#unwritten = [];
    this.#unwrittenBytes = 0;
    this.#losses.giveBack();
  }

  #accountDamage({ movedTo, sizeBytes, reason, totals, modifiedMs }: Replaced): void {
    this.#options.log.error("spool was damaged and moved aside; a new one began", {
      movedTo,
      sizeBytes,
      reason,
    });
    const known = totals !== null && totals.entries > 0;
    this.#losses.add({
      reason: "spool_corrupt",
      fromMs: known ? totals.firstMs : modifiedMs,
      toMs: known ? totals.lastMs : modifiedMs,
      series: totals?.series ?? 0,
      samples: totals?.samples ?? 0,
    });
  }

  /** Up to `countMax` frames after `position`, fewer once they make `bytesMax`. */
  after(position: number, countMax: number, bytesMax: number): SpooledFrame[] {
    const entries = this.#guarded([], () => this.#frames.after(position, countMax, bytesMax));
    return entries.map((entry) => ({ ...entry, epoch: entry.epoch ?? 0, sequence: entry.sequence ?? 0 }));
  }

  positionOf({ epoch, sequence }: Position): number | undefined {
    return this.#guarded(undefined, () => this.#frames.find(this.#stream, epoch, sequence));
  }

  /** The position of the key frame that the frame at `position` builds on. */
  segmentStart(position: number): number {
    return this.#segments.of(position)?.position ?? position;
  }

  /** Everything up to `position` is durable at the collector: finished segments go. */
  acknowledge(position: number): void {
    const done = this.#segments.done(position);
    const last = done.at(-1);
    if (last === undefined) return;
    const removed = this.#try("remove acknowledged frames", () =>
      this.#frames.deletePositions(0, last.lastPosition),
    );
    if (!removed) return;
    this.#segments.remove(done);
    this.#guarded(undefined, () => this.#frames.reclaim(keepFreeBytes));
  }

  /**
   * Gives up the frame at `position` and what builds on it: it cannot be read, or no collector will have it. False when
   * the disk refused.
   */
  discardFrom(position: number): boolean {
    const segment = this.#segments.of(position);
    return segment === undefined || this.#drop(segment, position, "spool_corrupt");
  }

  #enforceLimits(): void {
    const { spoolBytesMax, spoolAgeMsMax, unackedFramesMax } = this.#options.limits;
    const beforeMs = this.#options.clock.nowMs() - spoolAgeMsMax;
    while (true) {
      const oldest = this.#segments.droppable(unackedFramesMax);
      if (oldest === undefined) return;
      const expired = oldest.lastMs < beforeMs;
      if (!expired && this.#frames.usedBytes() <= spoolBytesMax) return;
      if (!this.#drop(oldest, oldest.position, expired ? "spool_expired" : "spool_full")) return;
    }
  }

  /** Removes `segment` from `fromPosition` on and accounts for it, in one transaction. False when the disk refused. */
  #drop(segment: SpoolSegment, fromPosition: number, reason: LossRecord["reason"]): boolean {
    const { lastPosition } = segment;
    const totals = this.#guarded(null, () => this.#frames.totals(fromPosition, lastPosition));
    if (totals === null) return false;
    const { entries, samples, series, firstMs, lastMs } = totals;
    const before = this.#losses.save();
    // The losses that the frames themselves report must not be lost with them.
    const read = (position: number) => this.after(position, 64, Number.POSITIVE_INFINITY);
    for (const loss of lossesIn(segment, fromPosition, read)) this.#losses.add(loss);
    if (entries > 0) this.#losses.add({ reason, fromMs: firstMs, toMs: lastMs, series, samples });
    const removed = this.#try("remove frames", () => {
      this.#frames.deletePositions(fromPosition, lastPosition);
      this.#noteLosses(0);
    });
    if (!removed) {
      // Unless the spool began anew meanwhile, and has accounted for everything that it held.
      if (this.#segments.of(segment.position) === segment) this.#losses.restore(before);
      return false;
    }
    this.#losses.noted(0);
    if (segment === this.#segments.newest) {
      this.#keyWanted = true;
      this.#giveUpUnwritten();
    }
    this.#segments.shorten(segment, fromPosition, entries);
    this.#options.log.warn("spooled samples dropped", {
      reason,
      samples,
      series,
      fromMs: firstMs,
      toMs: lastMs,
    });
    return true;
  }

  #noteLosses(carried: number): void {
    const changed = this.#losses.changed(carried);
    if (changed !== null) this.#frames.setNote(lossesNote, changed);
  }

  /** One transaction that may fail with the disk. */
  #try(doing: string, work: () => void): boolean {
    return this.#guarded(false, () => {
      this.#frames.transaction(`${doing} in`, work);
      return true;
    });
  }

  #guarded<T>(otherwise: T, work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#refused(error);
      return otherwise;
    }
  }

  close(): void {
    this.#frames.close();
  }
}

/** The losses that frames of `segment` from `fromPosition` on carry, as far as they can be decoded. */
function lossesIn(
  segment: SpoolSegment,
  fromPosition: number,
  read: (position: number) => SpooledFrame[],
): LossRecord[] {
  const decoder = new FrameDecoder();
  const losses: LossRecord[] = [];
  let position = segment.position - 1;
  while (position < segment.lastPosition) {
    const page = read(position).filter((frame) => frame.position <= segment.lastPosition);
    const last = page.at(-1);
    if (last === undefined) break;
    position = last.position;
    try {
      for (const frame of page) {
        const decoded = decoder.decode(frame.bytes);
        if (frame.position >= fromPosition) losses.push(...decoded.losses);
      }
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      break;
    }
  }
  return losses;
}

function sizeOf(frames: readonly Frame[]): number {
  return frames.reduce((sum, { bytes }) => sum + bytes.length, 0);
}

function carriedBy(frames: readonly Frame[]): number {
  return frames.reduce((sum, { carries }) => sum + carries, 0);
}

function intervalOf(bytes: Uint8Array): number {
  try {
    return readHeader(bytes).intervalMs;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return 0;
  }
}
