import assert from "node:assert/strict";
import { test } from "node:test";
import { type Clock, every, sleep } from "#shared/clock.ts";
import { assert as assertBug, ConfigError, errorText, StorageError, WireError } from "#shared/errors.ts";

/** A clock on which time passes only when it is told so. */
function handClock(): Clock & { pass(ms: number): void } {
  let nowMs = 0;
  const waiting = new Set<{ atMs: number; task: () => void }>();
  return {
    nowMs: () => nowMs,
    monotonicMs: () => nowMs,
    after(delayMs, task) {
      const entry = { atMs: nowMs + delayMs, task };
      waiting.add(entry);
      return { cancel: () => void waiting.delete(entry) };
    },
    pass(ms) {
      const endMs = nowMs + ms;
      for (;;) {
        const [next] = [...waiting].filter(({ atMs }) => atMs <= endMs).sort((a, b) => a.atMs - b.atMs);
        if (next === undefined) break;
        nowMs = next.atMs;
        waiting.delete(next);
        next.task();
      }
      nowMs = endMs;
    },
  };
}

test("a repeated task runs at its interval until it is cancelled, also from within", () => {
  const clock = handClock();
  const at: number[] = [];
  const timer = every(clock, 100, () => {
    at.push(clock.nowMs());
    if (at.length === 3) timer.cancel();
  });
  clock.pass(1_000);
  assert.deepEqual(at, [100, 200, 300]);
});

test("sleeping ends when its time has passed, not before", async () => {
  const clock = handClock();
  let awake = false;
  const slept = sleep(clock, 50).then(() => (awake = true));
  clock.pass(49);
  await Promise.resolve();
  assert.equal(awake, false);
  clock.pass(1);
  await slept;
  assert.equal(awake, true);
});

test("an error tells its causes, and our own mistakes are told from the world's", () => {
  const cause = new Error("ENOSPC");
  assert.equal(
    errorText(new StorageError("cannot open spool", { cause, retryable: true })),
    "cannot open spool: ENOSPC",
  );
  assert.equal(errorText("text"), "text");
  assert.equal(new ConfigError(["a: one", "b: two"]).message, "a: one\nb: two");
  assert.equal(new WireError("malformed", "m").reason, "malformed");
  assert.throws(() => assertBug(false, "no column"), /^Error: BUG: no column$/);
});
