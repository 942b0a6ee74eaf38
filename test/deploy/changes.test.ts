/** `npm run changes`, against a listener that answers as a collector does. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { runChanges, usage } from "../../deploy/changes/command.ts";
import type { Change } from "#shared/contract/change.ts";
import { inRoom } from "#test/collector/push/room.ts";

const nowMs = Date.UTC(2026, 0, 5, 2, 0);

test("a change is told and listed; told again it is known already", async () => {
  const known: Change[] = [];
  const api = {
    nowMs: () => nowMs,
    changes: () => known,
    takeChanges: (changes: readonly Change[]) => {
      const fresh = changes.filter(({ id }) => !known.some((one) => one.id === id));
      known.push(...fresh);
      return Promise.resolve({
        outcome: "done" as const,
        taken: { added: fresh.length, changes: [...changes] },
      });
    },
  };
  await inRoom({ api }, async ({ port }) => {
    const collector = ["--collector", `http://127.0.0.1:${port}`];
    const add = [
      "add",
      "--kind",
      "release",
      "--service",
      "pay",
      "--title",
      "pay 4.2.0",
      "--by",
      "li",
      ...collector,
    ];
    const line = "2026-01-05T02:00:00.000Z  release        service:pay  pay 4.2.0  by li";
    const none = await runChanges(["list", ...collector], nowMs);
    assert.deepEqual(none, { code: 0, output: "no change in the last 2h\n" });
    const taken = await runChanges(add, nowMs);
    assert.equal(taken.code, 0);
    assert.ok(taken.output.startsWith(`taken: ${line}`), taken.output);
    assert.match((await runChanges(add, nowMs)).output, /^known already: /);
    assert.ok((await runChanges(["list", ...collector], nowMs)).output.startsWith(line));
    const slip = await runChanges(
      ["add", "--kind", "deploy", "--service", "pay", "--title", "x", ...collector],
      nowMs,
    );
    assert.equal(slip.code, 2);
    assert.match(slip.output, /^not taken: kind: want release/);
  });
});

test("what makes no sense is answered with how it is used, a collector that is not there with what to do", async () => {
  for (const args of [[], ["remove"], ["add", "now"], ["list", "--since", "soon"], ["add", "--king", "x"]]) {
    const { code, output } = await runChanges(args, nowMs);
    assert.equal(code, 2, args.join(" "));
    assert.ok(output.endsWith(usage));
  }
  const away = await runChanges(["list", "--collector", "http://127.0.0.1:1"], nowMs);
  assert.equal(away.code, 1);
  assert.match(away.output, /does not answer: start it, or name another/);
});
