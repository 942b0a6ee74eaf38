import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { drillRatio, leavesOf, type RatioLeaves } from "#collector/correlate/drilldown/drilldown.ts";
import { limits } from "#shared/limits.ts";

type Row = readonly [values: readonly string[], attempts: number, failures: number, usual?: number];

/** Each leaf had 10,000 attempts before, of which `usual` failed: 1 % when it is left out. */
function rowsOf(attributes: readonly string[], rows: readonly Row[]): RatioLeaves {
  return {
    leaves: leavesOf(
      attributes,
      rows.map(([values]) => values),
    ),
    attempts: Float64Array.from(rows, ([, attempts]) => attempts),
    failures: Float64Array.from(rows, ([, , failures]) => failures),
    usualAttempts: Float64Array.from(rows, () => 10_000),
    usualFailures: Float64Array.from(rows, ([, , , usual = 100]) => usual),
  };
}

const channels = ["app", "web", "counter"];
const products = ["pay", "transfer", "query"];
const regions = ["north", "south"];
const attributes = ["channel", "product", "region"];

function grid(failuresOf: (channel: string, product: string, region: string) => number): Row[] {
  return channels.flatMap((channel) =>
    products.flatMap((product) =>
      regions.map((region): Row => [[channel, product, region], 1000, failuresOf(channel, product, region)]),
    ),
  );
}

const whereOf = (input: RatioLeaves): string[] =>
  drillRatio(input).causes.map(({ where }) => where.map((pair) => pair.join("=")).join(" "));

test("two attributes that fail together are named, not one of them and not three", () => {
  const input = rowsOf(
    attributes,
    grid((channel, product, region) =>
      channel === "app" && product === "transfer" ? (region === "north" ? 320 : 250) : 11,
    ),
  );
  const { causes, next } = drillRatio(input);
  assert.deepEqual(
    causes.map(({ where }) => where),
    [
      [
        ["channel", "app"],
        ["product", "transfer"],
      ],
    ],
  );
  const [cause] = causes;
  assert.deepEqual([cause!.actual, cause!.events], [570, 2000]);
  assert.ok(Math.abs(cause!.expected - 20) < 0.5, `${cause!.expected}`);
  assert.ok(cause!.share > 0.9, `${cause!.share}`);
  assert.ok(next === null || next.share < 0.1);
});

test("a whole attribute value that fails is told without the attributes that do not matter", () => {
  assert.deepEqual(
    whereOf(
      rowsOf(
        attributes,
        grid((channel) => (channel === "web" ? 150 : 9)),
      ),
    ),
    ["channel=web"],
  );
});

test("one narrow combination of three is told with all three", () => {
  const input = rowsOf(
    attributes,
    grid((channel, product, region) => (`${channel}${product}${region}` === "counterpaysouth" ? 400 : 10)),
  );
  assert.deepEqual(whereOf(input), ["channel=counter product=pay region=south"]);
});

test("two faults in different places are two causes, the larger one first", () => {
  const input = rowsOf(
    attributes,
    grid((channel, product) => (channel === "app" ? 300 : product === "query" ? 200 : 10)),
  );
  assert.deepEqual(whereOf(input), ["channel=app", "product=query"]);
});

test("what always fails so often is no cause", () => {
  const input = rowsOf(
    attributes,
    grid((channel) => (channel === "web" ? 300 : 10)).map(([values, attempts, failures]): Row => [
      values,
      attempts,
      failures,
      values[0] === "web" ? 3000 : 100,
    ]),
  );
  const { causes, excess } = drillRatio(input);
  // Of 960 failures: what leaning on the usual share of all adds.
  assert.ok(excess < 10, `${excess}`);
  for (const { excess: own } of causes) assert.ok(own < 10, `${own}`);
});

