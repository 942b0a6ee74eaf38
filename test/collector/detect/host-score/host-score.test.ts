import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { HostScore, hostScoreMin } from "#collector/detect/host-score/host-score.ts";
import type { Entity } from "#shared/entity.ts";
import type { Role } from "#shared/semantics.ts";
import { type Column, packSnapshot, unpackSnapshot } from "#shared/snapshot.ts";
import { dayRows, feed, intervalMs, scoreOf, seriesNumber, startMs, usualRows } from "./rows.ts";

/** When the score says something: an hour to choose, half a day and a day to learn. */
const knownRows = Math.ceil((37 * 3_600_000) / intervalMs) + 2;
const noon = 4 * dayRows + dayRows / 4;

/** At noon, for two hours, metric `which` is what it was half a day ago, when the load was low: nothing that it never was. */
function withBroken(rows: readonly (readonly number[])[], which: number): number[][] {
  return rows.map((row, at) => {
    const isBroken = at >= noon && at < noon + 24;
    return row.map((value, metric) =>
      isBroken && metric === which ? rows[at - dayRows / 2]![metric]! : value,
    );
  });
}

test("a metric that leaves the others while it stays in its own range is found, and blamed first", () => {
  for (const seed of [1, 2, 3]) {
    for (const which of [0, 3, 5]) {
      const rows = usualRows(6, 5 * dayRows, seed);
      const told = feed(scoreOf(6), withBroken(rows, which));
      const began = told.find(({ ended }) => !ended)!;
      const lateMs = began.lastMs - (startMs + noon * intervalMs);
      assert.ok(
        lateMs >= 0 && lateMs <= 20 * 60_000,
        `seed ${seed}, metric ${which}: told after ${lateMs} ms`,
      );
      const [metrics] = began.reasons;
      assert.equal(metrics!.key, "reason.host_metrics");
      assert.match(String(metrics!.args["metrics"]), new RegExp(`^app\\.metric_${which} p${which}`));
    }
  }
});

test("what is told is evidence about the host, with its score against what is expected, and it ends", () => {
  const score = scoreOf(6);
  const told = feed(score, withBroken(usualRows(6, 5 * dayRows), 2));
  const [began] = told;
  const ended = told.at(-1)!;
  assert.equal(new Set(told.map(({ id }) => id)).size, 1);
  assert.deepEqual(began!.entity, { kind: "host", host: "h", name: "" });
  assert.equal(began!.role, "evidence");
  assert.equal(began!.detector, "host");
  assert.ok(began!.value >= hostScoreMin && began!.expectedHigh === hostScoreMin && began!.expectedLow === 0);
  assert.ok(
    told.slice(1, -1).every(({ value }, at) => value > told[at]!.value),
    "told again when it has grown",
  );
  assert.ok(ended.ended && !told.slice(0, -1).some((one) => one.ended));
  const share = Number(began!.reasons.find(({ key }) => key === "reason.host_share")!.args["share"]);
  assert.ok(share > 0 && share <= 1, `${share}`);
  assert.equal(score.open(), null);
  assert.equal(score.reading()!.unusual, null);
});

test("ordinary days are about 1 or less, for any host, and nothing is told in them or while learning", () => {
  for (const [metrics, seed] of [
    [3, 1],
    [6, 2],
    [20, 3],
    [64, 4],
  ] as const) {
    const score = scoreOf(metrics);
    const rows = usualRows(metrics, 5 * dayRows, seed);
    assert.deepEqual(feed(score, rows.slice(0, knownRows - 4)), []);
    assert.equal(score.reading(), null, "still learning");
    let sum = 0;
    for (let at = knownRows - 4; at < rows.length; at += 1) {
      assert.deepEqual(feed(score, [rows[at]!], at), [], `${metrics} metrics`);
      sum += score.reading()?.score ?? 0;
    }
    const mean = sum / (rows.length - knownRows);
    assert.ok(mean > 0.4 && mean < 1.1, `${metrics} metrics: ${mean}`);
  }
});

test("what all metrics do at once is found too, and what lasts for days is how the host is now", () => {
  const score = scoreOf(8);
  const rows = usualRows(8, 14 * dayRows).map((row, at) =>
    at < 5 * dayRows ? row : row.map((value) => value * 1.8),
  );
  const told = feed(score, rows);
  assert.ok(told[0]!.lastMs - (startMs + 5 * dayRows * intervalMs) <= 15 * 60_000);
  assert.equal(score.open(), null, "accepted");
  const lastEnd = told.findLast(({ ended }) => ended)!.lastMs;
  assert.ok(lastEnd < startMs + 10 * dayRows * intervalMs, "within days");
  assert.ok(score.reading()!.score < 1.25);
});

