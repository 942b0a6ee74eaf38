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
import { FrameLog, type Segment } from "#shared/frame-log.ts";
import { isCorrupt, type FrameLogOptions, type Replaced } from "#shared/frame-log-file.ts";
import type { Log } from "#shared/log.ts";
import type { Position } from "#shared/wire/control.ts";
import { FrameDecoder, readHeader, type LossRecord } from "#shared/wire/wire.ts";
import { LossList } from "./losses.ts";

/** "CWSP" */
const applicationId = 0x43575350;
const lossesNote = "losses";
const stoppedNote = "stopped";
/** Free pages kept for the next frames; the rest goes back to the file system after an outage. */
const keepFreeBytes = 16 * 1024 * 1024;

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
  readonly bytes: Uint8Array;
}

export interface SpooledFrame extends Frame {
  readonly position: number;
}

/** The last tick that an earlier run has spooled. */
export interface LastTick {
  readonly timeMs: number;
  readonly intervalMs: number;
  readonly series: number;
  readonly epoch: number;
}

interface Held extends Segment {
  frames: number;
  lastPosition: number;
  lastMs: number;
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
  /** Oldest first; the last one is still growing, or was when the agent stopped. */
  #segments: Held[] = [];
  #lastPosition = 0;
  #frameCount = 0;
  /** Encoded, and not yet taken by the disk. */
  #unwritten: Frame[] = [];
  #unwrittenBytes = 0;
  #diskFull = false;
  #keyWanted = true;
  readonly #losses = new LossList();
  #lastTick: LastTick | null = null;
  #stream = "";

  /** Throws `StorageError` when another agent uses the file. A damaged file is moved aside and accounted for. */
  constructor(options: SpoolOptions) {
    const { path, clock } = options;
    this.#options = options;
    this.#fileOptions = { path, clock, synchronous: "normal", cacheKiB: 256, applicationId };
    this.#frames = FrameLog.open(this.#fileOptions);
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
    let position = 0;
    while (true) {
      const page = this.#frames.segments(position, 1000);
      for (const segment of page) this.#loadSegment(segment);
      const last = page.at(-1);
      if (last === undefined) break;
      position = last.position;
    }
    this.#losses.load(this.#frames.note(lossesNote));
    const newest = this.#segments.at(-1);
    if (newest === undefined) return;
    this.#stream = newest.stream;
    this.#lastPosition = this.#frames.lastPosition();
    newest.lastPosition = this.#lastPosition;
    const last = this.#frames.last(newest.stream);
    if (last === undefined) return;
    newest.lastMs = last.lastMs;
    const { lastMs: timeMs, series } = last;
    this.#lastTick = { timeMs, series, epoch: last.epoch ?? 0, intervalMs: intervalOf(last.bytes) };
  }

