import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { cutOff, type Fleet, networksOfAddresses, type Sighting } from "#collector/detect/partition.ts";

const none: Fleet = { fallen: [], late: [], others: [] };

function hosts(count: number, lastArrivalS: number, more: Partial<Sighting> = {}): Sighting[] {
  return Array.from({ length: count }, (_, index) => ({
    host: `${more.host ?? "h"}-${lastArrivalS}-${index}`,
    lastArrivalMs: lastArrivalS * 1000,
    intervalMs: 10_000,
    networks: [],
    ...(more.networks === undefined ? {} : { networks: more.networks }),
    ...(more.intervalMs === undefined ? {} : { intervalMs: more.intervalMs }),
  }));
}

test("nobody fell, nobody is cut off", () => {
  assert.equal(cutOff({ ...none, others: hosts(5, 100) }), null);
});

test("hosts that were heard since speak against a cut, hosts that are not due yet say nothing", () => {
  const fallen = hosts(3, 100);
  assert.equal(cutOff({ ...none, fallen, others: hosts(7, 120) }), null);
  assert.equal(cutOff({ ...none, fallen, others: hosts(6, 120) })?.all, false);
  assert.equal(cutOff({ ...none, fallen, others: hosts(600, 90, { intervalMs: 60_000 }) })?.all, true);
});

test("those that cannot have been cut off at the same moment are left out", () => {
  const cut = cutOff({ ...none, fallen: [...hosts(4, 100), ...hosts(2, 60), ...hosts(1, 104)] });
  assert.equal(cut?.hosts.length, 5);
  assert.equal(cut.onsetMs, 104_000);
  assert.ok(cut.hosts.every((host) => !host.startsWith("h-60")));
});

test("a network is cut off as a whole or not at all", () => {
  const fallen = hosts(3, 100, { networks: ["10.0.7.0"] });
  const others = hosts(20, 120);
  assert.equal(cutOff({ ...none, fallen, others })?.network, "10.0.7.0");
  const witness = hosts(1, 120, { networks: ["10.0.7.0"] });
  assert.equal(cutOff({ ...none, fallen, others: [...others, ...witness] }), null);
  assert.equal(cutOff({ ...none, fallen: fallen.slice(1), others }), null);
});

test("networks are those of a host's own IPv4 addresses", () => {
  const addresses = [
    "127.0.0.1",
    "10.1.7.5",
    "10.1.7.6",
    "172.17.0.1",
    "fe80::1",
    "169.254.3.4",
    "10.1.10.5",
  ];
  assert.deepEqual(
    networksOfAddresses(addresses, (address) => address === "172.17.0.1"),
    ["10.1.10.0", "10.1.7.0"],
  );
});

test("in any fleet: a cut has three hosts at least, of those that fell, that share a moment; and no order matters", () => {
  const sighting = fc.record({
    host: fc.nat(1000).map(String),
    lastArrivalMs: fc.nat(60).map((seconds) => seconds * 2_000),
    intervalMs: fc.constantFrom(1_000, 10_000, 60_000),
    networks: fc.subarray(["10.0.1.0", "10.0.2.0"]),
  });
  const all = fc.uniqueArray(sighting, { selector: ({ host }) => host, maxLength: 30 });
  fc.assert(
    fc.property(all, fc.nat(30), fc.nat(30), (sightings, fallenCount, lateCount) => {
      const fallen = sightings.slice(0, fallenCount);
      const late = sightings.slice(fallenCount, fallenCount + lateCount);
      const others = sightings.slice(fallenCount + lateCount);
      const cut = cutOff({ fallen, late, others });
      const turned = { fallen: fallen.toReversed(), late: late.toReversed(), others: others.toReversed() };
      assert.deepEqual(cutOff(turned), cut);
      if (cut === null) return;
      const members = fallen.filter(({ host }) => cut.hosts.includes(host));
      assert.ok(members.length === cut.hosts.length && members.length >= 3);
      const latestMs = Math.max(...members.map(({ lastArrivalMs }) => lastArrivalMs));
      for (const { lastArrivalMs, intervalMs } of members)
        assert.ok(lastArrivalMs + intervalMs + 10_000 >= latestMs, "its next sample was not due long before");
      if (cut.all)
        assert.ok([...late, ...others].every(({ lastArrivalMs }) => lastArrivalMs <= latestMs + 5_000));
    }),
    { seed: 23, numRuns: 500 },
  );
});
