// What operators' answers changed, as the console puts it.
import assert from "node:assert/strict";
import { test } from "node:test";
import { effectsOf } from "#collector/console/view/feedback.ts";
import type { FeedbackList } from "#shared/contract/api.ts";
import { cpuIncident, feedbackList } from "./mock-data.ts";
import { answered } from "./mock-server.ts";

const incident = cpuIncident(1_790_000_000_000, 1_790_000_100_000);

test("what moved by the same is said once", () => {
  const { groups, more } = effectsOf(feedbackList([answered(incident, 7, "noise", "Li Na", "", 5)]), 10);
  assert.equal(more, 0);
  assert.deepEqual(
    groups.map(({ factor, changed }) => [factor, changed.length]),
    [[1.25, 5]],
  );
  assert.deepEqual(groups[0]?.changed[0], {
    metric: "system.cpu.utilization",
    host: "core-db-03",
    series: "system.cpu.utilization",
  });
});

test("what holds for all hosts stands first and by itself, and what is not shown is counted", () => {
  const one = { metric: "m", entityKind: "host" as const, useful: 0, noise: 1 };
  const list: FeedbackList = {
    feedbacks: [],
    series: [
      { ...one, host: "a", series: "m", factor: 1.5 },
      { ...one, host: "b", series: "m", factor: 1.1 },
      { ...one, host: "c", series: "m", factor: 0.9 },
      { ...one, host: "d", series: "m", factor: 0.9 },
    ],
    kinds: [{ metric: "m", entityKind: "host", hosts: 3, incidents: 3, factor: 1.1 }],
  };
  const { groups, more } = effectsOf(list, 4);
  assert.deepEqual(
    groups.map(({ factor, changed }) => [factor, changed.map(({ host }) => host)]),
    [
      [1.1, [null]],
      [1.5, ["a"]],
      [1.1, ["b"]],
      [0.9, ["c"]],
    ],
  );
  assert.equal(more, 1);
});
