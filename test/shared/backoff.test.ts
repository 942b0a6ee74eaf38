import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { Backoff } from "#shared/backoff.ts";

test("each wait lies between nothing and a ceiling that doubles up to the cap", () => {
  const uniform = fc.double({ min: 0, max: 1, maxExcluded: true, noNaN: true });
  fc.assert(
    fc.property(fc.array(uniform, { minLength: 1, maxLength: 60 }), (draws) => {
      let draw = 0;
      const backoff = new Backoff({ baseMs: 500, capMs: 30_000, random: () => draws[draw++]! });
      for (const [attempt, chance] of draws.entries()) {
        assert.equal(backoff.nextMs(), chance * Math.min(30_000, 500 * 2 ** attempt));
      }
    }),
    { seed: 25 },
  );
});

test("after a success it begins anew", () => {
  const backoff = new Backoff({ baseMs: 500, capMs: 30_000, random: () => 0.5 });
  const waits = [backoff.nextMs(), backoff.nextMs(), backoff.nextMs()];
  backoff.reset();
  assert.deepEqual([...waits, backoff.nextMs()], [250, 500, 1_000, 250]);
});

test("a thousand agents that lost the same collector do not come back in the same second", () => {
  // A small generator of its own (Lehmer): the test is the same at every run.
  let state = 42;
  const random = () => (state = (state * 48_271) % 2_147_483_647) / 2_147_483_647;
  const perSecond = new Map<number, number>();
  for (let agent = 0; agent < 1_000; agent += 1) {
    const backoff = new Backoff({ baseMs: 500, capMs: 30_000, random });
    let atMs = 0;
    for (let attempt = 0; attempt < 8; attempt += 1) atMs += backoff.nextMs();
    const second = Math.floor(atMs / 1_000);
    perSecond.set(second, (perSecond.get(second) ?? 0) + 1);
  }
  assert.ok(Math.max(...perSecond.values()) < 60, `${Math.max(...perSecond.values())} in one second`);
});
