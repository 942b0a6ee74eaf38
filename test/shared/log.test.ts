import assert from "node:assert/strict";
import { test } from "node:test";
import type { Clock } from "#shared/clock.ts";
import { createLog, silentLog } from "#shared/log.ts";

const noTimer = { cancel: () => {} };
const clock: Clock = { nowMs: () => 1_700_000_000_000, monotonicMs: () => 0, after: () => noTimer };

function lines(level?: "debug" | "warn"): { log: ReturnType<typeof createLog>; written: string[] } {
  const written: string[] = [];
  const write = (line: string) => written.push(line);
  return { log: createLog({ clock, write, ...(level === undefined ? {} : { level }) }), written };
}

test("an event is one line of JSON with its time, level and fields", () => {
  const { log, written } = lines();
  log.info("incident opened", { incident: "i-1", score: 0.83, owner: null });
  assert.deepEqual(written, [
    '{"time":"2023-11-14T22:13:20.000Z","level":"info","event":"incident opened","incident":"i-1","score":0.83,"owner":null}\n',
  ]);
});

test("a line break in a field does not make a second line", () => {
  const { log, written } = lines();
  log.warn("frame refused", { message: 'one\ntwo\r\u2028"three"' });
  assert.equal(written.length, 1);
  assert.equal(written[0]?.match(/\n/g)?.length, 1);
  assert.equal((JSON.parse(written[0] ?? "") as { message: string }).message, 'one\ntwo\r\u2028"three"');
});

test("events below the level are not written", () => {
  const quiet = lines("warn");
  for (const level of ["debug", "info", "warn", "error"] as const) quiet.log[level](level);
  assert.deepEqual(
    quiet.written.map((line) => (JSON.parse(line) as { event: string }).event),
    ["warn", "error"],
  );
  const usual = lines();
  usual.log.debug("hidden");
  assert.deepEqual(usual.written, []);
});

test("a log with fields puts them on every line, and the nearest value wins", () => {
  const { log, written } = lines();
  const inner = log.with({ agent: "a", host: "h" }).with({ host: "h2" });
  inner.error("closed", { agent: "b" });
  assert.deepEqual(JSON.parse(written[0] ?? ""), {
    time: "2023-11-14T22:13:20.000Z",
    level: "error",
    event: "closed",
    agent: "b",
    host: "h2",
  });
  assert.equal(silentLog.with({ a: 1 }), silentLog);
});
