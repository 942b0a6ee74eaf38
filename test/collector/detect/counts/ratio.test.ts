import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { bucket, FlowRows, rowLength } from "#collector/detect/counts/flow-row.ts";
import { badEnds, judgeRatio, learnRatio } from "#collector/detect/counts/ratio.ts";
import { addCounts, clearWindows, skipTo, WindowSum, windowsMs } from "#collector/detect/counts/windows.ts";
import { minuteMs, startMs } from "./flow-days.ts";

interface Piece {
  readonly ms: number;
  readonly events: number;
  readonly failures: number;
}

/** The windows after these pieces, one after another. */
function windowsOf(pieces: readonly Piece[]): { rows: Float64Array; closed: number[] } {
  const rows = new FlowRows();
  const at = rows.take();
  const closed: number[] = [];
  clearWindows(rows.values, at, startMs);
  skipTo(rows.values, at, startMs);
  let timeMs = startMs;
  for (const { ms, events, failures } of pieces) {
    timeMs += ms;
    addCounts(rows.values, at, timeMs, { events, failures, refusals: 0 }, (endMs) => closed.push(endMs));
  }
  return { rows: rows.values, closed };
}

const pieces = fc.array(
  fc.record({
    ms: fc.integer({ min: 1, max: 40 }).map((seconds) => seconds * 5_000),
    events: fc.integer({ min: 0, max: 500 }),
    failures: fc.integer({ min: 0, max: 20 }),
  }),
  { minLength: 1, maxLength: 60 },
);

test("windows hold what came in them, exactly", () => {
  fc.assert(
    fc.property(pieces, (all) => {
      const { rows } = windowsOf(all);
      const endMs = all.reduce((sum, { ms }) => sum + ms, startMs);
      for (const [index, sizeMs] of windowsMs.entries()) {
        const window = new WindowSum().sum(rows, 0, index, bucket.failures);
        const pieceMs = sizeMs === 60 * minuteMs ? 5 * minuteMs : minuteMs;
        const length = Math.max(2, sizeMs / pieceMs);
        const fromMs = Math.max(startMs, (Math.floor(endMs / pieceMs) + 1 - length) * pieceMs);
        let [events, failures, toMs] = [0, 0, startMs];
        for (const piece of all) {
          const sinceMs = toMs;
          toMs += piece.ms;
          const share = Math.max(0, toMs - Math.max(fromMs, sinceMs)) / piece.ms;
          events += piece.events * share;
          failures += piece.failures * share;
        }
        assert.ok(Math.abs(window.events - events) < 1e-6, `${sizeMs}: ${window.events}, want ${events}`);
        assert.ok(Math.abs(window.bad - failures) < 1e-6);
        assert.equal(window.spanMs, endMs - fromMs);
      }
    }),
    { seed: 3, numRuns: 60 },
  );
});

test("a tick that comes as two gives the same sums", () => {
  fc.assert(
    fc.property(pieces, fc.double({ min: 0.01, max: 0.99, noNaN: true }), (all, share) => {
      const halved = all.flatMap(({ ms, events, failures }) => {
        const first = Math.max(1, Math.floor(ms * share));
        const part = first / ms;
        return [
          { ms: first, events: events * part, failures: failures * part },
          { ms: ms - first, events: events * (1 - part), failures: failures * (1 - part) },
        ];
      });
      const [whole, split] = [windowsOf(all), windowsOf(halved)];
      assert.deepEqual(split.closed, whole.closed);
      for (let index = 0; index < rowLength; index += 1)
        assert.ok(Math.abs(split.rows[index]! - whole.rows[index]!) < 1e-6, `place ${index}`);
    }),
    { seed: 4, numRuns: 60 },
  );
});

/** A flow whose minutes all bring the same, for so long; then one minute. */
function after(usual: Piece, minutes: number, last: { events: number; failures: number }) {
  const rows = new FlowRows();
  const at = rows.take();
  const [failures] = badEnds;
  clearWindows(rows.values, at, startMs);
  skipTo(rows.values, at, startMs);
  for (let minute = 1; minute <= minutes; minute += 1) {
    const tick = { ...usual, failures: minute % 10 === 0 ? 10 * usual.failures : 0, refusals: 0 };
    addCounts(rows.values, at, startMs + minute * minuteMs, tick, (endMs) =>
      learnRatio(rows.values, at, failures!, endMs, minuteMs),
    );
  }
  const endMs = startMs + (minutes + 1) * minuteMs - 1_000;
  addCounts(rows.values, at, endMs, { ...last, refusals: 0 }, () => {});
  return judgeRatio(rows.values, at, failures!, minuteMs, 1);
}

test("more failures of as many never count less", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 2_000 }),
      fc.constantFrom(0, 0.002, 0.05),
      fc.integer({ min: 20, max: 300 }),
      (events, share, minutes) => {
        const usual = { ms: minuteMs, events: 200, failures: 200 * share };
        let before = -1;
        for (const part of [0, 0.005, 0.02, 0.1, 0.3, 0.6, 1]) {
          const score = after(usual, minutes, { events, failures: Math.round(events * part) })?.score ?? -1;
          // A shorter window is told rather than a longer one that is hardly less probable.
          assert.ok(score >= before - 1, `${part}: ${score} after ${before}`);
          assert.ok(before < 0 || score >= 0, `${part} is not told, less was`);
          before = score;
        }
      },
    ),
    { seed: 5, numRuns: 60 },
  );
});

test("of a new flow more than half of twenty is told, of one known for minutes less and less, and it is provisional", () => {
  const usual = { ms: minuteMs, events: 10, failures: 0 };
  assert.equal(after(usual, 5, { events: 40, failures: 15 }), null);
  const soon = after(usual, 20, { events: 40, failures: 15 });
  assert.ok(soon !== null && !soon.ready && !soon.most);
  assert.equal(after(usual, 20, { events: 40, failures: 7 }), null);
  const most = after(usual, 1, { events: 40, failures: 39 });
  assert.ok(most !== null && !most.ready && most.most);
  const known = after(usual, 60, { events: 40, failures: 39 });
  assert.ok(known !== null && known.ready && known.most);
});
