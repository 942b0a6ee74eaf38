/**
 * What the journal forgets: whole oldest segments, so that what stays can be decoded.
 *
 * The last segment of a stream stays while it is young, however full the file is: it tells which frame of that agent came
 * last, and the agent's next frame may build on it. What retention removes is no loss: it was kept as long as promised.
 */
import type { FrameLog } from "#shared/frame-log.ts";

/** Segments removed in one call, so that the event loop gets its turn; the next call goes on. */
const segmentsMax = 256;
/** Free pages kept for the next entries instead of given back to the file system. */
const keepFreeBytes = 64 * 1024 * 1024;

export interface Retention {
  readonly bytesMax: number;
  /** What ended before this is too old. */
  readonly beforeMs: number;
  /** Nothing after this position is removed: a consumer has not seen it. */
  readonly consumedPosition: number;
}

export function trimOldest(frames: FrameLog, retention: Retention): { segments: number; frames: number } {
  const { bytesMax, beforeMs, consumedPosition } = retention;
  const removed = { segments: 0, frames: 0 };
  let keptFrom = consumedPosition;
  for (const segment of oldestFirst(frames)) {
    const next = frames.segmentAfter(segment);
    const endMs = next?.firstMs ?? frames.last(segment.stream)?.lastMs ?? segment.firstMs;
    const old = endMs < beforeMs;
    const full = frames.usedBytes() > bytesMax;
    if (old || (full && next !== undefined)) {
      if (segment.position > consumedPosition || removed.segments === segmentsMax) break;
      removed.frames += frames.transaction("remove a segment of", () => frames.deleteSegment(segment));
      removed.segments += 1;
      continue;
    }
    keptFrom = Math.min(keptFrom, segment.position);
    // Segments begin in the order of their age: what follows is younger still.
    if (!full) break;
  }
  frames.transaction("remove old entries of", () => {
    frames.deleteOthers(keptFrom, beforeMs);
    frames.deleteTally(beforeMs);
  });
  frames.reclaim(keepFreeBytes);
  return removed;
}

function* oldestFirst(frames: FrameLog) {
  let position = 0;
  while (true) {
    const page = frames.segments(position, segmentsMax);
    yield* page;
    const last = page.at(-1);
    if (last === undefined) return;
    position = last.position;
  }
}
