/**
 * The whole evaluation on the corpus that is made by code, through files and the command, in a few seconds and without any data.
 *
 * What is asserted holds for any honest detector; how good the product is is not a test's to say.
 */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { baselines } from "./baselines.ts";
import { makeCorpus } from "./corpus.ts";
import { type LabelledHost, regularTimes, type SeriesInput } from "./data/series.ts";
import { writeCorpus } from "./data/write.ts";
import { runEval } from "./eval.ts";
import { product } from "./judge.ts";
import type { Figures } from "./report.ts";

const corpus = makeCorpus(7);
let folder = "";
const fileOf = (name: string): string => join(folder, name);

before(() => {
  folder = mkdtempSync(join(tmpdir(), "causeway-eval-"));
  writeCorpus(fileOf("data"), corpus);
});
after(() => rmSync(folder, { recursive: true }));

interface Ran {
  readonly code: number;
  readonly lines: readonly string[];
  readonly errors: readonly string[];
}

async function run(...args: readonly string[]): Promise<Ran> {
  const [lines, errors]: [string[], string[]] = [[], []];
  const code = await runEval(
    ["detection", ...args],
    (line) => void lines.push(line),
    (line) => void errors.push(line),
  );
  return { code, lines, errors };
}

async function figuresOf(...args: readonly string[]): Promise<Figures> {
  const path = fileOf("figures.json");
  const { code, errors } = await run("--data", fileOf("data"), "--json", path, ...args);
  assert.equal(code, 0, errors.join("\n"));
  return JSON.parse(readFileSync(path, "utf8")) as Figures;
}

test("the figures have the keys that others rely on, and every one is a finite number", async () => {
  const figures = await figuresOf();
  const fitted = ["nab.standard", "nab.low_fp", "nab.low_fn", "kpi2018.delay7_f1", "wsd.delay7_f1"];
  const wanted = [
    ...fitted,
    ...fitted.map((key) => `${key}.train_threshold`),
    ...fitted.map((key) => `${key}.shipped`),
    "kpi2018.event_f1",
    "kpi2018.event_f1.capped.train_threshold",
    "wsd.event_f1",
    "wsd.event_f1.capped",
    "nab.windows_hit",
    "nab.false_rows",
    "nab.alarms_per_series_day",
    "kpi2018.alarms_per_series_day",
    "wsd.alarms_per_series_day",
    "kpi2018.vus_pr",
    "kpi2018.affiliation_f1",
    "smd.point_f1",
    "smd.point_f1.shipped",
    "smd.point_f1.random",
    "asd.point_f1",
    "asd.point_f1.shipped",
    "asd.point_f1.random",
    "smd.event_f1.shipped",
    "smd.vus_pr",
    "smd.hit_rate_100",
    "smd.hit_rate_150",
  ];
  for (const key of wanted) assert.ok(key in figures, `${key} is missing`);
  for (const [key, value] of Object.entries(figures)) assert.ok(Number.isFinite(value), `${key} is ${value}`);
});

test("knowing nothing earns what it should, and the product far more", async () => {
  const figures = await figuresOf();
  for (const profile of ["standard", "low_fp", "low_fn"]) assert.equal(figures[`nab.${profile}.null`], 0);
  const beats = (key: string, nobody: string, by: number): void =>
    assert.ok(figures[key]! >= figures[nobody]! + by, `${key} ${figures[key]}, ${nobody} ${figures[nobody]}`);
  beats("nab.low_fp", "nab.low_fp.random", 20);
  beats("kpi2018.event_f1", "kpi2018.event_f1.random", 0.2);
  beats("smd.hit_rate_100", "smd.hit_rate_100.random", 0.2);
  beats("asd.hit_rate_100", "asd.hit_rate_100.random", 0.2);
});

test("thresholds that one run wrote give another run the same figures", async () => {
  const fitted = await figuresOf();
  const path = fileOf("thresholds.json");
  writeFileSync(path, JSON.stringify(fitted));
  assert.deepEqual(await figuresOf("--thresholds", path), fitted);
});

test("thresholds from elsewhere are used as they are, not fitted again", async () => {
  const path = fileOf("strict.json");
  const strict = Object.fromEntries(
    ["nab.standard", "nab.low_fp", "nab.low_fn"].map((key) => [`${key}.train_threshold`, 1e30]),
  );
  writeFileSync(path, JSON.stringify(strict));
  const figures = await figuresOf("--thresholds", path, "--only", "nab");
  assert.deepEqual([figures["nab.standard"], figures["nab.windows_hit"]], [0, 0]);
  const { code, errors } = await run("--data", fileOf("data"), "--thresholds", path, "--only", "wsd");
  assert.equal(code, 2);
  assert.match(
    errors.join("\n"),
    /strict\.json: want a number "wsd\.delay7_f1\.train_threshold", got undefined/,
  );
});

