/** Who is blamed for what: small systems whose fault is known, and what must hold for every window. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { baselineOf } from "#collector/correlate/causes/baseline.ts";
import { rankCauses, usualScoreOf } from "#collector/correlate/causes/causes.ts";
import { causeConfidenceMin } from "#shared/contract/incident.ts";
import { type Made, windowOf } from "./windows.ts";

const chain = [
  ["web", "orders"],
  ["orders", "payment"],
] as const;

const quietChain: readonly Made[] = ["web", "orders", "payment"].flatMap((entity) => [
  { entity, what: "cpu" } as const,
  { entity, what: "memory" } as const,
  { entity, what: "latency" } as const,
  { entity, what: "traffic" } as const,
]);

/** `quietChain` with some of its series changed. */
function changed(...changes: readonly Made[]): Made[] {
  return quietChain.map(
    (one) => changes.find(({ entity, what }) => entity === one.entity && what === one.what) ?? one,
  );
}

const busyPayment = changed(
  { entity: "payment", what: "cpu", times: 4.5 },
  { entity: "payment", what: "latency", times: 4 },
  { entity: "orders", what: "latency", times: 4 },
  { entity: "web", what: "latency", times: 4 },
);

test("a service that uses up its CPU is blamed, and not its callers that wait for it", () => {
  const { causes, metrics } = rankCauses(windowOf(busyPayment, { calls: chain }));
  assert.equal(causes[0]?.entity, "payment");
  assert.ok(causes[0].confidence > causeConfidenceMin);
  assert.equal(metrics[0]?.series, "cpu of payment");
  const [first] = causes[0].evidence;
  assert.deepEqual([first?.direction, first?.sinceMs, first?.resource], ["up", 0, "cpu"]);
  assert.ok(Math.abs(first!.usual - 0.2) < 0.005 && first!.value > 0.85);
  const orders = causes.find(({ entity }) => entity === "orders");
  const explained = orders?.counterEvidence.find(({ kind }) => kind === "explained_by");
  assert.ok(explained?.kind === "explained_by" && explained.entity === "payment" && explained.share > 0.5);
});

test("it is blamed as well when the trouble is noticed up to two minutes late, or half a minute early", () => {
  for (const lateMs of [-30_000, 30_000, 60_000, 90_000, 120_000]) {
    const { causes } = rankCauses(windowOf(busyPayment, { calls: chain, lateMs }));
    assert.equal(causes[0]?.entity, "payment", `${lateMs} ms late`);
  }
});

test("where nothing is wrong no cause is named", () => {
  const { causes } = rankCauses(windowOf(quietChain, { calls: chain }));
  assert.ok((causes[0]?.confidence ?? 0) < causeConfidenceMin);
  assert.deepEqual(rankCauses(windowOf([])), { causes: [], metrics: [] });
});

test("a score is believed the less, the more the same entities score when nothing is wrong", () => {
  const window = windowOf(busyPayment, { calls: chain });
  const sure = (usualScore: number) => rankCauses({ ...window, usualScore }).causes[0]!.confidence;
  assert.ok(sure(0) > sure(1) && sure(1) > sure(4));
  assert.ok(sure(4) < causeConfidenceMin);
  const quiet = usualScoreOf(window);
  assert.ok(quiet !== undefined && quiet < 0.3, `usual score is ${quiet}`);
  // What keeps growing is farther from its past at every moment: that it is so now says little.
  const series = window.series.map((one) => ({
    ...one,
    values: one.values.map((value, place) => value * (1 + place / 20)),
  }));
  assert.ok(usualScoreOf({ ...window, series })! > quiet);
  assert.equal(usualScoreOf({ ...window, detectedMs: -900_000 }), undefined);
});

test("memory that grew by an amount that matters is blamed, and not the CPU that it cost", () => {
  const leak = changed(
    { entity: "orders", what: "memory", times: 2 },
    { entity: "orders", what: "cpu", times: 4.5 },
  );
  const { causes, metrics } = rankCauses(windowOf(leak, { calls: chain }));
  assert.equal(causes[0]?.entity, "orders");
  assert.equal(metrics[0]?.series, "memory of orders");
  const slight = changed(
    { entity: "orders", what: "memory", times: 1.05 },
    { entity: "orders", what: "cpu", times: 4.5 },
  );
  assert.equal(rankCauses(windowOf(slight, { calls: chain })).metrics[0]?.series, "cpu of orders");
});

