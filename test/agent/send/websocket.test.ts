import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { createServer as createHttpServer } from "node:http";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { after, test } from "node:test";
import * as fc from "fast-check";
import { WebSocketServer, type WebSocket } from "ws";
import { sha1 } from "#agent/send/sha1.ts";
import { WebSocketClient } from "#agent/send/websocket.ts";

const subprotocol = "causeway.agent.v1";
const messageBytesMax = 16 * 1024;
const closers: (() => void)[] = [];
after(() => {
  for (const close of closers) close();
});

/** What the client told, in order; `next` waits for the next one. */
class Heard {
  readonly all: string[] = [];
  #taken = 0;
  #wake: (() => void) | null = null;

  add(what: string): void {
    this.all.push(what);
    this.#wake?.();
  }

  async next(): Promise<string> {
    while (this.all.length === this.#taken) await new Promise<void>((resolve) => (this.#wake = resolve));
    return this.all[this.#taken++]!;
  }
}

function client(port: number, path = "/agent/v1"): { socket: WebSocketClient; heard: Heard } {
  const heard = new Heard();
  const socket = new WebSocketClient({
    url: new URL(path, `ws://127.0.0.1:${port}`),
    subprotocol,
    messageBytesMax,
    events: {
      opened: () => heard.add("opened"),
      message: (text) => heard.add(`message ${text}`),
      alive: () => heard.add("alive"),
      closed: (why) => heard.add(`closed: ${why}`),
    },
  });
  closers.push(() => socket.terminate());
  return { socket, heard };
}

async function listening(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  closers.push(() => server.close());
  return (server.address() as AddressInfo).port;
}

/** A server of the `ws` package: another reading of the same RFC. */
async function wsServer(): Promise<{ port: number; peer: Promise<WebSocket> }> {
  const http = createHttpServer();
  const server = new WebSocketServer({ server: http, handleProtocols: () => subprotocol });
  const peer = new Promise<WebSocket>((resolve) => server.on("connection", resolve));
  closers.push(() => {
    for (const one of server.clients) one.terminate();
  });
  return { port: await listening(http), peer };
}

/** A server that answers the handshake rightly and then sends `bytes`, in pieces of `pieceBytes`. */
async function rawServer(bytes: Uint8Array, pieceBytes = bytes.length): Promise<number> {
  return listening(
    createServer((socket) => {
      socket.on("error", () => {});
      socket.once("data", (request) => {
        const key = /Sec-WebSocket-Key: (\S+)/.exec(request.toString("latin1"))?.[1] ?? "";
        socket.write(acceptance(key));
        sendPieces(socket, bytes, pieceBytes);
      });
    }),
  );
}

function acceptance(key: string): string {
  const accept = createHash("sha1").update(`${key}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`).digest("base64");
  return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: WebSocket\r\nconnection: keep-alive, Upgrade\r\nSec-WebSocket-Accept: ${accept}\r\nSec-WebSocket-Protocol: ${subprotocol}\r\n\r\n`;
}

function sendPieces(socket: Socket, bytes: Uint8Array, pieceBytes: number): void {
  if (bytes.length === 0) return;
  socket.write(bytes.subarray(0, pieceBytes), () => {
    setImmediate(() => sendPieces(socket, bytes.subarray(pieceBytes), pieceBytes));
  });
}

function frame(first: number, body: string | Uint8Array): Buffer {
  const bytes = Buffer.from(body);
  return Buffer.concat([Buffer.of(first, bytes.length), bytes]);
}

test("SHA-1 agrees with node:crypto for every length around a block", () => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      assert.equal(Buffer.from(sha1(bytes)).toString("hex"), createHash("sha1").update(bytes).digest("hex"));
    }),
  );
});

test("what the agent sends arrives as it was, at every length that is written differently", async () => {
  const { port, peer } = await wsServer();
  const { socket, heard } = client(port);
  assert.equal(await heard.next(), "opened");
  const server = await peer;
  assert.equal(server.protocol, subprotocol);
  for (const length of [0, 1, 2, 3, 4, 125, 126, 127, 65_535, 65_536, 300_001]) {
    const sent = Uint8Array.from({ length }, (_, index) => (index * 7) & 0xff);
    const arrived = new Promise<[Buffer, boolean]>((resolve) =>
      server.once("message", (data, isBinary) => resolve([data as Buffer, isBinary])),
    );
    socket.send(sent);
    const [data, isBinary] = await arrived;
    assert.ok(isBinary && data.equals(sent), `${length} bytes`);
  }
  const text = new Promise<string>((resolve) =>
    server.once("message", (data) => resolve((data as Buffer).toString())),
  );
  socket.send("grüße 香港");
  assert.equal(await text, "grüße 香港");
});

test("texts, pings and pongs of the collector are heard, and its pings are answered", async () => {
  const { port, peer } = await wsServer();
  const { socket, heard } = client(port);
  assert.equal(await heard.next(), "opened");
  const server = await peer;
  server.send("");
  server.send("x".repeat(messageBytesMax));
  server.send("in two ", { fin: false });
  server.send("parts 香港");
  const pong = new Promise<string>((resolve) => server.once("pong", (data) => resolve(data.toString())));
  server.ping("are you there");
  assert.equal(await heard.next(), "message ");
  assert.equal(await heard.next(), `message ${"x".repeat(messageBytesMax)}`);
  assert.equal(await heard.next(), "message in two parts 香港");
  assert.equal(await heard.next(), "alive");
  assert.equal(await pong, "are you there");
  socket.ping();
  assert.equal(await heard.next(), "alive");
});

test("both sides can end the connection, and the reason is told", async () => {
  const first = await wsServer();
  const mine = client(first.port);
  assert.equal(await mine.heard.next(), "opened");
  const ended = new Promise<number>((resolve) => void first.peer.then((peer) => peer.once("close", resolve)));
  mine.socket.close(1000);
  assert.equal(await ended, 1000);
  assert.match(await mine.heard.next(), /^closed/);

  const second = await wsServer();
  const theirs = client(second.port);
  assert.equal(await theirs.heard.next(), "opened");
  (await second.peer).close(1008, "the agent is not known");
  assert.equal(await theirs.heard.next(), "closed: closed with code 1008 (the agent is not known)");

  const third = await wsServer();
  const broken = client(third.port);
  assert.equal(await broken.heard.next(), "opened");
  (await third.peer).terminate();
  assert.match(await broken.heard.next(), /^closed: /);
  broken.socket.send("too late");
  broken.socket.close(1000);
});

test("a collector that refuses, is not there, or is no WebSocket server is told by name", async () => {
  const answers: readonly (readonly [string, RegExp])[] = [
    ["HTTP/1.1 503 Service Unavailable\r\n\r\n", /503 Service Unavailable/],
    ["HTTP/1.1 301 Moved\r\nLocation: http://other/\r\n\r\n", /301 Moved/],
    [
      "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n",
      /sec-websocket-accept/,
    ],
    [acceptance("another key"), /sec-websocket-accept/],
    [`HTTP/1.1 101 OK\r\n${"X-Long: 1234567890\r\n".repeat(2000)}`, /bytes of headers/],
    ["HTTP/1.1 101 OK\r\nno colon here\r\n\r\n", /header without a name/],
    ["SSH-2.0-OpenSSH_9.2\r\n\r\n", /SSH-2.0/],
  ];
  for (const [answer, expected] of answers) {
    const port = await listening(
      createServer((socket) => {
        socket.on("error", () => {});
        socket.once("data", () => socket.write(answer));
      }),
    );
    const { heard } = client(port);
    assert.match(await heard.next(), expected);
  }
  const gone = createServer();
  const port = await listening(gone);
  await new Promise((resolve) => gone.close(resolve));
  assert.match(await client(port).heard.next(), /^closed: .*ECONNREFUSED/);
});

test("a peer that breaks the protocol is left with a sentence, however its bytes are cut", async () => {
  const broken: readonly (readonly [Buffer, RegExp])[] = [
    [frame(0xc1, "x"), /reserved bit/],
    [Buffer.of(0x81, 0x81, 1, 2, 3, 4, 5), /masked/],
    [frame(0x83, "x"), /unknown type 3/],
    [frame(0x82, "x"), /binary/],
    [frame(0x80, "x"), /fragments/],
    [Buffer.concat([frame(0x01, "a"), frame(0x81, "b")]), /fragments/],
    [frame(0x09, "x"), /control frame/],
    [frame(0x81, Buffer.of(0xff, 0xfe)), /UTF-8/],
    [Buffer.of(0x81, 126, 0x40, 0x01), /limit is 16384/],
    [Buffer.of(0x81, 127, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff), /limit is 16384/],
    [
      Buffer.concat(Array.from({ length: 200 }, (_, n) => frame(n === 0 ? 0x01 : 0x00, "y".repeat(100)))),
      /more than 16384/,
    ],
  ];
  for (const [bytes, expected] of broken) {
    for (const pieceBytes of [bytes.length, bytes.length > 100 ? 999 : 1]) {
      const { heard } = client(await rawServer(bytes, pieceBytes));
      assert.equal(await heard.next(), "opened");
      assert.match(await heard.next(), expected);
    }
  }
});

test("random bytes after the handshake never throw, and end in text or a closed connection", async () => {
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 60 }), async (bytes) => {
      const close = frame(0x88, Buffer.of(3, 232));
      const port = await listening(
        createServer((socket) => {
          socket.on("error", () => {});
          socket.once("data", (request) => {
            const key = /Sec-WebSocket-Key: (\S+)/.exec(request.toString("latin1"))?.[1] ?? "";
            socket.end(Buffer.concat([Buffer.from(acceptance(key)), bytes, close]));
          });
        }),
      );
      const { heard } = client(port);
      while (!(await heard.next()).startsWith("closed")) continue;
    }),
    { numRuns: 50 },
  );
});
