import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { Agent, request as httpRequest } from "node:http";
import type { IncomingHttpHeaders } from "node:http";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { brotliDecompressSync, gunzipSync } from "node:zlib";
import * as fc from "fast-check";
import type { Command, CommandResult } from "#collector/push/api.ts";
import type { UpgradeHandler } from "#collector/push/http.ts";
import { securityHeaders } from "#collector/push/guard.ts";
import {
  apiErrorSchema,
  type FeedbackList,
  feedbackListSchema,
  hostListSchema,
  incidentListSchema,
  ledgerSchema,
} from "#shared/contract/api.ts";
import { createTopology } from "#collector/topology/topology.ts";
import { incidentSchema } from "#shared/contract/incident.ts";
import { systemReportSchema } from "#shared/contract/system.ts";
import { topologySchema } from "#shared/contract/topology.ts";
import { ConfigError, StorageError } from "#shared/errors.ts";
import { sampleHost, sampleIncident, sampleLoss, sampleSystem } from "../store/samples.ts";
import { inRoom, openRoom, Reader } from "./room.ts";

interface Reply {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: Buffer;
}

interface Ask {
  readonly method?: string;
  readonly headers?: Record<string, string>;
  readonly body?: string;
  readonly agent?: Agent;
}

function ask(
  port: number,
  path: string,
  { method = "GET", headers = {}, body, agent }: Ask = {},
): Promise<Reply> {
  return new Promise((resolve, reject) => {
    const options = { host: "127.0.0.1", port, path, method, headers, agent: agent ?? false };
    const request = httpRequest(options, (response) => {
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", reject);
      response.on("end", () =>
        resolve({ status: response.statusCode ?? 0, headers: response.headers, body: Buffer.concat(chunks) }),
      );
    });
    request.on("error", reject);
    request.end(body);
  });
}

const parsed = (reply: Reply): unknown => JSON.parse(reply.body.toString());
const errorOf = (reply: Reply): string => apiErrorSchema.parse(parsed(reply)).error.code;

/** Writes raw bytes and gives back what comes until the other side closes. */
function raw(port: number, bytes: Uint8Array): Promise<string> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(port, "127.0.0.1", () => socket.end(bytes));
    socket.on("data", (chunk) => chunks.push(chunk));
    socket.on("error", () => {});
    socket.on("close", () => resolve(Buffer.concat(chunks).toString("latin1")));
  });
}

test("the API answers as its contract says", () =>
  inRoom(
    {
      api: {
        incidents: ({ state }) =>
          state === "open" ? [sampleIncident("a")] : [sampleIncident("a"), sampleIncident("b")],
        incident: (id) => (id === "a/1" ? sampleIncident(id, { revision: 7 }) : undefined),
        hosts: () => [sampleHost("web-01")],
        hostSeries: (host) =>
          host === "__proto__"
            ? { host, series: [{ id: "m", metric: "m", unit: "1", role: "cause", entity: "host:web-01" }] }
            : undefined,
        seriesRange: (range) =>
          range.series === 'cpu{mode="user"}'
            ? {
                host: range.host,
                series: range.series,
                unit: "1",
                timesMs: [range.fromMs, range.toMs],
                values: [1, null],
              }
            : undefined,
        ledger: (range) => ({ stored: 9, lost: 3600, losses: [sampleLoss({ host: range.host ?? "any" })] }),
        system: () => ({
          state: sampleSystem(),
          calendar: { zone: "Asia/Shanghai", dayClass: "month_end" },
          judges: [{ policy: "ab12", version: "0.1.0", sinceMs: 5 }],
        }),
        topology: (level) => {
          const topology = createTopology();
          topology.advance(5);
          topology.declare("web-01", "db-01/postgres");
          return topology.list(level);
        },
      },
    },
    async ({ port }) => {
      const list = await ask(port, "/api/v1/incidents");
      assert.equal(incidentListSchema.parse(parsed(list)).incidents.length, 2);
      assert.equal(list.headers["content-type"], "application/json; charset=utf-8");
      assert.equal(list.headers["cache-control"], "no-store");
      const open = await ask(port, "/api/v1/incidents?state=open");
      assert.equal(incidentListSchema.parse(parsed(open)).incidents.length, 1);
      const one = await ask(port, "/api/v1/incidents/a%2F1");
      assert.equal(incidentSchema.parse(parsed(one)).id, "a/1");
      assert.equal(one.headers.etag, '"7"');
      assert.equal(hostListSchema.parse(parsed(await ask(port, "/api/v1/hosts"))).hosts[0]?.host, "web-01");
      assert.equal((await ask(port, "/api/v1/hosts/__proto__/series")).status, 200);
      const series = encodeURIComponent('cpu{mode="user"}');
      const range = await ask(port, `/api/v1/series?host=web-01&series=${series}&from=1&to=5`);
      assert.deepEqual((parsed(range) as { timesMs: number[] }).timesMs, [1, 5]);
      const ledger = ledgerSchema.parse(parsed(await ask(port, "/api/v1/ledger?host=web-01")));
      assert.deepEqual([ledger.lost, ledger.losses[0]?.host], [3600, "web-01"]);
      const system = systemReportSchema.parse(parsed(await ask(port, "/api/v1/system")));
      assert.deepEqual([system.judges[0]?.policy, system.calendar.dayClass], ["ab12", "month_end"]);
      const services = topologySchema.parse(parsed(await ask(port, "/api/v1/topology")));
      assert.deepEqual(
        [services.level, services.atMs, services.nodes.map(({ id }) => id), services.edges.length],
        ["service", 5, ["host:web-01", "service:db-01/postgres"], 1],
      );
      const byHost = topologySchema.parse(parsed(await ask(port, "/api/v1/topology?level=host")));
      assert.deepEqual([byHost.level, byHost.edges[0]?.callee], ["host", "host:db-01"]);
      const head = await ask(port, "/api/v1/hosts", { method: "HEAD" });
      assert.deepEqual([head.status, head.body.length], [200, 0]);
    },
  ));

