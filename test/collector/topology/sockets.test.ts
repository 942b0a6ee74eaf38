/** From two agents' sockets to one edge: what `agent/collect` tells is what the topology joins. */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test, type TestContext } from "node:test";
import { createTopology, type Topology } from "#collector/topology/topology.ts";
import { entityId } from "#shared/entity.ts";
import { fixture, HostTree } from "../../agent/collect/host-tree.ts";
import { Both } from "../../agent/collect/socket-host.ts";
import { startMs } from "./agents.ts";

const tcp = readFileSync(fixture("sockets/tcp"), "utf8");
const [head = "", ...rows] = tcp.split("\n");

/** A host with those sockets of the fixture, all held by one service. */
async function hostWith(t: TestContext, service: string, keep: (row: string) => boolean): Promise<Both> {
  const host = new HostTree(t);
  host.remove("1");
  host.remove("net/tcp6");
  const kept = rows.filter(keep);
  host.write("net/tcp", `${[head, ...kept].join("\n")}\n`);
  const sockets = kept.map((row) => Number(row.trim().split(/\s+/)[9])).filter((inode) => inode > 0);
  host.process(100, { comm: service, sockets });
  const both = new Both(t, host.procRoot);
  await both.ticks(2);
  return both;
}

/** Hands on what the last tick told, as the collector gets it. */
function tell(topology: Topology, host: string, { reading }: Both): void {
  const values: [number, number][] = [];
  for (const { column, series } of reading.recorder.definitions()) {
    topology.define(host, column, series);
    const value = reading.valueOf(series);
    if (value !== undefined) values.push([column, value]);
  }
  topology.observe({
    host,
    timeMs: startMs,
    intervalMs: 10_000,
    series: Uint32Array.from(values, ([column]) => column),
    values: Float64Array.from(values, ([, value]) => value),
  });
}

test("two agents that each see their own end tell one edge, with its connections", async (t) => {
  const topology = createTopology();
  // The caller is 10.0.0.2, the callee 10.0.0.3: both stand in one table of the fixture.
  const callee = (row: string) => row.includes(": 0300000A:1538 ");
  const caller = (row: string) => row.includes(" 0300000A:1538 01 ");
  topology.addresses("web-01", ["10.0.0.2"]);
  topology.addresses("db-01", ["10.0.0.3"]);
  tell(topology, "web-01", await hostWith(t, "shop", caller));
  tell(topology, "db-01", await hostWith(t, "postgres", callee));
  assert.deepEqual(
    topology.list("service").edges.map((edge) => [edge.caller, edge.callee, edge.connections]),
    [["service:web-01/shop", "service:db-01/postgres", 1]],
  );
});

test("two agents on one machine with loopback addresses of their own are two hosts that call each other", async (t) => {
  const topology = createTopology();
  topology.addresses("pay-01", ["127.0.0.12"]);
  topology.addresses("core-01", ["127.0.0.11"]);
  const listening = (row: string) => row.includes(": 0B00007F:1F90 ");
  const calling = (row: string) => row.includes(" 0B00007F:1F90 01 ");
  tell(topology, "pay-01", await hostWith(t, "pay", calling));
  tell(topology, "core-01", await hostWith(t, "ledger", listening));
  const [edge] = topology.callees({ kind: "service", host: "pay-01", name: "pay" });
  assert.equal(edge === undefined ? "" : entityId(edge.callee), "service:core-01/ledger");
});
