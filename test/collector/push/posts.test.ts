// Requests of other programs' protocols: guarded like the API's, answered as their own protocol wants it.
import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { WebSocket } from "ws";
import type { PostHandler } from "#collector/push/http.ts";
import { livePath, liveSubprotocol } from "#shared/contract/live.ts";
import { ConfigError } from "#shared/errors.ts";
import { inRoom } from "./room.ts";

const echo: PostHandler = async (request) => {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  return {
    status: 200,
    contentType: "application/x-test",
    body: Buffer.concat(chunks),
    headers: [["X-Own", "yes"]],
  };
};
const posts = [["/v1/test", echo]] as const;

async function ask(
  port: number,
  path: string,
  init: RequestInit = {},
): Promise<{ status: number; text: string }> {
  const answer = await fetch(`http://127.0.0.1:${port}${path}`, init);
  return { status: answer.status, text: await answer.text() };
}

test("bytes that are posted come to their handler as they are, and its answer goes out as it is", () =>
  inRoom({ posts }, async ({ port }) => {
    const body = Uint8Array.from({ length: 256 }, (_, byte) => byte);
    const answer = await fetch(`http://127.0.0.1:${port}/v1/test`, { method: "POST", body });
    assert.equal(answer.headers.get("content-type"), "application/x-test");
    assert.equal(answer.headers.get("x-own"), "yes");
    assert.deepEqual(new Uint8Array(await answer.arrayBuffer()), body);
    assert.equal((await ask(port, "/v1/test")).status, 405);
    assert.equal((await ask(port, "/v1/other", { method: "POST", body: "" })).status, 405);
  }));

test("a page of another site may not post", () =>
  inRoom({ posts }, async ({ port }) => {
    const headers = { Origin: "http://evil.example" };
    assert.equal((await ask(port, "/v1/test", { method: "POST", body: "x", headers })).status, 403);
  }));

test("a second listener takes what is posted and serves nothing else, on loopback only", () =>
  inRoom({ posts }, async ({ http }) => {
    const second = { served: "posts", key: "otlp.listen" } as const;
    const { port } = await http.listen("127.0.0.1", 0, second);
    assert.deepEqual(await ask(port, "/v1/test", { method: "POST", body: "x" }), { status: 200, text: "x" });
    for (const path of ["/", "/metrics", "/-/healthy", "/api/v1/incidents"])
      assert.equal((await ask(port, path)).status, 404, path);
    const socket = new WebSocket(`ws://127.0.0.1:${port}${livePath}`, liveSubprotocol);
    const [error] = (await once(socket, "error")) as [Error];
    assert.match(error.message, /404/);
    assert.throws(
      () => void http.listen("0.0.0.0", 0, second),
      (error) => error instanceof ConfigError && error.message.startsWith("otlp.listen: want 127"),
    );
    await assert.rejects(http.listen("127.0.0.1", port, second), /^ConfigError: otlp\.listen: cannot listen/);
  }));
