/** The evaluation of the drill-down on cases made by code, through files and the command, without any data. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { loadCases, spelled } from "./drill-down/cases.ts";
import { ratioCases, volumeCases } from "./drill-down/corpus.ts";
import { figuresOf, scored } from "./drill-down/figures.ts";
import { drillPage } from "./drill-down/page.ts";
import { runDrillDown } from "./drill-down.ts";
import { runEval } from "./eval.ts";

let folder = "";
before(() => void (folder = mkdtempSync(join(tmpdir(), "causeway-drill-"))));
after(() => rmSync(folder, { recursive: true }));

function writeCase(truth: unknown, csv: string): void {
  writeFileSync(join(folder, "truth.json"), JSON.stringify(truth));
  writeFileSync(join(folder, "one.csv"), csv);
}

const csv = [
  "min,channel,value,cnt,product",
  ...[60, 120, 180, 240].flatMap((minute) =>
    ["web", "app"].flatMap((channel) =>
      ["pay", "query"].map((product) => {
        const failed = minute === 240 && channel === "app" && product === "pay" ? 80 : minute === 120 ? 9 : 1;
        return `${minute},${channel},${failed},100,${product}`;
      }),
    ),
  ),
].join("\n");
const truth = [{ data: "one", timestamp: 240, cause: "{'product':'pay', 'channel':'app'}" }];

test("what fails is found, and far oftener than by explaining one attribute at a time", () => {
  const run = runDrillDown(ratioCases(25, [4, 3, 5], 7), volumeCases(5, [5, 4, 3], 7));
  const top1 = run.figures["drilldown.top1"]!;
  assert.ok(top1 >= 0.8, `top 1 is ${top1}`);
  assert.ok(top1 >= run.figures["baselines.adtributor.drilldown.top1"]! + 0.2);
  for (const key of ["drilldown.f1", "drilldown.p99_ms", "drilldown.volume.f1", "drilldown.volume.p99_ms"])
    assert.ok(Number.isFinite(run.figures[key]), key);
});

test("the same cases give the same page", () => {
  const page = (): string => drillPage(runDrillDown(ratioCases(5, [3, 3], 1), volumeCases(2, [4, 3], 1)));
  assert.equal(page(), page());
  assert.match(page(), /^# Drill-down on public data\n[^]*\| RobustSpot, one answer \| 0\.640 \| 0\.654 \|/);
});

test("a case is read from its files: the minute that is asked about, and the calmer half of those before", () => {
  writeCase(truth, csv);
  const [one, ...others] = loadCases(folder);
  assert.equal(others.length, 0);
  assert.deepEqual(one!.guilty, ["channel=app&product=pay"]);
  assert.deepEqual([...one!.attempts], [100, 100, 100, 100]);
  // Of three minutes before the two calm ones; the one with 9 failures is none of them.
  assert.deepEqual([...one!.usualAttempts], [200, 200, 200, 200]);
  assert.deepEqual([...one!.usualFailures], [2, 2, 2, 2]);
  writeCase([{ ...truth[0], cause: [{ product: "pay" }, { channel: "web" }] }], csv);
  assert.deepEqual(loadCases(folder)[0]!.guilty, ["product=pay", "channel=web"]);
});

test("the command writes figures and its own section of the page, and leaves the others", async () => {
  writeCase(truth, csv);
  const page = join(folder, "page.md");
  writeFileSync(page, "# Another\n\nstays\n");
  const json = join(folder, "figures.json");
  const errors: string[] = [];
  const args = ["drill-down", "--data", folder, "--json", json, "--results", page, "--volumes", "1"];
  assert.equal(
    await runEval(
      args,
      () => {},
      (line) => void errors.push(line),
    ),
    0,
    errors.join("\n"),
  );
  const figures = JSON.parse(readFileSync(json, "utf8")) as Record<string, number>;
  assert.equal(figures["drilldown.top1"], 1);
  assert.equal(figures["drilldown.f1"], 1);
  assert.match(readFileSync(page, "utf8"), /^# Another\n\nstays\n\n# Drill-down on public data\n/);
});

test("damaged cases are told with their file, and what was wanted", () => {
  const cases: readonly (readonly [unknown, string, RegExp])[] = [
    [{}, csv, /truth\.json: want a list of cases/],
    [[{ data: "../one", timestamp: 240, cause: "{}" }], csv, /case 0: want "data", a plain file name/],
    [[{ data: "one", timestamp: 240, cause: "pay" }], csv, /one: want "cause" like \{'cdn':5\}, got "pay"/],
    [truth, "min,value,product\n", /one\.csv: want the columns min, value, cnt/],
    [truth, `${csv}\n240,web,x,100,pay`, /one\.csv:18: want 5 cells with counts, got 240,web,x,100,pay/],
    [[{ ...truth[0], timestamp: 300 }], csv, /one: has no rows of the minute 300/],
  ];
  for (const [wrongTruth, wrongCsv, message] of cases) {
    writeCase(wrongTruth, wrongCsv);
    assert.throws(() => loadCases(folder), message);
  }
});

test("an answer counts when it is exactly the guilty combination", () => {
  const guilty = [
    spelled([
      ["b", "2"],
      ["a", "1"],
    ]),
  ];
  assert.deepEqual(guilty, ["a=1&b=2"]);
  const answer = (named: readonly string[]) => ({ id: "", guilty, named, durationMs: 0 });
  assert.deepEqual(scored([answer(["a=1&b=2"])]), { top1: 1, f1: 1 });
  assert.deepEqual(scored([answer(["a=1"])]), { top1: 0, f1: 0 });
  assert.deepEqual(scored([answer(["a=1", "a=1&b=2"])]), { top1: 0, f1: 2 / 3 });
  assert.deepEqual(scored([answer([])]), { top1: 0, f1: 0 });
  const sure = figuresOf("x", [answer(["a=1&b=2"]), answer(["a=1&b=2"])]);
  assert.deepEqual([sure["x.top1_low"], sure["x.top1_high"]], [1, 1]);
});