const refused: readonly (readonly [string, number, string, Ask?])[] = [
  ["/api/v1/incidents?state=some", 400, "bad_request"],
  ["/api/v1/topology?level=rack", 400, "bad_request"],
  ["/api/v1/incidents/none", 404, "unknown_incident"],
  ["/api/v1/hosts/none/series", 404, "unknown_host"],
  ["/api/v1/hosts//series", 404, "not_found"],
  ["/api/v1/series?host=a&series=b&from=0&to=1", 404, "unknown_series"],
  ["/api/v1/series?host=a&series=b&from=0", 400, "bad_request"],
  ["/api/v1/series?host=a&series=b&from=2&to=1", 400, "bad_request"],
  ["/api/v1/series?host=a&series=b&from=-1&to=1e9", 400, "bad_request"],
  ["/api/v1/ledger?from=yesterday", 400, "bad_request"],
  ["/api/v1/%ff", 400, "bad_request"],
  ["/api/v2/incidents", 404, "not_found"],
  ["/api/v1/hosts", 405, "method", { method: "POST" }],
  ["/api/v1/incidents/a/resolve", 405, "method"],
  ["/metrics", 405, "method", { method: "DELETE" }],
  ["/assets/none.js", 404, "not_found"],
  ["/api/v1/hosts", 421, "host", { headers: { Host: "evil.example" } }],
  ["/metrics", 421, "host", { headers: { Host: "127.0.0.1.evil.example:80" } }],
  ["/", 421, "host", { headers: { Host: "localhost:80:80" } }],
  [
    "/api/v1/incidents/a/resolve",
    403,
    "origin",
    { method: "POST", headers: { Origin: "http://evil.example" } },
  ],
];

for (const [path, status, code, how = {}] of refused) {
  test(`${how.method ?? "GET"} ${path}${how.headers ? ` with ${JSON.stringify(how.headers)}` : ""} is refused with ${status} ${code}`, () =>
    inRoom({}, async ({ port }) => {
      const reply = await ask(port, path, how);
      assert.deepEqual([reply.status, errorOf(reply)], [status, code]);
      assert.ok(reply.headers["content-security-policy"]);
    }));
}

test("names that lead here are served, on any forwarded port, and so are configured ones", () =>
  inRoom({ hosts: ["causeway.bank.example"] }, async ({ port }) => {
    for (const host of [
      "localhost",
      "LOCALHOST:9000",
      "127.0.0.1:1",
      "[::1]:8080",
      "causeway.bank.example:443",
    ]) {
      assert.equal((await ask(port, "/healthz", { headers: { Host: host } })).status, 200, host);
    }
  }));

