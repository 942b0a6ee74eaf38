import assert from "node:assert/strict";
import { createServer, connect, type AddressInfo } from "node:net";
import { once } from "node:events";
import { test, type TestContext } from "node:test";
import { HostTree } from "./host-tree.ts";
import { Both, into, listen, out } from "./socket-host.ts";

const nginx = "0::/system.slice/nginx.service";
const shop = "0::/system.slice/shop.service";

function start(t: TestContext): { host: HostTree; both: Both } {
  const host = new HostTree(t);
  host.remove("1");
  host.process(100, { comm: "nginx", cgroup: nginx, sockets: [77, 5001, 5101, 5102] });
  host.process(200, { comm: "java", cgroup: shop, sockets: [5002, 5201, 5202, 5203, 5301, 5302] });
  return { host, both: new Both(t, host.procRoot) };
}

test("connections are counted by state over both families", async (t) => {
  const { both } = start(t);
  const reading = await both.ticks(1);
  const state = (name: string) =>
    reading.value(
      `system.network.connection.count{network.connection.state="${name}",network.transport="tcp"}`,
    );
  assert.equal(state("established"), 6);
  assert.equal(state("listen"), 3);
  assert.equal(state("time_wait"), 3);
  assert.equal(state("syn_sent"), 1);
  assert.equal(state("closing"), 0);
});

test("ports and edges are told under the service that holds the socket, the client's port summed away", async (t) => {
  const { both } = start(t);
  const reading = await both.ticks(2);
  assert.deepEqual(
    reading.ids("causeway.listen"),
    [listen("shop.service", 8080), listen("nginx.service", 80)].sort(),
  );
  assert.deepEqual(
    new Map(reading.ids("causeway.edge").map((id) => [id, reading.value(id)])),
    new Map([
      [into("nginx.service", 80, "10.0.0.7"), 2],
      [into("nginx.service", 80, "10.0.0.8"), 1],
      [into("shop.service", 8080, "10.0.0.7"), 1],
      [out("shop.service", "10.0.0.11", 6379), 1],
      [out("shop.service", "10.0.0.9", 5432), 2],
      [out("shop.service", "2001:db8::2", 443, "2001:db8::1"), 1],
    ]),
  );
});

test("a port that nobody listens on any more is told as 0 for three passes and then no more", async (t) => {
  const { host, both } = start(t);
  const reading = await both.ticks(2);
  assert.equal(reading.value(listen("nginx.service", 80)), 1);
  const table = host.read("net/tcp").split("\n");
  host.write("net/tcp", table.filter((line) => !line.includes("00000000:0050 ")).join("\n"));
  for (let pass = 0; pass < 3; pass += 1) {
    await both.ticks(1);
    assert.equal(reading.value(listen("nginx.service", 80)), 0);
    assert.equal(reading.value(listen("shop.service", 8080)), 1);
  }
  await both.ticks(1);
  assert.equal(reading.value(listen("nginx.service", 80)), undefined);
  assert.equal(reading.value(into("nginx.service", 80, "10.0.0.7")), 2, "connections outlive their listener");
});

test("a service that listens again after a restart has its old series back", async (t) => {
  const { host, both } = start(t);
  const reading = await both.ticks(2);
  const table = host.read("net/tcp");
  host.write(
    "net/tcp",
    table
      .split("\n")
      .filter((line) => !line.includes("00000000:0050 "))
      .join("\n"),
  );
  await both.ticks(5);
  host.process(101, { comm: "nginx", cgroup: nginx, sockets: [6001] });
  host.write("net/tcp", table.replace(" 5001 ", " 6001 "));
  await both.ticks(4);
  assert.equal(reading.value(listen("nginx.service", 80)), 1);
});

test("the port of a process that we may not look into is told by its number", async (t) => {
  const { host, both } = start(t);
  host.process(100, { comm: "nginx", cgroup: nginx });
  host.remove("100/fd");
  const reading = await both.ticks(5);
  assert.equal(reading.value(listen("port-80", 80)), 1);
  assert.equal(reading.value(into("port-80", 80, "10.0.0.7")), 2);
});

test("a listener on a port of chance is told only once it has stayed", async (t) => {
  const { host, both } = start(t);
  host.process(300, { comm: "rpcd", cgroup: "0::/system.slice/rpcd.service", sockets: [5009] });
  const reading = await both.ticks(59);
  assert.equal(reading.value(listen("rpcd.service", 45_678, "127.0.0.1")), undefined);
  await both.ticks(1);
  assert.equal(reading.value(listen("rpcd.service", 45_678, "127.0.0.1")), 1);
});

test("calls that are too short to be seen open are seen by what they leave behind", async (t) => {
  const { host, both } = start(t);
  const [head, ...rows] = host.read("net/tcp").split("\n");
  const waiting = rows.filter((row) => row.includes("0900000A:1538 06"));
  assert.equal(waiting.length, 1);
  host.write("net/tcp", [head, ...waiting, ...waiting, ""].join("\n"));
  host.remove("net/tcp6");
  const reading = await both.ticks(1);
  assert.equal(reading.value(out("unknown", "10.0.0.9", 5432)), 1);
});

test("an edge without connections is told as 0", async (t) => {
  const { host, both } = start(t);
  const reading = await both.ticks(2);
  const table = host.read("net/tcp").split("\n");
  host.write("net/tcp", table.filter((line) => !line.includes("0900000A:1538")).join("\n"));
  await both.ticks(1);
  assert.equal(reading.value(out("shop.service", "10.0.0.9", 5432)), 0);
});

test("a thousand peers make a hundred edges, and the rest is summed up", async (t) => {
  const { host, both } = start(t);
  const [head = "", listener = "", , row = ""] = host.read("net/tcp").split("\n");
  const rows = Array.from({ length: 1000 }, (_, index) =>
    row.replace("0700000A", `${(index + 256).toString(16).padStart(4, "0").toUpperCase()}000A`),
  );
  host.write("net/tcp", [head, listener, ...rows, ""].join("\n"));
  const reading = await both.ticks(2);
  const edges = reading.ids("causeway.edge").filter((id) => id.includes('service.name="nginx.service"'));
  assert.equal(edges.length, 100);
  const other =
    'causeway.edge.connections{causeway.edge.direction="in",network.peer.address="other",service.name="other"}';
  assert.equal(reading.value(other), 901, "900 of these, and one to port 8080");
});

test("a host without IPv6 is a host", async (t) => {
  const { host, both } = start(t);
  host.remove("net/tcp6");
  const reading = await both.ticks(2);
  assert.equal(reading.value(listen("nginx.service", 80)), 1);
});

test("on this very machine a connection to ourselves is found from both ends", async (t) => {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const client = connect(port, "127.0.0.1");
  const [accepted] = await Promise.all([once(server, "connection"), once(client, "connect")]);
  const both = new Both(t, "/proc");
  const reading = await both.ticks(4);
  t.after(() => {
    client.destroy();
    (accepted[0] as typeof client).destroy();
    server.close();
  });
  const edges = reading.ids("causeway.edge").filter((id) => id.includes(`"${port}"`));
  assert.deepEqual(
    edges.map((id) => reading.value(id)),
    [1, 1],
  );
});
