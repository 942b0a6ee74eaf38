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

test("one channel and product that fail are named in the impact, in both languages", () => {
  const chain = createChain();
  const random = mulberry32(3);
  const totals = leaves.map(() => 0);
  for (const [number, leaf] of leaves.entries())
    chain.apply({ kind: "define", host: "gw-01", number, series: series(leaf) });
  const told: Incident[] = [];
  for (let tick = 0; tick < 420; tick += 1) {
    const timeMs = startMs + tick * intervalMs;
    for (const [number, { channel, product, result }] of leaves.entries()) {
      const guilty = tick >= 360 && channel === "mobile" && product === "transfer";
      const share = guilty ? 0.6 : 0.005;
      const attempts = 20 + Math.floor(10 * random());
      let failed = 0;
      for (let one = 0; one < attempts; one += 1) if (random() < share) failed += 1;
      totals[number]! += result === "ok" ? attempts - failed : failed;
    }
    const values = Float64Array.from(totals);
    const batch = { host: "gw-01", timeMs, intervalMs, series: Uint32Array.from(leaves.keys()), values };
    told.push(...chain.apply({ kind: "tick", nowMs: timeMs }).incidents);
    told.push(...chain.apply({ kind: "batch", batch }).incidents);
  }
  const incident = told.at(-1);
  const drilled = incident?.impact.find(({ key }) => key.startsWith("drill.failed"));
  assert.ok(drilled, `impact: ${incident?.impact.map(({ key }) => key).join(", ") ?? "no incident"}`);
  assert.match(renderText(drilled, "en"), /channel=mobile, product=transfer/);
  assert.match(renderText(drilled, "zh-CN"), /channel=mobile, product=transfer/);
});
