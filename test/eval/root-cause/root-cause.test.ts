/**
 * The evaluation of root causes on cases that are made by code, through files and the command, without any data.
 *
 * What is asserted holds for any honest ranker; how good the product is is not a test's to say.
 */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { gzipSync } from "node:zlib";
import { runEval } from "../eval.ts";
import type { Figures } from "../report.ts";
import { withSection } from "../sections.ts";
import { readCases } from "./cases.ts";
import { makeCases, writeCases } from "./corpus.ts";
import { clockErrorsS, isGuilty } from "./evaluate.ts";
import { examplesOf, fitLogistic, probability } from "./make-calibration.ts";
import { nsigma, robustScorer } from "./rankers.ts";
import { measureOf, wordsOf } from "./words.ts";

let folder = "";
const fileOf = (name: string): string => join(folder, name);

before(() => {
  folder = mkdtempSync(join(tmpdir(), "causeway-root-cause-"));
  mkdirSync(fileOf("rca"));
  writeCases(fileOf("rca/shop.ndjson.gz"), makeCases(3));
});
after(() => rmSync(folder, { recursive: true }));

async function run(...args: readonly string[]): Promise<{ code: number; lines: string[]; errors: string[] }> {
  const [lines, errors]: [string[], string[]] = [[], []];
  const code = await runEval(
    ["root-cause", ...args],
    (line) => void lines.push(line),
    (line) => void errors.push(line),
  );
  return { code, lines, errors };
}

test("every figure has its key and is a finite number, for the product and for those beside it", async () => {
  const path = fileOf("figures.json");
  const { code, errors } = await run("--data", folder, "--json", path);
  assert.equal(code, 0, errors.join("\n"));
  const figures = JSON.parse(readFileSync(path, "utf8")) as Figures;
  for (const start of ["", "baselines.nsigma.", "baselines.robustscorer."]) {
    for (const part of ["shop", "shop.visible", "shop.metric"]) {
      for (const what of ["ac1", "ac3", "avg5", "ac1.low", "ac1.high", "ac1.clock-30s", "ac1.clock+60s"]) {
        assert.ok(`${start}${part}.${what}` in figures, `${start}${part}.${what}`);
      }
    }
  }
  for (const key of [
    "rank.mean_ms",
    "rank.p99_ms",
    "shop.named",
    "shop.quiet.named",
    "shop.confidence.brier",
  ]) {
    assert.ok(key in figures, key);
  }
  for (const [key, value] of Object.entries(figures)) assert.ok(Number.isFinite(value), `${key} is ${value}`);
  assert.ok(figures["shop.visible.ac1"]! > 0.9, `AC@1 is ${figures["shop.visible.ac1"]}`);
  const late = "shop.visible.ac1.clock+60s";
  assert.ok(figures[late]! > figures[`baselines.nsigma.${late}`]!);
  assert.deepEqual([figures["shop.cases"], figures["shop.visible.cases"]], [29, 23]);
});

test("nothing is blamed with confidence where nothing is wrong", async () => {
  const path = fileOf("figures.json");
  await run("--data", folder, "--json", path);
  const figures = JSON.parse(readFileSync(path, "utf8")) as Figures;
  assert.equal(figures["shop.quiet.named"], 0);
});