const commandHeaders = { "Content-Type": "application/json", "Idempotency-Key": "k-1" };

test("a command carries its key, its revision and who asks, and answers with the incident", async () => {
  const commands: Command[] = [];
  const command = (given: Command): Promise<CommandResult> => {
    commands.push(given);
    return Promise.resolve({ outcome: "done", incident: sampleIncident(given.id, { revision: 8 }) });
  };
  await inRoom({ api: { command } }, async ({ port }) => {
    const reply = await ask(port, "/api/v1/incidents/i-1/acknowledge", {
      method: "POST",
      headers: { ...commandHeaders, "If-Match": '"7"', Origin: `http://127.0.0.1:${port}` },
      body: JSON.stringify({ by: "陈大文", comment: "looking" }),
    });
    assert.equal(reply.status, 200);
    assert.equal(reply.headers.etag, '"8"');
    assert.equal(incidentSchema.parse(parsed(reply)).id, "i-1");
    await ask(port, "/api/v1/incidents/i-1/resolve", {
      method: "POST",
      headers: commandHeaders,
      body: '{"by":"ops"}',
    });
  });
  assert.deepEqual(commands, [
    {
      id: "i-1",
      kind: "acknowledge",
      request: { by: "陈大文", comment: "looking" },
      idempotencyKey: "k-1",
      ifMatch: 7,
    },
    { id: "i-1", kind: "resolve", request: { by: "ops" }, idempotencyKey: "k-1", ifMatch: undefined },
  ]);
});

test("feedback is a command with a verdict", async () => {
  const commands: Command[] = [];
  const feedback = { verdict: "noise" as const, by: "陈大文", atMs: 5, comment: "" };
  const command = (given: Command): Promise<CommandResult> => {
    commands.push(given);
    return Promise.resolve({
      outcome: "done",
      incident: sampleIncident(given.id, { revision: 8, feedback }),
    });
  };
  const how = (body: object): Ask => ({
    method: "POST",
    headers: { ...commandHeaders, "If-Match": "7" },
    body: JSON.stringify(body),
  });
  await inRoom({ api: { command } }, async ({ port }) => {
    const path = "/api/v1/incidents/i-1/feedback";
    const reply = await ask(port, path, how({ by: "陈大文", verdict: "noise" }));
    assert.deepEqual([reply.status, reply.headers.etag], [200, '"8"']);
    assert.deepEqual(incidentSchema.parse(parsed(reply)).feedback, feedback);
    for (const body of [{ by: "x" }, { by: "x", verdict: "silence" }, { verdict: "noise" }]) {
      const bad = await ask(port, path, how(body));
      assert.deepEqual([bad.status, errorOf(bad)], [400, "bad_request"], JSON.stringify(body));
    }
  });
  assert.deepEqual(commands, [
    {
      id: "i-1",
      kind: "feedback",
      request: { by: "陈大文", verdict: "noise" },
      idempotencyKey: "k-1",
      ifMatch: 7,
    },
  ]);
});

test("the feedback in force is listed, of one incident or of all", async () => {
  const list: FeedbackList = {
    feedbacks: [
      { incident: "i-1", verdict: "noise", by: "mei", atMs: 5, comment: "", untilMs: 9, series: 1 },
    ],
    series: [
      {
        host: "web-01",
        series: "cpu",
        metric: "cpu",
        entityKind: "host",
        useful: 0,
        noise: 1,
        factor: 1.25,
      },
    ],
    kinds: [{ metric: "cpu", entityKind: "host", hosts: 3, incidents: 3, factor: 1.1 }],
  };
  const asked: object[] = [];
  const feedback = (filter: { incident?: string }): FeedbackList => {
    asked.push(filter);
    return list;
  };
  await inRoom({ api: { feedback } }, async ({ port }) => {
    for (const path of ["/api/v1/feedback", "/api/v1/feedback?incident=i-1"]) {
      assert.deepEqual(feedbackListSchema.parse(parsed(await ask(port, path))), list);
    }
    assert.equal((await ask(port, "/api/v1/feedback", { method: "POST" })).status, 405);
  });
  assert.deepEqual(asked, [{}, { incident: "i-1" }]);
});