test("a quarter of a day without values, or without rows, changes no verdict", () => {
  const rows = usualRows(6, 6 * dayRows);
  const score = scoreOf(6);
  assert.deepEqual(feed(score, rows.slice(0, 3 * dayRows)), []);
  const before = score.reading();
  const nothing = Array.from({ length: dayRows / 4 }, () => Array.from({ length: 6 }, () => Number.NaN));
  assert.deepEqual(feed(score, nothing, 3 * dayRows), []);
  assert.deepEqual(score.reading(), before);
  // Then nobody reports for a quarter of a day.
  assert.deepEqual(feed(score, rows.slice(3.25 * dayRows, 4 * dayRows), 3.25 * dayRows), []);
  assert.deepEqual(feed(score, rows.slice(4.25 * dayRows), 4.25 * dayRows), []);
});

test("what is open ends when nothing is known any more, and is told anew when it is still so", () => {
  const rows = withBroken(usualRows(6, 5 * dayRows), 2);
  const score = scoreOf(6);
  feed(score, rows.slice(0, noon + 12));
  assert.notEqual(score.open(), null);
  const [ended] = feed(score, [rows[0]!.map(() => Number.NaN)], noon + 12);
  assert.deepEqual([ended!.ended, score.open()], [true, null]);
  const [again] = feed(score, rows.slice(noon + 13, noon + 14), noon + 13);
  assert.ok(!again!.ended && again!.id !== ended!.id);
});

test("a metric without a value accuses nobody", () => {
  const rows = usualRows(6, 5 * dayRows);
  const told = feed(
    scoreOf(6),
    rows.map((row, at) =>
      at < 4 * dayRows ? row : row.map((value, metric) => (metric === 4 ? Number.NaN : value)),
    ),
  );
  assert.deepEqual(told, []);
});

test("the unit of a metric changes no verdict: neither its scale nor where its zero is", () => {
  const rows = withBroken(usualRows(5, noon + 40, 7), 1);
  const usual = traceOf(rows);
  const scale = fc.double({ min: 1e-6, max: 1e6, noNaN: true });
  const change = fc.record({
    by: scale,
    sign: fc.constantFrom(1, -1),
    plus: fc.double({ min: -1e4, max: 1e4, noNaN: true }),
  });
  fc.assert(
    fc.property(fc.array(change, { minLength: 5, maxLength: 5 }), (changes) => {
      const changed = traceOf(
        rows.map((row) =>
          row.map((value, metric) => {
            const { by, sign, plus } = changes[metric]!;
            return sign * by * (value + plus);
          }),
        ),
      );
      for (const [at, score] of usual.entries())
        assert.ok(
          Math.abs(score - changed[at]!) <= 0.02 * (1 + score),
          `row ${at}: ${score}, ${changed[at]}`,
        );
    }),
    { numRuns: 15, seed: 1 },
  );
});

function traceOf(rows: readonly (readonly number[])[]): number[] {
  const score = scoreOf(rows[0]!.length);
  return rows.map((row, at) => {
    feed(score, [row], at);
    return score.reading()?.score ?? 0;
  });
}

test("whatever comes, the score is a number: no values, infinities, constants, jumps of the clock", () => {
  const value = fc.oneof(
    { weight: 6, arbitrary: fc.double({ min: -100, max: 100, noNaN: true }) },
    { weight: 1, arbitrary: fc.constantFrom(Number.NaN, Infinity, -Infinity, 0, 1e99, -1e300, 5e-324) },
    { weight: 1, arbitrary: fc.double() },
  );
  const row = fc.record({
    kind: fc.constantFrom("row", "row", "constant", "jump"),
    values: fc.array(value, { minLength: 4, maxLength: 4 }),
    gapMs: fc.constantFrom(60_000, 300_000, 3_600_000, 86_400_000, 400 * 86_400_000, -3_600_000),
  });
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 60 }),
      fc.integer({ min: 0, max: 2 * dayRows }),
      (rows, at) => {
        const score = scoreOf(4);
        feed(score, usualRows(4, at));
        let timeMs = startMs + at * intervalMs;
        for (const { kind, values, gapMs } of rows) {
          timeMs += kind === "jump" ? gapMs : intervalMs;
          const given = Float64Array.from(kind === "constant" ? [3, 3, 3, 3] : values);
          score.push(timeMs, { series: Uint32Array.from([0, 1, 2, 3]), values: given, length: 4 }, 1);
          for (const anomaly of score.take()) {
            assert.ok(Number.isFinite(anomaly.value) && anomaly.value > 0 && Number.isFinite(anomaly.score));
          }
          const reading = score.reading();
          assert.ok(reading === null || (reading.score >= 0 && reading.score < 100), `${reading?.score}`);
        }
        const floats = new Map(score.columns()).get("host/floats") as Float32Array;
        assert.ok(floats.every((one) => Number.isFinite(one)));
      },
    ),
    { numRuns: 60, seed: 1 },
  );
});

/** The score as a snapshot would bring it back. */
function restored(score: HostScore, metrics: number): HostScore {
  const bytes = packSnapshot("test", 1, { meta: score.state(), columns: new Map(score.columns()) });
  const { meta, columns } = unpackSnapshot<ReturnType<HostScore["state"]>>("test", 1, bytes);
  const again = scoreOf(metrics);
  again.restore(meta, (name): Column => columns.get(name)!);
  return again;
}

