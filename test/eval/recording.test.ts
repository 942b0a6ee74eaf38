/** A journal that is made here is judged again: two hours of one host, calm but for one stretch of work. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { jsonEntry, type Journal } from "#collector/journal/journal.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import { systemClock } from "#shared/clock.ts";
import { createLog } from "#shared/log.ts";
import { type Feed, feedOf } from "#test/e2e/feed.ts";
import { parseScenario } from "#test/sim/scenario.ts";
import { runEval } from "./eval.ts";
import { journalIn, withCopy } from "./recording/copy.ts";
import type { Figures } from "./report.ts";

const agentId = "aaaaaaaa-0000-0000-0000-000000000001";
/** The last tick. */
const endMs = Date.UTC(2026, 0, 5, 11, 59, 50);
const scenarioOf = (host: string) =>
  parseScenario(`
load 10s
  system.cpu.logical.count{host="${host}"}  2 x720
  system.cpu.utilization{host="${host}"}    0.10~0.02 x600  0.80~0.02 x30  0.10~0.02 x90
  system.memory.utilization{host="${host}"} 0.40~0.005 x720
  system.linux.load_1m{host="${host}"}      0.20~0.05 x720
`);

let folder = "";
let journal: Journal;

/** Written, and not closed: as a collector that runs leaves it. */
before(async () => {
  folder = mkdtempSync(join(tmpdir(), "causeway-quiet-"));
  journal = await writeJournal(folder, feedOf(scenarioOf("pay-01"), { agentId, endMs }));
});
after(async () => {
  await journal.close();
  rmSync(folder, { recursive: true });
});

async function writeJournal(data: string, feed: Feed): Promise<Journal> {
  mkdirSync(join(data, "collector"));
  const log = createLog({ clock: systemClock, write() {}, level: "error" });
  const made = openSqliteJournal({ path: join(data, "collector", "journal.db"), clock: systemClock, log });
  const firstMs = feed.lastMs - (feed.frames.length - 1) * 10_000;
  const written: Promise<unknown>[] = [];
  const started = { t: "started", atMs: firstMs, version: "0" };
  written.push(made.append(jsonEntry("presence", "", firstMs, started)));
  for (const [sequence, bytes] of feed.frames.entries()) {
    const atMs = firstMs + sequence * 10_000;
    const times = { firstMs: atMs, lastMs: atMs };
    const key = sequence % 360 === 0;
    const counts = { samples: 4, series: 4, skewMs: 0 };
    const { epoch } = feed;
    written.push(
      made.append({ kind: "frame", stream: agentId, epoch, sequence, key, ...times, ...counts, bytes }),
      made.append(jsonEntry("tick", "", atMs + 2_000, {})),
    );
  }
  await Promise.all(written);
  return made;
}

const run = (...args: readonly string[]) => runOf("quiet", ...args);

async function runOf(
  ...args: readonly string[]
): Promise<{ code: number; lines: string[]; errors: string[] }> {
  const [lines, errors]: [string[], string[]] = [[], []];
  const code = await runEval(
    args,
    (line) => void lines.push(line),
    (line) => void errors.push(line),
  );
  return { code, lines, errors };
}

test("one stretch of work in two hours is one anomaly above info in one incident, and the journal stays as it was", async () => {
  const path = join(folder, "quiet.json");
  const before = readFileSync(journalIn(folder));
  const { code, errors, lines } = await run("--data", folder, "--verbose", "--json", path);
  assert.equal(code, 0, errors.join("\n"));
  assert.deepEqual(JSON.parse(readFileSync(path, "utf8")) as Figures, {
    "quiet.hours": 2,
    "quiet.anomalies_per_hour": 0.5,
    "quiet.above_info_per_hour": 0.5,
    "quiet.incidents": 1,
    "quiet.incidents_above_info": 1,
  });
  assert.equal(lines[0], "2 hours with data, 2880 samples of 4 series, one host");
  const told = lines.filter((line) => line.startsWith("2026-01-05 11:40"));
  assert.equal(told.length, 2, "the anomaly and its incident, at their times");
  assert.match(
    told[0]!,
    /warning +pay-01: CPU busy is 8\d(\.\d)? %, expected .* 100 % of the samples were there\. It lasted 5m/,
  );
  assert.match(told[1]!, /warning +INC-1: CPU is 8\d(\.\d)? % busy/);
  assert.deepEqual(readFileSync(journalIn(folder)), before);
  assert.deepEqual(readdirSync(join(folder, "collector")), ["journal.db", "journal.db-wal"]);
});

test("the collector's own folder will do as well", async () => {
  assert.equal((await run("--data", join(folder, "collector"))).code, 0);
});

test("the copy is gone afterwards, also when judging fails", async () => {
  const seen: string[] = [];
  const failing = withCopy(journalIn(folder), (copy) => {
    seen.push(copy);
    return Promise.reject(new Error("no"));
  });
  await assert.rejects(failing, /no/);
  assert.throws(() => readFileSync(seen[0]!), /ENOENT/);
});

test("a folder without a journal, and a journal that is none, are refused in one line", async () => {
  const empty = join(folder, "empty");
  mkdirSync(empty);
  const none = await run("--data", empty);
  assert.deepEqual([none.code, none.errors.length], [2, 1]);
  assert.match(none.errors[0]!, /no journal; want .*collector\/journal\.db or .*journal\.db/);
  writeFileSync(join(empty, "journal.db"), "not a database at all".repeat(500));
  const broken = await run("--data", empty);
  assert.deepEqual([broken.code, broken.errors.length], [2, 1]);
});

test("an exam is scored again from what was done and what was measured", async () => {
  const data = mkdtempSync(join(tmpdir(), "causeway-exam-"));
  try {
    assert.match((await runOf("exam", "--data", data)).errors[0]!, /exam\.json: not there/);
    const bank = scenarioOf("edge-01");
    const own = await writeJournal(data, feedOf(bank, { agentId, endMs }));
    const startedMs = endMs - 1_190_000;
    const cause = { kind: "host", host: "edge-01", name: "", resource: "cpu" };
    const runs = [{ fault: "some-work", cause, startedMs, endedMs: startedMs + 300_000 }];
    const record = { seed: 1, fromMs: endMs - 3_600_000, toMs: endMs, settleMs: 30_000, runs };
    writeFileSync(join(data, "exam.json"), JSON.stringify(record));
    const path = join(data, "figures.json");
    const { code, errors, lines } = await runOf("exam", "--data", data, "--verbose", "--json", path);
    await own.close();
    assert.equal(code, 0, errors.join("\n"));
    assert.match(lines[0]!, /^some-work +after +\d+ s, 1 incident/);
    assert.ok(lines.some((line) => line.startsWith("    felt 0 s: edge-01 system.cpu.utilization")));
    const figures = JSON.parse(readFileSync(path, "utf8")) as Figures;
    assert.equal(figures["exam.detected"], 1);
    assert.equal(figures["exam.incidents_per_fault"], 1);
    assert.equal(figures["exam.false_per_hour"], 0);
  } finally {
    rmSync(data, { recursive: true });
  }
});