test("every end of a command has its status", async () => {
  const incident = sampleIncident("a", { revision: 9, owner: "mei" });
  const ends: readonly (readonly [CommandResult, number, RegExp])[] = [
    [{ outcome: "unknown_incident" }, 404, /unknown_incident/],
    [{ outcome: "changed", incident }, 412, /revision 9, owned by mei/],
    [{ outcome: "not_allowed", message: "it is resolved" }, 409, /it is resolved/],
    [{ outcome: "key_reused" }, 422, /another command/],
  ];
  let next = 0;
  const command = () => Promise.resolve(ends[next]?.[0] ?? { outcome: "key_reused" as const });
  await inRoom({ api: { command } }, async ({ port }) => {
    for (const [index, [, status, message]] of ends.entries()) {
      next = index;
      const how = { method: "POST", headers: commandHeaders, body: '{"by":"x"}' };
      const reply = await ask(port, "/api/v1/incidents/a/resolve", how);
      assert.equal(reply.status, status);
      assert.match(reply.body.toString(), message);
    }
  });
});

test("a command that is not well formed is refused before anything happens", async () => {
  let called = 0;
  const command = () => {
    called += 1;
    return Promise.resolve({ outcome: "unknown_incident" as const });
  };
  const body = '{"by":"x"}';
  const bad: readonly (readonly [number, Ask])[] = [
    [400, { headers: { "Content-Type": "application/json" }, body }],
    [400, { headers: { ...commandHeaders, "Idempotency-Key": "x".repeat(129) }, body }],
    [400, { headers: { ...commandHeaders, "If-Match": "W/seven" }, body }],
    [415, { headers: { ...commandHeaders, "Content-Type": "text/plain" }, body }],
    [400, { headers: commandHeaders, body: "" }],
    [400, { headers: commandHeaders, body: "{" }],
    [400, { headers: commandHeaders, body: "[]" }],
    [400, { headers: commandHeaders, body: '{"by":""}' }],
    [400, { headers: commandHeaders, body: JSON.stringify({ by: "x", comment: "y".repeat(2001) }) }],
    [413, { headers: commandHeaders, body: JSON.stringify({ by: "x", comment: "y".repeat(20_000) }) }],
  ];
  await inRoom({ api: { command } }, async ({ port }) => {
    for (const [status, how] of bad) {
      const reply = await ask(port, "/api/v1/incidents/a/acknowledge", { ...how, method: "POST" });
      assert.equal(reply.status, status, JSON.stringify(how));
      errorOf(reply);
    }
  });
  assert.equal(called, 0);
});

test("a failing part costs one answer and a log line, and a full disk says to come back", () =>
  inRoom(
    {
      api: {
        incidents: () => {
          throw new Error("boom: secret detail");
        },
        hosts: () => Promise.reject(new StorageError("cannot read: the disk is full", { retryable: true })),
      },
    },
    async ({ port, log }) => {
      const broken = await ask(port, "/api/v1/incidents");
      assert.deepEqual([broken.status, errorOf(broken)], [500, "internal"]);
      assert.doesNotMatch(broken.body.toString(), /secret/);
      assert.match(log.join(""), /"event":"request failed".*boom: secret detail/);
      const full = await ask(port, "/api/v1/hosts");
      assert.deepEqual([full.status, full.headers["retry-after"]], [503, "5"]);
      assert.equal((await ask(port, "/healthz")).status, 200);
    },
  ));

test("probes answer under the names that the world uses, and say why the collector is not ready", async () => {
  let reasons = ["replaying the journal: 40 of 900"];
  await inRoom({ api: { ready: () => reasons } }, async ({ port }) => {
    for (const path of ["/-/healthy", "/healthz", "/livez"])
      assert.equal((await ask(port, path)).status, 200);
    for (const path of ["/-/ready", "/readyz"]) {
      const reply = await ask(port, path);
      assert.deepEqual([reply.status, reply.body.toString()], [503, "replaying the journal: 40 of 900\n"]);
    }
    reasons = [];
    assert.equal((await ask(port, "/-/ready")).status, 200);
  });
});

test("metrics count requests by route and never by what a client wrote", () =>
  inRoom({}, async ({ port }) => {
    await ask(port, "/api/v1/hosts");
    await ask(port, "/api/v1/unknown-path-of-somebody");
    await ask(port, "/%ff");
    const reply = await ask(port, "/metrics");
    const body = reply.body.toString();
    assert.equal(reply.headers["content-type"], "text/plain; version=0.0.4; charset=utf-8");
    assert.match(body, /causeway_http_requests_total\{route="hosts",code="2xx"\} 1/);
    assert.match(body, /causeway_http_requests_total\{route="none",code="4xx"\} 2/);
    assert.doesNotMatch(body, /somebody/);
  }));

