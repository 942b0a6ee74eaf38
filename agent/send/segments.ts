/** The spool's list of segments, oldest first: what is where, what may go. Mirrors what is on the disk. */
import type { FrameLog, Segment } from "#shared/frame-log.ts";

export interface SpoolSegment extends Segment {
  frames: number;
  lastPosition: number;
  lastMs: number;
}

export class Segments {
  /** The last one is still growing, or was when the agent stopped. */
  #list: SpoolSegment[] = [];

  /** Reads the list from the disk: one look at the index of key frames, one at that of frames. */
  load(frames: FrameLog): void {
    let position = 0;
    while (true) {
      const page = frames.segments(position, 1000);
      for (const segment of page) this.#loaded(segment, frames.segmentFrames(segment));
      const last = page.at(-1);
      if (last === undefined) break;
      position = last.position;
    }
    const newest = this.newest;
    if (newest === undefined) return;
    newest.lastPosition = frames.lastPosition();
    newest.lastMs = frames.last(newest.stream)?.lastMs ?? newest.firstMs;
  }

  #loaded(segment: Segment, frames: number): void {
    const before = this.newest;
    if (before !== undefined) {
      before.lastPosition = segment.position - 1;
      before.lastMs = segment.firstMs;
    }
    this.#list.push({ ...segment, frames, lastPosition: segment.position, lastMs: segment.firstMs });
  }

  get newest(): SpoolSegment | undefined {
    return this.#list.at(-1);
  }

  get frameCount(): number {
    return this.#list.reduce((sum, { frames }) => sum + frames, 0);
  }

  /** The segment of the frame at `position`. */
  of(position: number): SpoolSegment | undefined {
    return this.#list.findLast((segment) => segment.position <= position);
  }

  notOf(stream: string): SpoolSegment[] {
    return this.#list.filter((segment) => segment.stream !== stream);
  }

  begin(segment: Segment, lastMs: number): void {
    this.#list.push({ ...segment, frames: 1, lastPosition: segment.position, lastMs });
  }

  grow(position: number, lastMs: number): void {
    const { newest } = this;
    if (newest === undefined) return;
    newest.frames += 1;
    newest.lastPosition = position;
    newest.lastMs = lastMs;
  }

  /** Finished segments all of whose frames are at or before `position`. */
  done(position: number): SpoolSegment[] {
    return this.#list.filter((segment) => segment.lastPosition <= position && segment !== this.newest);
  }

  /**
   * The oldest segment that the collector cannot have. The first frame without an answer is in the oldest segment, and at
   * most a window of frames was sent after it.
   */
  droppable(windowFrames: number): SpoolSegment | undefined {
    let window = windowFrames;
    for (const segment of this.#list.slice(1, -1)) {
      if (window <= 0) return segment;
      window -= segment.frames;
    }
    return undefined;
  }

  remove(gone: readonly SpoolSegment[]): void {
    this.#list = this.#list.filter((segment) => !gone.includes(segment));
  }

  /** The last `frames` frames of `segment`, those from `fromPosition` on, are gone. */
  shorten(segment: SpoolSegment, fromPosition: number, frames: number): void {
    segment.frames -= frames;
    if (fromPosition > segment.position) segment.lastPosition = fromPosition - 1;
    else this.remove([segment]);
  }

  clear(): void {
    this.#list = [];
  }
}