test("the same cases give the same section, and other sections stay", async () => {
  const page = fileOf("page.md");
  writeFileSync(page, "# Something else\n\nkept\n");
  await run("--data", folder, "--results", page);
  const once = readFileSync(page, "utf8");
  await run("--data", folder, "--results", page);
  assert.equal(readFileSync(page, "utf8"), once);
  assert.match(once, /^# Something else\n\nkept\n\n# Root causes on public data\n/);
  assert.match(once, /\| all \| NSigma \| 29 \|/);
  assert.match(once, /\*\*Misses\*\*/);
});

test("a section takes the place of the one with its heading", () => {
  const page = withSection("# a\n\nold\n\n# b\n\nstays\n", "# a\n\nnew\n");
  assert.equal(page, "# a\n\nnew\n\n# b\n\nstays\n");
});

test("every file of the folder is a system, and what is not there is said", async () => {
  writeCases(fileOf("rca/other.ndjson.gz"), makeCases(4).slice(0, 3));
  const { lines } = await run("--data", fileOf("rca"), "--only", "other");
  assert.ok(lines.some((line) => /^ *other +ranker/.test(line)));
  assert.match(
    (await run("--data", folder, "--only", "third")).errors[0]!,
    /some of other,shop, got "third"/,
  );
  assert.match(
    (await run("--data", tmpdir())).errors[0]!,
    /neither it nor its folder rca has a NAME\.ndjson\.gz/,
  );
  assert.match((await run()).errors[0]!, /--data DIR or CAUSEWAY_DATA; cases are made from/);
  rmSync(fileOf("rca/other.ndjson.gz"));
});

test("a damaged file stops the run with its name, its line and what was expected", () => {
  const path = fileOf("bad.ndjson.gz");
  writeFileSync(path, "no gzip");
  assert.throws(() => readCases(path), /bad\.ndjson\.gz: want gzip of one JSON a line/);
  writeFileSync(path, gzipSync('{"dt":1,"nPre":0,"series":[],"edges":[],"gt":{"entity":"a"}}\n'));
  assert.throws(() => readCases(path), /line 1: want "nPre" as a whole number of samples above 0/);
  writeFileSync(path, gzipSync('{"dt":1,"nPre":3,"series":[],"edges":[],"gt":{}}\n'));
  assert.throws(() => readCases(path), /line 1: want "gt" with an "entity"/);
});

test("the clock of a case begins with its fault, and an error of the clock moves only the detection", () => {
  const [one] = readCases(fileOf("rca/shop.ndjson.gz"));
  const { timesMs } = one!.series[0]!;
  assert.deepEqual([timesMs[119], timesMs[120]], [-5000, 0]);
  assert.deepEqual(
    clockErrorsS.map((errorS) => one!.window(errorS * 1000).detectedMs),
    [-30_000, 0, 30_000, 60_000, 90_000, 120_000],
  );
  const quiet = one!.quietWindow();
  // 600 s of past, the last 150 s left out: two thirds of 450 s.
  assert.equal(quiet.detectedMs, -300_000);
  for (const { timesMs: times } of quiet.series) assert.ok(times.at(-1)! < 0);
});

test("a name's words and unit say what it measures", () => {
  const measured = (name: string, isEdge = false): string => {
    const { kind, resource, at, unit } = measureOf({ name, isEdge, isEntry: false, largest: 50 });
    return [kind, resource, at, unit].join(" ");
  };
  assert.deepEqual(wordsOf("PodServerLatencyP95(s)"), ["pod", "server", "latency", "p95"]);
  assert.equal(measured("NodeCpuUsageRate(%)"), "utilisation cpu host %");
  assert.equal(measured("orders_mem"), "utilisation memory itself ");
  assert.equal(measured("PodClientLatencyP95(s)"), "latency none callees s");
  assert.equal(measured("srcLatency", true), "latency none caller ");
  assert.equal(measured("dstLatency", true), "latency none callee ");
  assert.equal(measured("edgeNetGap", true), "latency none gap ");
  assert.equal(measured("availability.Average"), "errors none itself ");
  assert.equal(measured("requests.Sum"), "traffic none itself ");
  assert.equal(measured("http_request_duration_seconds"), "latency none itself s");
  assert.equal(measured("http_requests_total"), "traffic none itself ");
  assert.equal(measured("http_requests_failed_total"), "errors none itself ");
  assert.equal(measured("causeway.cgroup.cpu.throttled.time"), "saturation cpu itself ");
  assert.equal(measured("system.network.io"), "traffic network itself ");
  assert.equal(measured("worker_queue_depth"), "saturation none itself ");
  assert.equal(measured("causeway.listen.sockets"), "state process itself ");
  assert.equal(measured("causeway.edge.rtt_ms", true), "latency none gap ms");
  assert.equal(measured("temperature"), "counter none itself ");
  assert.equal(measureOf({ name: "success", isEdge: false, isEntry: false, largest: 1 }).full, 1);
  assert.equal(measureOf({ name: "MemoryUsage(Mi)", isEdge: false, isEntry: false, largest: 9 }).floor, 128);
});

test("what is counted up is judged by what it grows by, and a restart is no drop", () => {
  const line = (v: readonly (number | null)[]) =>
    `${JSON.stringify({ id: "x", fault: "none", dt: 1, tin: 0, nPre: 3, t: [], series: [{ e: "a", m: "requests_total", v }], edges: [], gt: { entity: "a" } })}\n`;
  const path = fileOf("counted.ndjson.gz");
  writeFileSync(path, gzipSync(line([10, 15, null, 25, 3]) + line([10, 9, 11, 8, 10])));
  const [counted, gauge] = readCases(path).map(({ series: [one] }) => [...one!.values]);
  assert.deepEqual(counted, [NaN, 5, NaN, 10, 3]);
  assert.deepEqual(gauge, [10, 9, 11, 8, 10]);
});

test("a metric is right when it is the guilty entity's and named, or measures what is named", () => {
  const truth = { entity: "a", metrics: ["CpuUsage(%)"] };
  const cpu = { entity: "a", series: "CpuUsage(%)", kind: "utilisation" } as const;
  assert.equal(isGuilty(cpu, truth), true);
  assert.equal(isGuilty({ ...cpu, entity: "b" }, truth), false);
  assert.equal(isGuilty({ ...cpu, series: "MemoryUsage(Mi)" }, truth), false);
  const edge = { entity: "b", caller: "a", series: "srcLatency:a", kind: "latency" } as const;
  assert.equal(isGuilty(edge, { entity: "a", metrics: ["latency"] }), true);
  assert.equal(isGuilty(edge, truth), false);
});

test("NSigma and RobustScorer score as their authors say", () => {
  const timesMs = Float64Array.from([-4, -3, -2, -1, 0, 1]);
  const made = (entity: string, values: readonly number[]) => ({
    id: "x",
    entity,
    measure: measureOf({ name: "load", isEdge: false, isEntry: false, largest: 9 }),
    timesMs,
    values: Float64Array.from(values),
  });
  // a: mean 2, deviation 1, so 5 is three away. b: mean 2.5, deviation 1.118; 4 is 1.3 away. c is constant before.
  const series = [
    made("b", [1, 2, 3, 4, 4, 3]),
    made("a", [1, 3, 1, 3, 5, 4]),
    made("c", [1, 1, 1, 1, 9, 8]),
  ];
  const window = { detectedMs: 0, series, calls: [] };
  assert.deepEqual(nsigma.rank(window).entities, ["c", "a", "b"]);
  assert.deepEqual(robustScorer.rank(window).entities, ["a", "b"]);
});

test("a logistic regression finds the probabilities that examples were drawn from", () => {
  const examples = [0, 1].flatMap((input) =>
    Array.from({ length: 1000 }, (_, place) => ({
      system: "made",
      inputs: [1, input],
      right: place < (input === 0 ? 200 : 700),
      weight: 1,
    })),
  );
  const fitted = fitLogistic(examples);
  assert.ok(Math.abs(probability(fitted, [1, 0]) - 0.2) < 0.01);
  assert.ok(Math.abs(probability(fitted, [1, 1]) - 0.7) < 0.01);
});

test("of a case three windows are learned from: noticed at once, noticed late, and before anything was wrong", () => {
  const cases = readCases(fileOf("rca/shop.ndjson.gz"));
  const examples = examplesOf("shop", cases);
  assert.equal(examples.length, 3 * cases.length);
  assert.ok(examples.every(({ right }, place) => place % 3 !== 2 || !right));
});
