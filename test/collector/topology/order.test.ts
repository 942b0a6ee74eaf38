/** What the topology says depends on what hosts told, never on who was heard first, nor on a restart in between. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createTopology, type Topology } from "#collector/topology/topology.ts";
import type { Series } from "#shared/series.ts";
import { Agent, hourMs, into, listens, measured, minuteMs, out, startMs } from "./agents.ts";

const hosts = ["a", "b", "c"] as const;
const addresses: Readonly<Record<string, readonly string[]>> = {
  a: ["10.0.0.1", "172.17.0.1"],
  b: ["10.0.0.2", "172.17.0.1"],
  c: ["127.0.0.13"],
};
const peers = [
  "10.0.0.1",
  "10.0.0.2",
  "10.0.0.3",
  "172.17.0.1",
  "127.0.0.13",
  "127.0.0.1",
  "203.0.113.9",
  "10.244.0.7",
];

const address = fc.constantFrom(...peers);
const port = fc.constantFrom("80", "5432");
const name = fc.constantFrom("x", "y.service");
const namespace = fc.constantFrom("", "77");
const series: fc.Arbitrary<Series> = fc.oneof(
  fc
    .record({ name, address, port, local: address, namespace })
    .map((one) => out(one.name, `${one.address}:${one.port}`, one)),
  fc
    .record({ name, address, port, local: address, namespace })
    .map((one) => into(one.name, `${one.local}:${one.port}`, one.address, one)),
  fc
    .record({ name, address: fc.constantFrom("", ...peers), port, namespace })
    .map((one) => listens(one.name, `${one.address}:${one.port}`, one.namespace)),
  fc
    .record({ name, address, port, local: address })
    .map((one) => measured(out(one.name, `${one.address}:${one.port}`, one), "causeway.edge.rtt")),
);
const value = fc.constantFrom(0, 1, 2, 7, Number.NaN);

interface Told {
  readonly host: string;
  readonly timeMs: number;
  readonly values: readonly (readonly [Series, number])[];
}

/** What one host tells, in the order of its times: seconds apart, or days. */
function toldBy(host: string): fc.Arbitrary<Told[]> {
  const stepMs = fc.constantFrom(10_000, minuteMs, hourMs, 20 * hourMs);
  const tick = fc.record({ stepMs, values: fc.array(fc.tuple(series, value), { maxLength: 6 }) });
  return fc.array(tick, { maxLength: 8 }).map((ticks) => {
    let timeMs = startMs;
    return ticks.map(({ stepMs: step, values }) => {
      timeMs += step;
      return { host, timeMs, values };
    });
  });
}

const world = fc.tuple(...hosts.map(toldBy));

/** Mixes the hosts' lines by `choices`, each host's own order kept. */
function mixed(lines: readonly (readonly Told[])[], choices: readonly number[]): Told[] {
  const left = lines.map((line) => [...line]);
  const all: Told[] = [];
  for (let turn = 0; left.some((line) => line.length > 0); turn += 1) {
    const open = left.filter((line) => line.length > 0);
    all.push(open[(choices[turn % Math.max(1, choices.length)] ?? 0) % open.length]!.shift()!);
  }
  return all;
}

/** A host says which addresses are its own when it is first heard, as with a key frame. */
function run(
  told: readonly Told[],
  { restartAfter = -1, asking = false }: { readonly restartAfter?: number; readonly asking?: boolean } = {},
): Topology {
  let topology = createTopology();
  topology.declare("a", "b/x");
  topology.observeCall("x", "y", startMs);
  const agents = new Map<string, Agent>();
  for (const [index, { host, timeMs, values }] of told.entries()) {
    const agent = agents.get(host) ?? new Agent(topology, host, addresses[host]!);
    agents.set(host, agent.tell(timeMs, ...values));
    if (asking) answers(topology);
    if (index !== restartAfter) continue;
    topology = createTopology({ state: JSON.parse(JSON.stringify(topology.snapshot())) });
    for (const one of agents.values()) one.moveTo(topology);
  }
  return topology;
}

function answers(topology: Topology): unknown {
  return {
    lists: (["service", "host", "zone"] as const).map((level) => topology.list(level)),
    hosts: hosts.map((a) => [
      topology.neighbours(a),
      topology.callees({ kind: "host", host: a, name: "" }),
      topology.callers({ kind: "host", host: a, name: "" }),
      hosts.map((b) => [topology.calls(a, b), topology.hops(a, b, 3)]),
      hosts.map((b) =>
        topology.serviceHops({ kind: "service", host: a, name: "x" }, { kind: "host", host: b, name: "" }, 4),
      ),
    ]),
  };
}

const choices = fc.array(fc.nat(2), { maxLength: 24 });

test("whatever the order in which hosts are heard, the topology is the same", () => {
  fc.assert(
    fc.property(world, choices, choices, (lines, first, second) => {
      const [a, b] = [run(mixed(lines, first)), run(mixed(lines, second))];
      assert.deepEqual(answers(a), answers(b));
      assert.equal(JSON.stringify(a.snapshot()), JSON.stringify(b.snapshot()));
    }),
  );
});

test("a restart in between changes nothing", () => {
  fc.assert(
    fc.property(world, choices, fc.nat(20), (lines, order, restartAfter) => {
      const told = mixed(lines, order);
      assert.deepEqual(answers(run(told, { restartAfter })), answers(run(told)));
    }),
  );
});

test("what was asked before changes no answer", () => {
  fc.assert(
    fc.property(world, choices, (lines, order) => {
      const told = mixed(lines, order);
      assert.deepEqual(answers(run(told, { asking: true })), answers(run(told)));
    }),
  );
});

test("hops and calls say the same from both sides, at both levels", () => {
  fc.assert(
    fc.property(world, (lines) => {
      const topology = run(mixed(lines, []));
      for (const a of hosts) {
        for (const b of hosts) {
          assert.equal(topology.hops(a, b, 3), topology.hops(b, a, 3));
          const linked = topology.calls(a, b) || topology.calls(b, a);
          assert.equal(linked, a !== b && topology.neighbours(a).includes(b), `${a} ${b}`);
        }
        for (const { caller, callee } of topology.callees({ kind: "host", host: a, name: "" })) {
          if (callee.kind === "peer") continue;
          const back = topology.callers(callee).some((edge) => edge.caller.host === caller.host);
          assert.ok(back, `${JSON.stringify(callee)} is called by ${a}`);
        }
      }
    }),
  );
});