test("a resource that swings and is then used up is a cause, however little of a deviation that is", () => {
  const made: readonly Made[] = [
    { entity: "payment", what: "cpu" },
    { entity: "payment", what: "latency", times: 8 },
  ];
  const window = windowOf(made);
  const swinging = (from: number) =>
    window.series.map((one) =>
      one.measure.resource === "cpu"
        ? {
            ...one,
            values: one.values.map((_, place) => (place >= 90 ? from : 0.4 + 0.4 * ((place * 7) % 11) * 0.1)),
          }
        : one,
    );
  assert.equal(rankCauses({ ...window, series: swinging(1) }).metrics[0]?.series, "cpu of payment");
  assert.equal(rankCauses({ ...window, series: swinging(0.9) }).metrics[0]?.series, "latency of payment");
});

test("a callee that gained a fraction of what its caller gained is not what the caller waits for", () => {
  const made: readonly Made[] = [
    { entity: "orders", what: "latency", times: 6 },
    { entity: "currency", what: "latency", times: 1.3 },
  ];
  const { causes } = rankCauses(windowOf(made, { calls: [["orders", "currency"]] }));
  assert.equal(causes[0]?.entity, "orders");
});

function edge(caller: string, entity: string, times: number): Made[] {
  return [
    { entity, caller, what: "seenByCaller", times },
    { entity, caller, what: "seenByCallee" },
  ];
}

test("a delay of the network is blamed on the end that all the slow calls share", () => {
  const calls = [
    ["web", "orders"],
    ["web", "search"],
    ["orders", "payment"],
    ["search", "payment"],
  ] as const;
  const slowPayment = [
    ...edge("web", "orders", 1),
    ...edge("web", "search", 1),
    ...edge("orders", "payment", 4),
    ...edge("search", "payment", 4),
  ];
  assert.equal(rankCauses(windowOf(slowPayment, { calls })).causes[0]?.entity, "payment");
  const slowWeb = [
    ...edge("web", "orders", 4),
    ...edge("web", "search", 4),
    ...edge("orders", "payment", 1),
    ...edge("search", "payment", 1),
    ...edge("mobile", "orders", 1),
    ...edge("mobile", "search", 1),
  ];
  const { causes } = rankCauses(
    windowOf(slowWeb, { calls: [...calls, ["mobile", "orders"], ["mobile", "search"]] }),
  );
  assert.equal(causes[0]?.entity, "web");
  assert.equal(causes[0].evidence[0]?.at, "gap");
});

test("a delay that only one of a callee's callers has is that caller's", () => {
  const calls = [
    ["web", "orders"],
    ["mobile", "orders"],
    ["web", "search"],
  ] as const;
  const slow = [...edge("web", "orders", 4), ...edge("mobile", "orders", 1), ...edge("web", "search", 1)];
  const [first] = rankCauses(windowOf(slow, { calls })).causes;
  assert.equal(first?.entity, "web");
  assert.equal(first.evidence[0]?.at, "gap");
});

test("a wait that the network has not is its caller's, unless the callee is busy; one that the network has is the callee's", () => {
  const firstOf = (wire: number, cpu: number): string | undefined => {
    const made: readonly Made[] = [
      { entity: "payment", caller: "orders", what: "onItsWay", times: 30 },
      { entity: "payment", caller: "orders", what: "onTheWire", times: wire },
      { entity: "payment", what: "cpu", times: cpu },
      { entity: "payment", what: "latency" },
      { entity: "orders", what: "latency", times: 4 },
    ];
    return rankCauses(windowOf(made, { calls: [["orders", "payment"]] })).causes[0]?.entity;
  };
  assert.equal(firstOf(1, 1), "orders");
  assert.equal(firstOf(1, 4.5), "payment");
  assert.equal(firstOf(100, 1), "payment");
});

test("an endpoint that only callers see counts less than the service that it is another name of", () => {
  const made: readonly Made[] = [
    { entity: "search", what: "latency", times: 5 },
    { entity: "balancer", what: "latency", times: 7 },
  ];
  const calls = [["web", "balancer"]] as const;
  const asService = rankCauses(windowOf(made, { calls }));
  assert.equal(asService.causes[0]?.entity, "balancer");
  const asRemote = rankCauses(windowOf(made, { calls, entities: [{ id: "balancer", remote: true }] }));
  assert.equal(asRemote.causes[0]?.entity, "search");
  assert.ok(asRemote.causes[1]?.counterEvidence.some(({ kind }) => kind === "remote"));
});

