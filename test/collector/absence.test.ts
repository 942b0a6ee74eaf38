// A cut and its end, and hosts that are gone, on their way through the chain: a function of the journal like everything else.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type Chain, type ChainEvent, type ChainResult, createChain } from "#collector/chain.ts";
import { usualPolicy } from "#collector/detect/detect.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import { renderText } from "#shared/text/text.ts";
import { mulberry32 } from "#test/sim/scenario.ts";

const startMs = Date.UTC(2026, 0, 5);
const intervalMs = 10_000;
const policy = { ...usualPolicy, hostGoneMs: 1_500_000 };
const names = ["web-01", "web-02", "web-03", "web-04", "web-05", "web-06"];

const cpu: Series = {
  metric: "system.cpu.utilization",
  unit: "1",
  instrument: "gauge",
  decimals: 3,
  labels: [],
};
const port: Series = {
  ...cpu,
  metric: "causeway.listen.sockets",
  labels: canonicalLabels([
    ["service.name", "db"],
    ["network.local.port", "5432"],
  ]),
};

/** Seconds in which a host is away: four are cut off for ten minutes, one of them for good. */
function isAway(host: number, atS: number): boolean {
  if (host >= 4 || atS < 1200) return false;
  return host === 3 || atS < 1800;
}

/** Web-04's port has closed before it is cut off. */
function eventsOf(): ChainEvent[] {
  const events: ChainEvent[] = [];
  const random = mulberry32(5);
  for (const [index, host] of names.entries()) {
    events.push({ kind: "addresses", host, addresses: [`10.0.${index}.1`] });
    for (const [number, series] of [cpu, port].entries())
      events.push({ kind: "define", host, number, series });
  }
  for (let atS = 0; atS < 4_200; atS += 10) {
    const timeMs = startMs + atS * 1000;
    for (let part = 0; part < 5; part += 1) events.push({ kind: "tick", nowMs: timeMs + part * 2_000 });
    for (const [index, host] of names.entries()) {
      if (isAway(index, atS)) continue;
      const values = Float64Array.of(0.1 + 0.02 * random(), index === 3 && atS > 600 ? 0 : 1);
      events.push({
        kind: "batch",
        batch: { host, timeMs, intervalMs, series: Uint32Array.of(0, 1), values },
      });
    }
  }
  return events;
}

const run = (chain: Chain, events: readonly ChainEvent[]): ChainResult[] =>
  events.map((event) => chain.apply(event));
const incidentsOf = (results: readonly ChainResult[]): Incident[] =>
  results.flatMap(({ incidents }) => incidents);

let events: ChainEvent[] = [];
before(() => {
  events = eventsOf();
});

test("four hosts that are cut off are one critical incident, and the one that stays away has its own until it is gone", () => {
  const chain = createChain({ policy });
  const results = run(chain, events);
  const last = new Map(incidentsOf(results).map((incident) => [incident.id, incident]));
  assert.deepEqual(
    [...last.values()].map(({ state, severity, title }) => [state, severity, renderText(title, "en")]),
    [
      ["resolved", "major", "db/5432 stopped listening on web-04"],
      [
        "resolved",
        "critical",
        "4 hosts cannot be reached: the network between them and the collector, or what else they share, is the likely cause",
      ],
      ["resolved", "major", "web-04 is silent: the host is down or cannot be reached"],
    ],
  );
  const cut = [...last.values()][1]!;
  assert.deepEqual(
    cut.causes.map(({ entity, kind }) => [entity, kind]),
    [["network:collector", "silence"]],
  );
  assert.deepEqual(cut.impact, [{ key: "impact.blind_hosts", args: { hosts: 4 } }]);
  const gone = [...last.values()][2]!.timeline.find(({ text }) => text.key === "timeline.gone");
  assert.equal(
    renderText(gone!.text, "en"),
    "web-04 was not heard for 25m10s and counts as taken out of service",
  );
  assert.deepEqual(
    results.flatMap(({ departures }) => departures),
    [{ host: "web-04", what: "gone" }],
  );
  assert.deepEqual(chain.detect.open(), [], "its closed port went with it");
  assert.equal(chain.detect.state("web-04"), "gone");
});

test("nothing that is asked about a host that is gone brings it back", () => {
  const chain = createChain({ policy });
  run(chain, events);
  const before = chain.snapshot();
  assert.equal(chain.detect.progress("web-04").ready, 0);
  chain.detect.state("web-04");
  chain.detect.open();
  assert.deepEqual(chain.snapshot(), before);
});

test("a host that comes back after it was gone begins anew", () => {
  const chain = createChain({ policy });
  run(chain, events);
  const nowMs = chain.nowMs();
  chain.apply({ kind: "define", host: "web-04", number: 0, series: cpu });
  const batch = {
    host: "web-04",
    timeMs: nowMs,
    intervalMs,
    series: Uint32Array.of(0),
    values: Float64Array.of(0.9),
  };
  const { anomalies } = chain.apply({ kind: "batch", batch });
  assert.deepEqual([anomalies, chain.detect.state("web-04")], [[], "up"]);
  assert.equal(chain.detect.progress("web-04").collecting, 1);
});

test("a restart at any moment changes nothing that follows, also while hosts are cut off", () => {
  const whole = createChain({ policy });
  const results = run(whole, events);
  const random = mulberry32(6);
  const turns = results.flatMap(({ incidents, departures }, index) =>
    incidents.length + departures.length > 0 ? [index, index + 1] : [],
  );
  const anywhere = Array.from({ length: 6 }, () => Math.floor(random() * events.length));
  for (const at of [...turns.filter((_, index) => index % 3 === 0), ...anywhere]) {
    const first = createChain({ policy });
    const earlier = run(first, events.slice(0, at));
    const second = createChain({ policy, snapshot: first.snapshot() });
    assert.deepEqual([...earlier, ...run(second, events.slice(at))], results, `restarted at ${at}`);
    assert.deepEqual(second.snapshot(), whole.snapshot(), `restarted at ${at}`);
  }
});

test("the order of hosts between two ticks changes neither anomalies nor what became of incidents", () => {
  const told = (order: readonly ChainEvent[]): unknown => {
    const results = run(createChain({ policy }), order);
    const last = new Map(
      incidentsOf(results).map(({ id, title, causes, resolvedMs }) => [id, { title, causes, resolvedMs }]),
    );
    const anomalies = results.flatMap((result) => result.anomalies.map((anomaly) => JSON.stringify(anomaly)));
    return { last, anomalies: anomalies.sort() };
  };
  const reversed: ChainEvent[] = [];
  let batches: ChainEvent[] = [];
  for (const event of events) {
    if (event.kind === "batch") batches.unshift(event);
    else {
      reversed.push(...batches, event);
      batches = [];
    }
  }
  assert.deepEqual(told([...reversed, ...batches]), told(events));
});