test("of two combinations with the very same leaves the one that says more is told, but not what is so everywhere", () => {
  // Only the counter works with paper, and everything is in one country.
  const input = rowsOf(
    ["channel", "country", "medium", "product"],
    channels.flatMap((channel) =>
      products.map((product): Row => [
        [channel, "cn", channel === "counter" ? "paper" : "bits", product],
        1000,
        channel === "counter" ? 200 : 10,
      ]),
    ),
  );
  assert.deepEqual(whereOf(input), ["channel=counter medium=paper"]);
});

test("a leaf whose values are not told counts, and nothing is named after it", () => {
  const input = rowsOf(
    ["channel", "product"],
    [
      [["", ""], 1000, 500],
      [["app", "pay"], 1000, 100],
      [["web", "pay"], 1000, 10],
      [["web", ""], 1000, 10],
    ],
  );
  const { causes, excess } = drillRatio(input);
  // Every product that is told is the same one.
  assert.deepEqual(causes[0]!.where, [["channel", "app"]]);
  assert.ok(excess > 550 && causes[0]!.share < 0.2, `${causes[0]!.share} of ${excess}`);
});

test("nothing to tell: no leaves, no failures, one leaf only", () => {
  const nothing = { causes: [], next: null, excess: 0 };
  assert.deepEqual(drillRatio(rowsOf(attributes, [])), nothing);
  assert.deepEqual(
    drillRatio(
      rowsOf(
        attributes,
        grid(() => 0),
      ),
    ),
    nothing,
  );
  assert.deepEqual(drillRatio(rowsOf(["channel"], [[["app"], 100, 90]])).causes, []);
});

test("it does not matter in which order leaves and attributes come", () => {
  const row = fc.record({
    values: fc.tuple(fc.constantFrom(...channels), fc.constantFrom(...products), fc.constantFrom(...regions)),
    attempts: fc.integer({ min: 0, max: 2000 }),
    failing: fc.double({ min: 0, max: 1, noNaN: true }),
  });
  const unique = fc.uniqueArray(row, {
    minLength: 1,
    maxLength: 18,
    selector: ({ values }) => values.join(),
  });
  fc.assert(
    fc.property(unique, fc.infiniteStream(fc.integer()), (rows, order) => {
      const plain = rows.map(({ values, attempts, failing }): Row => [
        values,
        attempts,
        Math.floor(attempts * failing),
      ]);
      const shuffled = plain
        .map((one) => ({ one, at: order.next().value }))
        .sort((a, b) => a.at - b.at)
        .map(({ one }) => one);
      const turned = shuffled.map(([values, ...counts]): Row => [values.toReversed(), ...counts]);
      const tellOf = (input: RatioLeaves) =>
        drillRatio(input).causes.map(({ actual, events, excess }) =>
          [actual, events, excess.toFixed(3)].join(),
        );
      assert.deepEqual(tellOf(rowsOf(attributes, shuffled)), tellOf(rowsOf(attributes, plain)));
      assert.deepEqual(tellOf(rowsOf(attributes.toReversed(), turned)), tellOf(rowsOf(attributes, plain)));
    }),
  );
});

test("causes share no leaf, and explain no more than there is", () => {
  const failures = fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 18, maxLength: 18 });
  fc.assert(
    fc.property(failures, (counts) => {
      let at = 0;
      const { causes } = drillRatio(
        rowsOf(
          attributes,
          grid(() => counts[at++]!),
        ),
      );
      assert.ok(causes.length <= 3);
      for (const { share, excess, events, actual } of causes) {
        assert.ok(share >= 0 && share <= 1 && excess > 0 && actual <= events);
      }
    }),
  );
});

test("more leaves or attributes than agreed are refused in words", () => {
  const names = Array.from({ length: limits.drillAttributesMax + 1 }, (_, index) => `a${index}`);
  assert.throws(
    () => drillRatio(rowsOf(names, [[names, 1, 1]])),
    /drill-down: 1 leaves of 9 attributes, limits are/,
  );
});
