/** Loaders: what was written is what is read, and a damaged file is named with what was expected and got. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, test } from "node:test";
import { makeCorpus } from "../corpus.ts";
import { DataError } from "./read.ts";
import { loadSet, setNames } from "./sets.ts";
import { writeCorpus } from "./write.ts";

const corpus = makeCorpus(3);
let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "causeway-eval-data-"));
  writeCorpus(folder, corpus);
});
afterEach(() => rmSync(folder, { recursive: true }));

function refuses(set: (typeof setNames)[number], file: string, message: RegExp): void {
  assert.throws(
    () => loadSet(folder, set),
    (error) => error instanceof DataError && error.message.includes(file) && message.test(error.message),
    `${file} ${message}`,
  );
}

function edit(path: string, change: (text: string) => string): void {
  const whole = join(folder, path);
  writeFileSync(whole, change(readFileSync(whole, "utf8")));
}

test("a corpus that was written is read as it was", () => {
  for (const name of setNames) {
    const wanted = [...corpus[name]].sort((a, b) => (a.id < b.id ? -1 : 1));
    const got = [...(loadSet(folder, name) ?? [])].sort((a, b) => (a.id < b.id ? -1 : 1));
    assert.deepEqual(got, wanted, name);
  }
});

test("a set whose folder is not there is absent, not empty", () => {
  rmSync(join(folder, "wsd"), { recursive: true });
  assert.equal(loadSet(folder, "wsd"), null);
});

test("a series may be stored as floats", () => {
  const { id, values } = corpus.wsd[0]!;
  const path = join(folder, "wsd", `${id}.val`);
  renameSync(`${path}.f64`, `${path}.gone`);
  writeFileSync(`${path}.f32`, new Uint8Array(Float32Array.from(values).buffer));
  assert.deepEqual(loadSet(folder, "wsd")![0]!.values, values.map(Math.fround));
  rmSync(`${path}.f32`);
  refuses("wsd", `${id}.val.f64`, /not there, and no .*\.val\.f32 either/);
});

test("a truncated file is named, with the bytes that it should have", () => {
  const { id } = corpus.kpi2018[1]!;
  writeFileSync(join(folder, "kpi2018", `${id}.val.f64`), new Uint8Array(7999));
  refuses("kpi2018", `${id}.val.f64`, /want 24000 bytes \(3000 x 8\), got 7999/);
  writeFileSync(join(folder, "smd", "machine-1.test.f32"), new Uint8Array(8));
  refuses("smd", "machine-1.test.f32", /want 48000 bytes \(12000 x 4\), got 8/);
  writeFileSync(join(folder, "asd", "server-1.test_label.u8"), new Uint8Array(9));
  refuses("asd", "server-1.test_label.u8", /want 1500 bytes, one a row, got 9/);
});

test("a label that is neither 0 nor 1 is named with its row", () => {
  writeFileSync(
    join(folder, "kpi2018", `${corpus.kpi2018[0]!.id}.lab.u8`),
    new Uint8Array(3000).fill(7, 12, 13),
  );
  refuses("kpi2018", ".lab.u8", /want labels 0 or 1, got 7 in row 12/);
});

test("an index that lacks a number, or names a file elsewhere, is refused", () => {
  edit("wsd/index.json", (text) => text.replace('"nTrain":1500', '"nTrain":4000'));
  refuses("wsd", "index.json", /want "nTrain" of at most "n" 3000, got 4000/);
  edit("wsd/index.json", (text) => text.replace('"n":3000', '"n":"many"'));
  refuses("wsd", "index.json", /series web-0-spike: want "n" as a whole number of at least 1, got "many"/);
  edit("wsd/index.json", () => '{"series":[{"id":"../nab"}]}');
  refuses("wsd", "index.json", /want every series with an "id" of letters.* got "\.\.\/nab"/);
  edit("wsd/index.json", () => "[");
  refuses("wsd", "index.json", /want JSON/);
});

test("an event's metrics must be metrics of the host, its rows labelled", () => {
  const path = "smd/machine-1.interpretation.txt";
  edit(path, (text) => text.replace(/:.*\n/, ":9\n"));
  refuses("smd", "interpretation.txt", /line 1: want start-end:metrics with metrics from 1 to 8/);
  edit(path, () => "1-5:1\n");
  refuses("smd", "interpretation.txt", /line 1: no row from 1 to 5 is labelled/);
});

test("an event's last row is the last that is labelled, counted in or not", () => {
  edit("smd/machine-1.interpretation.txt", () => "300-340:2,3\n");
  assert.deepEqual(loadSet(folder, "smd")![0]!.events, [{ start: 300, end: 339, metrics: [1, 2] }]);
});

test("a line that is no time and number is named", () => {
  const path = "nab/data/clean/none_5.csv";
  edit(path, (text) => text.replace(/(\n2024-01-01 00:05:00,)[^\n]*/, "$1much"));
  refuses("nab", "none_5.csv", /line 3: want a UTC time and a number, got "2024-01-01 00:05:00,much"/);
  edit(path, () => "time,value\n");
  refuses("nab", "none_5.csv", /want the first line "timestamp,value", got "time,value"/);
});

test("a file without windows in the labels is refused, a label without a file is not", () => {
  rmSync(join(folder, "nab", "data", "clean"), { recursive: true });
  assert.equal(loadSet(folder, "nab")!.length, corpus.nab.length - 1);
  edit("nab/labels/combined_windows.json", () => "{}");
  refuses(
    "nab",
    "combined_windows.json",
    /want "faulty\/flat_4.csv" as an array of \[first, last\] times, got undefined/,
  );
});

test("times may repeat: a window begins and ends at the first row with its time", () => {
  const times = ["00:00", "00:05", "00:05", "00:10", "00:15", "00:15", "00:20"];
  const lines = times.map((time, row) => `2024-01-01 ${time}:00,${row}`);
  edit("nab/data/clean/none_5.csv", () => `timestamp,value\n${lines.join("\n")}`);
  const window = ["2024-01-01 00:05:00.000000", "2024-01-01 00:15:00.000000"];
  edit("nab/labels/combined_windows.json", (text) =>
    JSON.stringify({ ...(JSON.parse(text) as object), "clean/none_5.csv": [window] }),
  );
  const file = loadSet(folder, "nab")!.find(({ category }) => category === "clean")!;
  assert.deepEqual(file.windows, [{ start: 1, end: 4 }]);
  assert.deepEqual([file.intervalMs, file.timesMs[2]], [300_000, Date.UTC(2024, 0, 1, 0, 5)]);
});