test("what all peers show is nobody's own, and what one of them shows is", () => {
  const replica = (number: number, times: number): Made => ({
    entity: `replica-${number}`,
    what: "latency",
    times,
  });
  const peers = [["replica-1", "replica-2", "replica-3", "replica-4"]];
  const alike = [
    replica(1, 4),
    replica(2, 4),
    replica(3, 4),
    replica(4, 4.2),
    { entity: "db", what: "latency", times: 3 } as const,
  ];
  assert.equal(rankCauses(windowOf(alike)).causes[0]?.entity, "replica-4");
  const known = rankCauses(windowOf(alike, { peers }));
  assert.equal(known.causes[0]?.entity, "db");
  const told = known.causes.find(({ entity }) => entity === "replica-1")?.counterEvidence;
  assert.ok(told?.some((one) => one.kind === "peers_alike" && one.share > 0.9));
  const apart = [
    replica(1, 1),
    replica(2, 4),
    replica(3, 1),
    replica(4, 1),
    { entity: "db", what: "latency", times: 3 } as const,
  ];
  assert.equal(rankCauses(windowOf(apart, { peers })).causes[0]?.entity, "replica-2");
});

test("what is abnormal all the time counts for less than what never was", () => {
  const made = (rarity: number): Made[] => [
    { entity: "always", what: "latency", times: 5, rarity },
    { entity: "never", what: "latency", times: 4, rarity: 7 },
  ];
  assert.equal(rankCauses(windowOf(made(7))).causes[0]?.entity, "always");
  assert.equal(rankCauses(windowOf(made(0.5))).causes[0]?.entity, "never");
});

test("of what is felt a cause must explain enough: two failed requests are not thirty", () => {
  const made: readonly Made[] = [
    { entity: "web", what: "success", times: 0.7 },
    { entity: "web", what: "traffic" },
    { entity: "small", what: "success", times: 0.2 },
    { entity: "small", what: "traffic", times: 0.02 },
    { entity: "large", what: "success", times: 0.7 },
    { entity: "large", what: "traffic" },
  ];
  const calls = [
    ["web", "small"],
    ["web", "large"],
  ] as const;
  const felt = rankCauses(windowOf(made, { calls, breached: { entity: "web", kind: "errors" } }));
  assert.equal(felt.causes[0]?.entity, "large");
});

test("an entity that falls silent while others are heard is to blame, and since when is said", () => {
  const made: readonly Made[] = [
    { entity: "ledger", what: "cpu", gone: true },
    { entity: "ledger", what: "memory", gone: true },
    { entity: "web", what: "latency", times: 3 },
  ];
  const { causes } = rankCauses(windowOf(made, { calls: [["web", "ledger"]] }));
  assert.equal(causes[0]?.entity, "ledger");
  assert.equal(causes[0].silentSinceMs, -10_000);
});

test("what is measured now and then only is not silent when it is not measured for a while", () => {
  const window = windowOf([
    { entity: "batch", what: "latency", gone: true },
    { entity: "web", what: "latency" },
  ]);
  const [batch, web] = window.series;
  const values = batch!.values.map((value, place) => (place % 20 === 0 ? value : NaN));
  const { causes } = rankCauses({ ...window, series: [{ ...batch!, values }, web!] });
  assert.ok(causes.every(({ entity }) => entity !== "batch"));
});

test("a caller that stopped calling is blamed, and not the callees that lost its traffic", () => {
  const made: readonly Made[] = [
    { entity: "web", what: "traffic" },
    { entity: "orders", what: "traffic", times: 0.1 },
    { entity: "search", what: "traffic", times: 0.1 },
  ];
  const calls = [
    ["web", "orders"],
    ["web", "search"],
  ] as const;
  assert.equal(rankCauses(windowOf(made, { calls })).causes[0]?.entity, "web");
});

