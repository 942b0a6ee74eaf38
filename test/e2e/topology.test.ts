/** Two agents on this machine that stand for a host each, with a loopback address of its own: the collector sees who calls whom. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { topologySchema, type TopologyReport } from "#shared/contract/topology.ts";
import { flags, getJson, Site, until } from "./programs.ts";

/** Listens on its own address; calls another's, from its own, and keeps the connection. */
const bank = `
  const net = require("node:net");
  const [own, peer, peerPort] = process.argv.slice(1);
  const server = net.createServer(() => {}).listen(0, own, () => console.log("listening on " + server.address().port));
  if (peer) net.connect({ host: peer, port: Number(peerPort), localAddress: own });
`;

test(
  "agents that are restricted to a process and an address each are two hosts, and one calls the other",
  { timeout: 90_000 },
  async (t) => {
    const site = Site.open(t);
    const core = site.start(process.execPath, ["-e", bank, "127.0.0.12"]);
    const [, port = ""] = await until(() => /listening on (\d+)/.exec(core.output), "the callee");
    const pay = site.start(process.execPath, ["-e", bank, "127.0.0.11", "127.0.0.12", port]);
    await until(() => pay.output.includes("listening"), "the caller");
    const collector = await site.collector();
    for (const [host, address, { pid }] of [
      ["pay-01", "127.0.0.11", pay],
      ["core-01", "127.0.0.12", core],
    ] as const) {
      const args = flags({
        host,
        address,
        "processes-of": String(pid),
        zone: "hk-east",
        collector: collector.url.replace("http:", "ws:"),
        data: site.path(host),
        interval: "1s",
      });
      site.node("agent/main.ts", args);
    }
    const list = async (level: string): Promise<TopologyReport> =>
      topologySchema.parse(await getJson(`${collector.url}/api/v1/topology?level=${level}`));
    const edge = await until(
      async () => {
        const { edges } = await list("service");
        return edges.find(
          ({ caller, callee }) =>
            caller.startsWith("service:pay-01/") && callee.startsWith("service:core-01/"),
        );
      },
      "the edge from pay-01 to core-01",
      60_000,
    );
    assert.deepEqual([edge.connections, edge.stale], [1, false]);
    const hosts = await list("host");
    assert.deepEqual(
      hosts.edges.map(({ caller, callee }) => [caller, callee]),
      [["host:pay-01", "host:core-01"]],
    );
    assert.deepEqual(
      hosts.nodes.map(({ id, zone }) => [id, zone]),
      [
        ["host:core-01", "hk-east"],
        ["host:pay-01", "hk-east"],
      ],
    );
  },
);
