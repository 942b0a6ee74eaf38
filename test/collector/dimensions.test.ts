// An incident about failing transactions says what those that fail have in common.
import assert from "node:assert/strict";
import { test } from "node:test";
import { createChain } from "#collector/chain.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import { renderText } from "#shared/text/text.ts";
import { mulberry32 } from "#test/sim/random.ts";

const startMs = Date.UTC(2026, 0, 5, 9);
const intervalMs = 10_000;

interface Leaf {
  readonly channel: string;
  readonly product: string;
  readonly result: "ok" | "sys_fail";
}

const leaves: Leaf[] = ["mobile", "web", "branch"].flatMap((channel) =>
  ["transfer", "payment", "loan"].flatMap((product) =>
    (["ok", "sys_fail"] as const).map((result) => ({ channel, product, result })),
  ),
);

function series({ channel, product, result }: Leaf): Series {
  const labels: [string, string][] = [
    ["channel", channel],
    ["product", product],
    ["region", "north"],
    ["result", result],
  ];
  return {
    metric: "bank_txn_total",
    unit: "{transaction}",
    instrument: "counter",
    decimals: 0,
    labels: canonicalLabels(labels),
  };
}

/** What is told of 70 minutes whose ticks `isGuilty` says of which leaves fail at 60 % instead of 0.5 %. */
function told(isGuilty: (leaf: Leaf, tick: number) => boolean): Incident[] {
  const chain = createChain();
  const random = mulberry32(3);
  const totals = leaves.map(() => 0);
  for (const [number, leaf] of leaves.entries())
    chain.apply({ kind: "define", host: "gw-01", number, series: series(leaf) });
  const incidents: Incident[] = [];
  for (let tick = 0; tick < 420; tick += 1) {
    const timeMs = startMs + tick * intervalMs;
    for (const [number, leaf] of leaves.entries()) {
      const share = isGuilty(leaf, tick) ? 0.6 : 0.005;
      const attempts = 20 + Math.floor(10 * random());
      let failed = 0;
      for (let one = 0; one < attempts; one += 1) if (random() < share) failed += 1;
      totals[number]! += leaf.result === "ok" ? attempts - failed : failed;
    }
    const values = Float64Array.from(totals);
    const batch = { host: "gw-01", timeMs, intervalMs, series: Uint32Array.from(leaves.keys()), values };
    incidents.push(...chain.apply({ kind: "tick", nowMs: timeMs }).incidents);
    incidents.push(...chain.apply({ kind: "batch", batch }).incidents);
  }
  return incidents;
}

const isMobileTransfer = ({ channel, product }: Leaf): boolean =>
  channel === "mobile" && product === "transfer";

test("one channel and product that fail are what the title says, and what is explained, in both languages", () => {
  const incident = told((leaf, tick) => tick >= 360 && isMobileTransfer(leaf)).at(-1);
  assert.ok(incident, "no incident");
  assert.match(
    renderText(incident.title, "en"),
    /^\d+ of \d+ transactions with channel=mobile, product=transfer failed in the last \d/,
  );
  assert.match(
    renderText(incident.title, "zh-CN"),
    /channel=mobile, product=transfer 的交易最近 .+内 \d+ 笔中有 \d+ 笔失败/,
  );
  const drilled = incident.impact.find(({ key }) => key.startsWith("drill.failed"));
  assert.ok(drilled, `impact: ${incident.impact.map(({ key }) => key).join(", ")}`);
  assert.match(renderText(drilled, "en"), /channel=mobile, product=transfer/);
  assert.match(renderText(drilled, "zh-CN"), /channel=mobile, product=transfer/);
});

test("where everything fails the title counts everything, not one of many combinations", () => {
  const incident = told((_, tick) => tick >= 360).at(-1);
  assert.ok(incident, "no incident");
  const [, bad, events] =
    /^(\d+) of (\d+) transactions failed in the last/.exec(renderText(incident.title, "en")) ?? [];
  assert.ok(Number(events) >= 200 && Number(bad) > 0.4 * Number(events), renderText(incident.title, "en"));
});

test("what customers felt is not thinned by what goes well again", () => {
  const all = told((leaf, tick) => tick >= 360 && tick < 380 && isMobileTransfer(leaf));
  const last = all.at(-1);
  const worst = all.findLast(({ state }) => state === "open" || state === "updating");
  assert.equal(last?.state, "resolved");
  assert.deepEqual(last.impact, worst?.impact);
  assert.deepEqual(last.title, worst?.title);
});