  #loadSegment(segment: Segment): void {
    const before = this.#segments.at(-1);
    if (before !== undefined) {
      before.lastPosition = segment.position - 1;
      before.lastMs = segment.firstMs;
    }
    const frames = this.#frames.segmentFrames(segment);
    this.#segments.push({ ...segment, frames, lastPosition: segment.position, lastMs: segment.firstMs });
    this.#frameCount += frames;
  }

  /** Takes over what is here for `stream`; frames of any other agent cannot be sent and are given up as a loss. */
  claim(stream: string): void {
    this.#stream = stream;
    const foreign = this.#segments.filter((segment) => segment.stream !== stream);
    for (const segment of foreign) this.#drop(segment, segment.position, "spool_corrupt");
  }

  get lastPosition(): number {
    return this.#lastPosition;
  }

  get frameCount(): number {
    return this.#frameCount;
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

  #write(): SpooledFrame[] {
    const frames = this.#unwritten;
    const rows = frames.map((frame) => ({ ...frame, kind: 0, stream: this.#stream, skewMs: 0 }));
    let positions: (number | null)[];
    try {
      positions = this.#frames.append(rows, () => this.#noteLosses(false));
    } catch (error) {
      this.#refused(error);
      return [];
    }
    this.#unwritten = [];
    this.#unwrittenBytes = 0;
    this.#losses.noted(false);
    this.#keyWanted = false;
    if (this.#diskFull) this.#options.log.info("spool took frames again", { frames: frames.length });
    this.#diskFull = false;
    return frames.map((frame, index) => this.#added(frame, positions[index] ?? this.#lastPosition));
  }

  #added(frame: Frame, position: number): SpooledFrame {
    const current = this.#segments.at(-1);
    if (frame.key || current === undefined) {
      const { epoch, sequence, firstMs, lastMs } = frame;
      const stream = this.#stream;
      this.#segments.push({
        position,
        stream,
        epoch,
        sequence,
        firstMs,
        lastMs,
        frames: 1,
        lastPosition: position,
      });
    } else {
      current.frames += 1;
      current.lastPosition = position;
      current.lastMs = frame.lastMs;
    }
    this.#frameCount += 1;
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
    }
    this.#diskFull = true;
  }

  /** Damage seen at work: the file is moved aside, what it held and what was on its way into it are lost. */
  #beginAnew(): void {
    this.#frames.close();
    this.#frames = FrameLog.open(this.#fileOptions);
    for (const { firstMs, lastMs, series, samples } of this.#unwritten) {
      this.#losses.add({ reason: "spool_corrupt", fromMs: firstMs, toMs: lastMs, series, samples });
    }
    this.#unwritten = [];
    this.#unwrittenBytes = 0;
    this.#segments = [];
    this.#frameCount = 0;
    this.#keyWanted = true;
    this.#losses.giveBack();
    if (this.#frames.replaced !== null) this.#accountDamage(this.#frames.replaced);
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
    return this.#segmentOf(position)?.position ?? position;
  }

  #segmentOf(position: number): Held | undefined {
    return this.#segments.findLast((segment) => segment.position <= position);
  }

  /** Everything up to `position` is durable at the collector: finished segments go. */
  acknowledge(position: number): void {
    const done = this.#segments.filter(
      (segment, index) => segment.lastPosition <= position && index < this.#segments.length - 1,
    );
    const last = done.at(-1);
    if (last === undefined) return;
    const removed = this.#try("remove acknowledged frames", () =>
      this.#frames.deletePositions(0, last.lastPosition),
    );
    if (!removed) return;
    this.#segments = this.#segments.slice(done.length);
    this.#frameCount -= done.reduce((sum, segment) => sum + segment.frames, 0);
    this.#guarded(undefined, () => this.#frames.reclaim(keepFreeBytes));
  }

  /**
   * Gives up the frame at `position` and what builds on it: it cannot be read, or no collector will have it. False when
   * the disk refused.
   */
  discardFrom(position: number): boolean {
    const segment = this.#segmentOf(position);
    return segment === undefined || this.#drop(segment, position, "spool_corrupt");
  }

  #enforceLimits(): void {
    const { spoolBytesMax, spoolAgeMsMax } = this.#options.limits;
    const beforeMs = this.#options.clock.nowMs() - spoolAgeMsMax;
    while (true) {
      const oldest = this.#droppable();
      if (oldest === undefined) return;
      const expired = oldest.lastMs < beforeMs;
      if (!expired && this.#frames.usedBytes() <= spoolBytesMax) return;
      if (!this.#drop(oldest, oldest.position, expired ? "spool_expired" : "spool_full")) return;
    }
  }

  /**
   * The oldest segment that the collector cannot have. The first frame without an answer is in the oldest segment, and at
   * most a window of frames was sent after it.
   */
  #droppable(): Held | undefined {
    let window = this.#options.limits.unackedFramesMax;
    for (const [index, segment] of this.#segments.entries()) {
      if (index === this.#segments.length - 1) return undefined;
      if (index === 0) continue;
      if (window <= 0) return segment;
      window -= segment.frames;
    }
    return undefined;
  }

  /** Removes `segment` from `fromPosition` on and accounts for it, in one transaction. False when the disk refused. */
  #drop(segment: Held, fromPosition: number, reason: LossRecord["reason"]): boolean {
    const { lastPosition } = segment;
    const totals = this.#guarded(null, () => this.#frames.totals(fromPosition, lastPosition));
    if (totals === null) return false;
    const { samples, series, firstMs, lastMs } = totals;
    for (const loss of this.#carriedLosses(fromPosition, lastPosition)) this.#losses.add(loss);
    if (totals.entries > 0) this.#losses.add({ reason, fromMs: firstMs, toMs: lastMs, series, samples });
    const removed = this.#try("remove frames", () => {
      this.#frames.deletePositions(fromPosition, lastPosition);
      this.#noteLosses(true);
    });
    if (!removed) return false;
    this.#losses.noted(true);
    this.#frameCount -= totals.entries;
    if (segment === this.#segments.at(-1)) this.#keyWanted = true;
    if (fromPosition > segment.position) segment.lastPosition = fromPosition - 1;
    else this.#segments = this.#segments.filter((other) => other !== segment);
    segment.frames -= totals.entries;
    this.#options.log.warn("spooled samples dropped", {
      reason,
      samples,
      series,
      fromMs: firstMs,
      toMs: lastMs,
    });
    return true;
  }

  /** The losses that the frames themselves report: they must not be lost with them. */
  #carriedLosses(fromPosition: number, lastPosition: number): LossRecord[] {
    const decoder = new FrameDecoder();
    const losses: LossRecord[] = [];
    let position = this.segmentStart(fromPosition) - 1;
    while (position < lastPosition) {
      const page = this.after(position, 64, Number.POSITIVE_INFINITY);
      const last = page.at(-1);
      if (last === undefined) break;
      for (const frame of page) {
        if (frame.position > lastPosition) break;
        try {
          const decoded = decoder.decode(frame.bytes);
          if (frame.position >= fromPosition) losses.push(...decoded.losses);
        } catch (error) {
          if (!(error instanceof WireError)) throw error;
          return losses;
        }
      }
      position = last.position;
    }
    return losses;
  }

  #noteLosses(withTaken: boolean): void {
    const changed = this.#losses.changed(withTaken);
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

function intervalOf(bytes: Uint8Array): number {
  try {
    return readHeader(bytes).intervalMs;
  } catch (error) {
    if (!(error instanceof WireError)) throw error;
    return 0;
  }
}