test("a snapshot at any row changes nothing that follows", () => {
  const rows = withBroken(usualRows(6, 4.5 * dayRows), 2);
  const whole = scoreOf(6);
  const told = feed(whole, rows);
  assert.notEqual(told.length, 0);
  fc.assert(
    fc.property(
      fc.uniqueArray(fc.integer({ min: 1, max: rows.length - 1 }), { minLength: 1, maxLength: 6 }),
      (cuts) => {
        let score = scoreOf(6);
        let from = 0;
        const toldAgain = [];
        for (const cut of [...cuts.sort((a, b) => a - b), rows.length]) {
          toldAgain.push(...feed(score, rows.slice(from, cut), from));
          score = restored(score, 6);
          from = cut;
        }
        assert.deepEqual(toldAgain, told);
        assert.deepEqual(score.state(), whole.state());
        assert.deepEqual(score.columns(), whole.columns());
      },
    ),
    { numRuns: 15, seed: 1 },
  );
});

test("of 300 metrics the 64 that move most are compared, and a host's state stays bounded", () => {
  const moving = usualRows(64, 4 * dayRows, 5);
  // Every fifth metric moves in every row; the others once in four hours.
  const rows = moving.map((row, at) =>
    Array.from({ length: 300 }, (_, metric) =>
      metric % 5 === 0 ? (row[metric / 5] ?? 0) : moving[at - (at % 48)]![metric % 64]!,
    ),
  );
  const score = scoreOf(300);
  feed(score, rows.slice(0, 3 * dayRows));
  const compared = Array.from({ length: 300 }, (_, metric) => metric).filter(
    (metric) => score.blame(metric) > 0,
  );
  const lively = Array.from({ length: 60 }, (_, metric) => 5 * metric);
  assert.equal(compared.length, 64);
  assert.deepEqual(
    lively.filter((metric) => !compared.includes(metric)),
    [],
  );
  const sizeBytes = score.columns().reduce((sum, [, column]) => sum + column.byteLength, 0);
  assert.ok(sizeBytes <= 29 * 1024 + 300 * 7, `${sizeBytes} bytes`);
  const broken = rows.slice(3 * dayRows).map((row) => row.map((value, metric) => (metric > 260 ? 5 : value)));
  const [began] = feed(score, broken, 3 * dayRows);
  assert.match(String(began!.reasons[0]!.args["metrics"]), /^app\.metric_2[6-9]/);
});

test("what comes and goes is not compared, and what is judged by nobody or is a process neither", () => {
  const define = (score: HostScore, number: number, role: Role, kind: Entity["kind"]): void =>
    score.define(number, { role, entity: { kind, host: "h", name: "" } });
  const score = new HostScore("h", seriesNumber);
  for (let number = 0; number < 5; number += 1) define(score, number, "evidence", "host");
  define(score, 5, "context", "host");
  define(score, 6, "evidence", "process");
  define(score, 7, "symptom", "disk");
  const rows = usualRows(8, 3 * dayRows).map((row, at) => (at % 3 === 0 ? row.with(4, Number.NaN) : row));
  feed(score, rows);
  const compared = Array.from({ length: 8 }, (_, number) => number).filter(
    (number) => score.blame(number) > 0,
  );
  assert.deepEqual(compared, [0, 1, 2, 3, 7]);
});

test("a metric that appears is compared once it is known, and the others are judged all the while", () => {
  const all = usualRows(7, 8 * dayRows);
  const rows = all.map((row, at) => (at < 3 * dayRows ? row.with(6, Number.NaN) : row));
  const score = scoreOf(7);
  const told = feed(score, rows.slice(0, 3 * dayRows));
  let newcomerFrom = -1;
  for (let at = 3 * dayRows; at < rows.length; at += 1) {
    told.push(...feed(score, [rows[at]!], at));
    assert.notEqual(score.reading(), null, "judged all the while");
    if (newcomerFrom < 0 && score.blame(6) > 0) newcomerFrom = at;
  }
  const days = newcomerFrom / dayRows - 3;
  assert.ok(days >= 1.5 && days <= 4, `${days} days: until the next choice, half a day, and a day`);
  assert.deepEqual(told, [], "its appearance is no anomaly");
});

test("a number that becomes another series is learned anew, as a metric that appears", () => {
  const rows = usualRows(6, 7 * dayRows);
  const score = scoreOf(6);
  feed(score, rows.slice(0, 3 * dayRows));
  score.define(2, { role: "evidence", entity: { kind: "host", host: "h", name: "" } });
  const other = rows.map((row) => row.with(2, 1000 + 50 * row[2]!));
  assert.deepEqual(feed(score, other.slice(3 * dayRows), 3 * dayRows), []);
  assert.ok(score.blame(2) > 0, "judged again at the end");
});