test("the machine that services run on explains what they suffer", () => {
  const made: readonly Made[] = [
    { entity: "node-1", what: "cpu", times: 4.8 },
    { entity: "orders", what: "latency", times: 4 },
    { entity: "search", what: "latency", times: 4 },
  ];
  const entities = ["orders", "search"].map((id) => ({ id, host: "node-1" }));
  const { causes } = rankCauses(windowOf(made, { entities }));
  assert.equal(causes[0]?.entity, "node-1");
  const told = causes.find(({ entity }) => entity === "orders")?.counterEvidence;
  assert.ok(told?.some((one) => one.kind === "explained_by" && one.entity === "node-1"));
});

test("who takes much of the machine that a service runs on explains what that suffers, the more so if it came with the trouble", () => {
  const made: readonly Made[] = [
    { entity: "web", what: "latency", times: 4 },
    { entity: "database", what: "latency", times: 4 },
    { entity: "backup", what: "disk", times: 20 },
    { entity: "audit", what: "disk" },
  ];
  const calls = [["web", "database"]] as const;
  const on = (isNew: boolean) =>
    ["database", "backup", "audit"].map((id) => ({ id, host: "node-1", isNew: isNew && id === "backup" }));
  const breached = { entity: "web", kind: "latency" } as const;
  const known = rankCauses(windowOf(made, { calls, entities: on(false), breached })).causes;
  const database = known.find(({ entity }) => entity === "database");
  assert.ok(database?.counterEvidence.some((one) => one.kind === "explained_by" && one.entity === "backup"));
  assert.equal(
    rankCauses(windowOf(made, { calls, entities: on(true), breached })).causes[0]?.entity,
    "backup",
  );
  const apart = rankCauses(windowOf(made, { calls, breached })).causes;
  assert.equal(apart[0]?.entity, "database", "on another machine it explains nothing");
});

test("what is usual may be kept by whoever watches: the ranking is the same", () => {
  const window = windowOf(busyPayment, { calls: chain });
  // 90 samples before, of which the guard band takes twelve; a stretch is a fifth of the thirty since.
  const kept = window.series.map((one) => ({ ...one, baseline: baselineOf(one.values, 0, 78, 6)! }));
  assert.deepEqual(rankCauses({ ...window, series: kept }), rankCauses(window));
});

test("no order of the series and no unit of their values changes who is blamed", () => {
  const window = windowOf(busyPayment, { calls: chain });
  const expected = rankCauses(window).causes.map(({ entity, score }) => [entity, score.toPrecision(6)]);
  fc.assert(
    fc.property(
      fc.shuffledSubarray([...window.series], { minLength: window.series.length }),
      fc.constantFrom(0.001, 1000),
      (shuffled, times) => {
        const series = shuffled.map((one) => {
          if (one.measure.unit !== "By") return one;
          const measure = { ...one.measure, unit: "x", floor: one.measure.floor * times };
          return { ...one, measure, values: one.values.map((value) => value * times) };
        });
        const found = rankCauses({ ...window, series }).causes;
        assert.deepEqual(
          found.map(({ entity, score }) => [entity, score.toPrecision(6)]),
          expected,
        );
      },
    ),
    { numRuns: 30 },
  );
});

test("any values whatever give scores and confidences that are numbers, and no confidence outside 0 to 1", () => {
  const value = fc.oneof(
    fc.double({ min: -1e12, max: 1e12, noNaN: true }),
    fc.constantFrom(Number.NaN, Infinity, -Infinity, 1e308, 5e-324),
    fc.constant(0),
  );
  fc.assert(
    fc.property(
      fc.array(fc.array(value, { minLength: 120, maxLength: 120 }), { minLength: 12, maxLength: 12 }),
      (columns) => {
        const window = windowOf(quietChain, { calls: chain });
        const series = window.series.map((one, number) => ({
          ...one,
          values: Float64Array.from(columns[number]!),
        }));
        const breached = { entity: "web", kind: "latency" } as const;
        const { causes } = rankCauses({ ...window, series, breached });
        assert.ok(causes.reduce((sum, { confidence }) => sum + confidence, 0) <= 1 + 1e-9);
        for (const { score, confidence, evidence } of causes) {
          assert.ok(Number.isFinite(score) && score > 0);
          assert.ok(confidence >= 0 && confidence <= 1);
          for (const one of evidence)
            assert.ok(Number.isFinite(one.weight) && Number.isFinite(one.deviations));
        }
      },
    ),
    { numRuns: 60 },
  );
});