test("the same data give the same page, with rivals, look-ahead and misses", async () => {
  const pages: string[] = [];
  for (const name of ["first.md", "second.md"]) {
    const { code } = await run("--data", fileOf("data"), "--results", fileOf(name), "--baselines");
    assert.equal(code, 0);
    pages.push(readFileSync(fileOf(name), "utf8"));
  }
  const [first, second] = pages;
  assert.equal(first, second);
  assert.match(first!, /npm run eval -- detection --data DIR --baselines/);
  assert.match(
    first!,
    /\| ARTime \| 74\.9 \| 65\.1 \| 80\.4 \| 106 \| 217 \| the range of the whole file \|/,
  );
  assert.match(first!, /\*\*Windows that were missed\*\*/);
  assert.match(first!, /\| wsd\.event_f1 \| \*\*kmeans\*\* \|/);
});

test("figures of baselines stand under their own names", async () => {
  const figures = await figuresOf("--baselines", "--only", "kpi2018");
  for (const { name } of baselines) assert.ok(`baselines.${name}.kpi2018.event_f1` in figures, name);
  assert.ok("kpi2018.event_f1" in figures);
});

test("without data one line says where data are", async () => {
  const { code, errors } = await run();
  assert.equal(code, 2);
  assert.equal(errors.length, 1);
  assert.match(errors[0]!, /--data DIR or CAUSEWAY_DATA; NAB github\.com\/numenta\/NAB/);
  assert.match(
    (await run("--data", fileOf("nowhere"))).errors[0]!,
    /nowhere: has none of nab, .* github\.com/,
  );
});

test("a set that the folder lacks is skipped, and that is said", async () => {
  rmSync(join(fileOf("data"), "asd"), { recursive: true });
  const { code, lines } = await run("--data", fileOf("data"), "--only", "asd,smd");
  assert.equal(code, 0);
  assert.equal(lines[0], "asd: not in the folder, skipped");
  writeCorpus(fileOf("data"), corpus);
});

test("an unknown set, option or evaluation is refused", async () => {
  assert.match(
    (await run("--data", folder, "--only", "nap")).errors[0]!,
    /--only: want some of nab,.* got "nap"/,
  );
  assert.match((await run("--date", folder)).errors[0]!, /--date/);
  const errors: string[] = [];
  const ignore = (): void => {};
  assert.equal(await runEval(["detektion"], ignore, (line) => void errors.push(line)), 2);
  assert.match(
    errors[0]!,
    /want one of detection, quiet, warm-up, exam, root-cause, drill-down, got "detektion"/,
  );
});

/** Steps repeat and jump, values are absent: what recorded series have. */
const uneven: SeriesInput = {
  timesMs: regularTimes(Date.UTC(2024, 0, 1), 300_000, 1200).map(
    (time, row) => time + (row > 500 ? 7_200_000 : 0) - (row === 300 ? 300_000 : 0),
  ),
  values: corpus.kpi2018[0]!.values.slice(0, 1200).map((value, row) => (row % 97 === 5 ? NaN : value)),
  intervalMs: 300_000,
};

for (const judge of [product, ...baselines]) {
  test(`${judge.name} knows no future: a prefix has the severities that it has in the whole`, () => {
    const [first] = corpus.kpi2018;
    for (const { timesMs, values, intervalMs } of [first!, corpus.wsd[3]!, corpus.nab[1]!, uneven]) {
      const whole = judge.judgeSeries({ timesMs, values, intervalMs });
      for (const rows of [1, 700, 1130]) {
        const prefix = { timesMs: timesMs.slice(0, rows), values: values.slice(0, rows), intervalMs };
        assert.deepEqual(judge.judgeSeries(prefix), whole.slice(0, rows));
      }
    }
    const { timesMs, rows: all, dims, intervalMs } = corpus.smd[0] as LabelledHost;
    const whole = judge.judgeHost({ timesMs, rows: all, dims, intervalMs });
    const rows = 1850;
    const prefix = { timesMs: timesMs.slice(0, rows), rows: all.slice(0, rows * dims), dims, intervalMs };
    assert.deepEqual(judge.judgeHost(prefix), {
      host: whole.host.slice(0, rows),
      perMetric: whole.perMetric.slice(0, rows * dims),
    });
  });
}
