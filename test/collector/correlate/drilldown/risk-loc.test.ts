import assert from "node:assert/strict";
import { test } from "node:test";
import { drillVolume, leavesOf, type VolumeLeaves } from "#collector/correlate/drilldown/drilldown.ts";

const attributes = ["channel", "product", "region"];
const channels = ["app", "web", "counter", "agent"];
const products = ["pay", "transfer", "query", "loan"];
const regions = ["north", "south", "east", "west"];

/** Each leaf usually has a volume of its own, and is off by a few percent now, up or down. */
function volumes(leftOf: (channel: string, product: string, region: string) => number): VolumeLeaves {
  const rows = channels.flatMap((channel) =>
    products.flatMap((product) => regions.map((region) => [channel, product, region] as const)),
  );
  const expected = Float64Array.from(rows, (_, index) => 100 + 17 * (index % 7));
  const actual = expected.map(
    (usual, index) => usual * (1 + 0.03 * Math.sin(index * 7)) * leftOf(...rows[index]!),
  );
  return { leaves: leavesOf(attributes, rows), actual, expected };
}

const whereOf = (input: VolumeLeaves): string[] =>
  drillVolume(input).causes.map(({ where }) => where.map((pair) => pair.join("=")).join(" "));

test("what stops coming is named by as few attributes as will do", () => {
  assert.deepEqual(whereOf(volumes((channel) => (channel === "app" ? 0.3 : 1))), ["channel=app"]);
  assert.deepEqual(whereOf(volumes((channel, product) => (channel === "app" && product === "pay" ? 0 : 1))), [
    "channel=app product=pay",
  ]);
});

test("what is missing is told with its share of all that is", () => {
  const { causes, excess, next } = drillVolume(volumes((channel) => (channel === "web" ? 0.5 : 1)));
  const [cause] = causes;
  assert.ok(cause!.share > 0.95 && cause!.excess <= excess + 1e-9);
  assert.ok(Math.abs(cause!.actual / cause!.expected - 0.5) < 0.03);
  assert.ok(next === null || next.share < 0.1, `${next?.share}`);
});

test("two losses in different places are two causes", () => {
  const found = whereOf(
    volumes((channel, product) => (channel === "app" ? 0.2 : product === "loan" ? 0.6 : 1)),
  );
  assert.deepEqual(found.toSorted(), ["channel=app", "product=loan"]);
});

test("too much is found as too little is", () => {
  assert.deepEqual(whereOf(volumes((_, __, region) => (region === "east" ? 4 : 1))), ["region=east"]);
});

test("nothing to tell: no leaves, nothing unusual", () => {
  assert.deepEqual(
    whereOf({ leaves: leavesOf(attributes, []), actual: new Float64Array(), expected: new Float64Array() }),
    [],
  );
  const same = volumes(() => 1);
  assert.deepEqual(whereOf({ ...same, actual: same.expected }), []);
});