test("the console is served from memory, compressed, with caching that fits each file", async () => {
  const directory = mkdtempSync(join(tmpdir(), "causeway-console-"));
  const script = "export const x = 1;\n".repeat(200);
  mkdirSync(join(directory, "assets"));
  writeFileSync(join(directory, "index.html"), "<!doctype html><title>Causeway</title>");
  writeFileSync(join(directory, "assets", "main-Ab3_x9Zq.js"), script);
  writeFileSync(join(directory, "icon.svg"), "<svg/>");
  try {
    await inRoom({ consoleDirectory: directory }, async ({ port }) => {
      rmSync(directory, { recursive: true });
      const page = await ask(port, "/");
      assert.equal(page.headers["content-type"], "text/html; charset=utf-8");
      assert.equal(page.headers["cache-control"], "no-cache");
      for (const path of [
        "/incidents/inc-1.2",
        "/hosts/web-01.bank.local",
        "/..%2f..%2fetc%2fpasswd",
        "/index.html",
      ]) {
        assert.equal((await ask(port, path)).body.toString(), page.body.toString(), path);
      }
      const path = "/assets/main-Ab3_x9Zq.js";
      const br = await ask(port, path, { headers: { "Accept-Encoding": "gzip, deflate, br" } });
      assert.equal(br.headers["content-encoding"], "br");
      assert.equal(br.headers["cache-control"], "public, max-age=31536000, immutable");
      assert.equal(brotliDecompressSync(br.body).toString(), script);
      const gzip = await ask(port, path, { headers: { "Accept-Encoding": "br;q=0, gzip" } });
      assert.equal(gunzipSync(gzip.body).toString(), script);
      const plain = await ask(port, path);
      assert.equal(plain.headers["content-encoding"], undefined);
      assert.equal(plain.body.toString(), script);
      assert.equal(plain.headers.vary, "Accept-Encoding");
      const again = await ask(port, path, { headers: { "If-None-Match": plain.headers.etag ?? "" } });
      assert.deepEqual([again.status, again.body.length], [304, 0]);
      assert.equal((await ask(port, "/assets/gone-Ab3_x9Zq.js")).status, 404);
      assert.equal((await ask(port, "/", { method: "POST" })).status, 405);
      for (const [name, value] of securityHeaders) {
        assert.equal(page.headers[name.toLowerCase()], value, name);
        assert.equal(again.headers[name.toLowerCase()], value, name);
      }
    });
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
});

test("a directory that is not the console, or is not there, is a mistake of the configuration", async () => {
  await assert.rejects(
    openRoom({ consoleDirectory: "/no/such/console" }),
    (error) => error instanceof ConfigError && /cannot read \/no\/such\/console/.test(error.message),
  );
  const here = mkdtempSync(join(tmpdir(), "causeway-console-"));
  await assert.rejects(openRoom({ consoleDirectory: here }), /no index.html/);
  writeFileSync(join(here, "index.html"), "x".repeat(2_000));
  await assert.rejects(
    openRoom({ consoleDirectory: here, limits: { consoleBytesMax: 1_000 } }),
    /more than 1000/,
  );
  rmSync(here, { recursive: true });
});

test("the listener takes loopback addresses only, and says what to do when the port is taken", () =>
  inRoom({}, async (room) => {
    const other = await openRoom();
    await other.http.close();
    for (const host of ["0.0.0.0", "::", "192.168.0.1", "example.com", "127.0.0.1.example.com"]) {
      assert.throws(() => other.http.listen(host, 0), ConfigError, host);
    }
    await assert.rejects(
      other.http.listen("127.0.0.1", room.port),
      (error) => error instanceof ConfigError && /another process has the port: stop it/.test(error.message),
    );
    const again = await other.http.listen("127.0.0.1", 0);
    assert.equal((await ask(again.port, "/healthz")).status, 200, "a refused address is not the end");
    await other.end();
  }));

test("connections are reused after an answer, and after a refusal", () =>
  inRoom({}, async ({ port }) => {
    const agent = new Agent({ keepAlive: true, maxSockets: 1 });
    const replies: Reply[] = [];
    for (const path of ["/healthz", "/api/v1/nothing", "/api/v1/hosts", "/%ff"]) {
      replies.push(await ask(port, path, { agent }));
    }
    assert.deepEqual(
      replies.map(({ headers }) => headers.connection),
      replies.map(() => "keep-alive"),
    );
    agent.destroy();
  }));

test("upgrades go to the handler of their path; others are refused; h2c is answered in HTTP/1.1", async () => {
  const seen: (string | undefined)[] = [];
  const upgrades: readonly (readonly [string, UpgradeHandler])[] = [
    [
      "/agent/v1",
      (request, socket) => {
        seen.push(request.url);
        socket.end("HTTP/1.1 101 Switching Protocols\r\n\r\n");
      },
    ],
    [
      "/broken",
      () => {
        throw new Error("boom");
      },
    ],
  ];
  await inRoom({ upgrades }, async ({ port, log }) => {
    const upgrade = (path: string, more = "") =>
      raw(
        port,
        Buffer.from(
          `GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n${more}\r\n`,
        ),
      );
    assert.match(await upgrade("/agent/v1?x=1"), /^HTTP\/1.1 101/);
    assert.deepEqual(seen, ["/agent/v1?x=1"]);
    assert.match(await upgrade("/other"), /^HTTP\/1.1 404[^]*"not_found"/);
    assert.match(await upgrade("/agent/v1", "Origin: http://evil.example\r\n"), /^HTTP\/1.1 403/);
    assert.match(await upgrade("/broken"), /^HTTP\/1.1 503/);
    assert.match(log.join(""), /upgrade failed/);
    assert.match(await upgrade("/%ff"), /^HTTP\/1.1 400/);
    const h2c =
      "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, close\r\nUpgrade: h2c\r\n\r\n";
    assert.match(await raw(port, Buffer.from(h2c)), /^HTTP\/1.1 200/);
  });
});

test("headers that are too many or too large cost their own connection only", () =>
  inRoom({}, async ({ port }) => {
    const large = `GET / HTTP/1.1\r\nHost: localhost\r\nX: ${"x".repeat(20_000)}\r\n\r\n`;
    assert.match(await raw(port, Buffer.from(large)), /^HTTP\/1.1 431/);
    assert.equal((await ask(port, "/healthz")).status, 200);
  }));

const line = fc.constantFrom(
  "GET / HTTP/1.1\r\n",
  "GET /live/v1 HTTP/1.1\r\n",
  "POST /api/v1/incidents/a/resolve HTTP/1.1\r\n",
  "GET http://[ HTTP/1.1\r\n",
  "GET //evil/%00%ff HTTP/1.1\r\n",
  "OPTIONS * HTTP/1.1\r\n",
  "CONNECT x:1 HTTP/1.1\r\n",
  "PRI * HTTP/2.0\r\n\r\n",
  "Host: localhost\r\n",
  "Host: \u0000\r\n",
  "Upgrade: websocket\r\nConnection: Upgrade\r\n",
  "Sec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\nSec-WebSocket-Version: 13\r\n",
  "Sec-WebSocket-Protocol: causeway.live.v1\r\n",
  "Sec-WebSocket-Protocol: ,,=;\r\n",
  "Idempotency-Key: k\r\nContent-Type: application/json\r\n",
  "Content-Length: 99999999999999999999\r\n",
  "Content-Length: -1\r\n",
  "Transfer-Encoding: chunked\r\n",
  "Expect: 100-continue\r\n",
  "\r\n",
  "ffffffffffff\r\n",
  "\u0081\u00fe\u0000\u007f",
);

test("no bytes on a raw socket end the collector", () =>
  inRoom({}, async ({ port }) => {
    const piece = fc.oneof(
      { weight: 4, arbitrary: line.map((text) => Buffer.from(text, "latin1")) },
      { weight: 1, arbitrary: fc.uint8Array({ maxLength: 200 }).map((bytes) => Buffer.from(bytes)) },
    );
    await fc.assert(
      fc.asyncProperty(fc.array(piece, { maxLength: 12 }), async (pieces) => {
        await raw(port, Buffer.concat(pieces));
      }),
      { numRuns: 400 },
    );
    assert.equal((await ask(port, "/healthz")).status, 200);
    const reader = await Reader.greeted(port);
    assert.equal(reader.closed, undefined);
  }));
