/**
 * A WebSocket client (RFC 6455) as small as the agent's protocol allows: text in, text and binary out, no extensions.
 *
 * It exists for memory. A client library brings node:http and node:crypto along, and both stay loaded in every agent on every host: 2.1
 * MiB of anonymous memory more than this file with node:net, a sixth of the whole agent. TLS is loaded when a wss:// URL
 * asks for it. What comes in is bounded: a handshake of `handshakeBytesMax`, a message of `messageBytesMax`; whatever
 * breaks the protocol closes the connection with a sentence. Connecting has no timeout of its own: `send.ts` watches over it.
 */
import { isUtf8 } from "node:buffer";
import { closeSync, openSync, readSync } from "node:fs";
import { connect, isIP, type Socket } from "node:net";
import { errorText } from "#shared/errors.ts";
import { sha1 } from "./sha1.ts";

/** Appended to the key before hashing: RFC 6455, 1.3. */
const acceptGuid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const handshakeBytesMax = 16 * 1024;
const controlBytesMax = 125;
const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;
const finBit = 0x80;
const maskBit = 0x80;
/** Random bytes fetched at a time: masks for 256 frames. */
const randomPoolBytes = 1024;

export interface WebSocketEvents {
  opened(): void;
  message(text: string): void;
  /** A ping or a pong came. */
  alive(): void;
  /** Once, also when it never opened; nothing comes after it. */
  closed(why: string): void;
}

export interface WebSocketOptions {
  /** `ws:` or `wss:` with the path. */
  readonly url: URL;
  readonly subprotocol: string;
  readonly messageBytesMax: number;
  readonly events: WebSocketEvents;
}

type State = "connecting" | "open" | "closing" | "closed";

export class WebSocketClient {
  readonly #options: WebSocketOptions;
  readonly #socket: Socket;
  readonly #key = randomBytes(16).toString("base64");
  #state: State = "connecting";
  /** Received and not yet understood: less than one message, or the beginning of the handshake's answer. */
  #pending: Buffer = Buffer.alloc(0);
  /** The parts of a fragmented message, null when none has begun. */
  #parts: Buffer[] | null = null;
  #why = "";

  constructor(options: WebSocketOptions) {
    this.#options = options;
    this.#socket = dial(options.url, () => this.#greet());
    this.#socket.setNoDelay(true);
    this.#socket.on("data", (bytes) => this.#received(bytes));
    this.#socket.on("error", (error) => (this.#why ||= errorText(error) || String(error)));
    this.#socket.on("close", () => this.#gone());
  }

  /** Bytes handed over and not yet taken by the kernel. */
  get bufferedBytes(): number {
    return this.#socket.writableLength;
  }

  /** Ignored unless the connection is open. */
  send(data: string | Uint8Array): void {
    if (this.#state !== "open") return;
    if (typeof data === "string") this.#frame(opcode.text, Buffer.from(data));
    else this.#frame(opcode.binary, data);
  }

  ping(): void {
    if (this.#state === "open") this.#frame(opcode.ping, Buffer.alloc(0));
  }

  /** Says goodbye; what was sent before still goes out. */
  close(code: number): void {
    if (this.#state === "connecting") this.#socket.destroy();
    if (this.#state !== "open") return;
    this.#state = "closing";
    const body = Buffer.allocUnsafe(2);
    body.writeUInt16BE(code);
    this.#frame(opcode.close, body);
    this.#socket.end();
  }

  terminate(): void {
    this.#socket.destroy();
  }

  #gone(): void {
    if (this.#state === "closed") return;
    const before = this.#state;
    this.#state = "closed";
    const how = before === "connecting" ? "closed before the handshake was over" : "closed without a goodbye";
    this.#options.events.closed(this.#why || how);
  }

  /** The peer breaks the protocol: nothing it says from here on means anything. */
  #refuse(code: number, why: string): void {
    this.#why ||= why;
    this.close(code);
    this.#socket.destroySoon();
    this.#state = "closing";
  }

  #greet(): void {
    const { url, subprotocol } = this.#options;
    const lines = [
      `GET ${url.pathname}${url.search} HTTP/1.1`,
      `Host: ${url.host}`,
      "Upgrade: websocket",
      "Connection: Upgrade",
      `Sec-WebSocket-Key: ${this.#key}`,
      "Sec-WebSocket-Version: 13",
      `Sec-WebSocket-Protocol: ${subprotocol}`,
    ];
    this.#socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  }

  #received(bytes: Buffer): void {
    if (this.#state === "closed" || this.#why !== "") return;
    this.#pending = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    if (this.#state === "connecting" && !this.#finishHandshake()) return;
    while (this.#why === "" && this.#nextFrame());
  }

  /** False while the answer is not complete, or when it is not what was asked for. */
  #finishHandshake(): boolean {
    const end = this.#pending.indexOf("\r\n\r\n");
    if (end < 0 && this.#pending.length <= handshakeBytesMax) return false;
    const problem =
      end < 0
        ? `answer to the handshake has more than ${handshakeBytesMax} bytes of headers`
        : handshakeProblem(this.#pending.toString("latin1", 0, end), this.#key, this.#options.subprotocol);
    if (problem !== null) {
      this.#why = problem;
      this.#socket.destroy();
      return false;
    }
    this.#pending = this.#pending.subarray(end + 4);
    this.#state = "open";
    this.#options.events.opened();
    return true;
  }

  /** Takes one whole frame off what is pending; false when there is none. */
  #nextFrame(): boolean {
    const bytes = this.#pending;
    if (bytes.length < 2) return false;
    const [first, second] = [bytes[0]!, bytes[1]!];
    const type = first & 0x0f;
    const isFinal = (first & finBit) !== 0;
    const short = second & 0x7f;
    const headerBytes = short === 127 ? 10 : short === 126 ? 4 : 2;
    const problem = headProblem(first, second, short);
    if (problem !== null) {
      this.#refuse(1002, problem);
      return false;
    }
    if (bytes.length < headerBytes) return false;
    const length =
      short === 127 ? Number(bytes.readBigUInt64BE(2)) : short === 126 ? bytes.readUInt16BE(2) : short;
    const { messageBytesMax } = this.#options;
    if (length > messageBytesMax) {
      this.#refuse(1009, `collector sent a message of ${length} bytes, limit is ${messageBytesMax}`);
      return false;
    }
    if (bytes.length < headerBytes + length) return false;
    this.#pending = bytes.subarray(headerBytes + length);
    this.#heard(type, isFinal, bytes.subarray(headerBytes, headerBytes + length));
    return true;
  }

  #heard(type: number, isFinal: boolean, body: Buffer): void {
    const { events } = this.#options;
    if (type === opcode.ping) {
      if (this.#state === "open") this.#frame(opcode.pong, body);
      events.alive();
    } else if (type === opcode.pong) {
      events.alive();
    } else if (type === opcode.close) {
      this.#saidGoodbye(body);
    } else if (type === opcode.binary) {
      this.#refuse(1003, "collector sent a binary message, only text is known");
    } else if ((type === opcode.continuation) !== (this.#parts !== null)) {
      this.#refuse(1002, "collector mixed up the fragments of messages");
    } else {
      this.#part(isFinal, body);
    }
  }

  #part(isFinal: boolean, body: Buffer): void {
    const parts = [...(this.#parts ?? []), body];
    const sizeBytes = parts.reduce((sum, { length }) => sum + length, 0);
    const { messageBytesMax, events } = this.#options;
    if (sizeBytes > messageBytesMax || parts.length > messageBytesMax) {
      this.#refuse(1009, `collector sent a message of more than ${messageBytesMax} bytes`);
      return;
    }
    this.#parts = isFinal ? null : parts;
    if (!isFinal) return;
    const text = parts.length === 1 ? body : Buffer.concat(parts);
    if (isUtf8(text)) events.message(text.toString("utf8"));
    else this.#refuse(1007, "collector sent text that is not UTF-8");
  }

  #saidGoodbye(body: Buffer): void {
    const code = body.length >= 2 ? body.readUInt16BE(0) : 1005;
    const reason = body.toString("utf8", 2);
    const isAnswer = this.#state === "closing";
    this.close(code === 1005 ? 1000 : code);
    this.#why = isAnswer ? "closed" : `closed with code ${code}${reason === "" ? "" : ` (${reason})`}`;
  }

  /** One frame, masked as a client must. */
  #frame(type: number, body: Uint8Array): void {
    const lengthBytes = body.length < 126 ? 0 : body.length < 65_536 ? 2 : 8;
    const headerBytes = 2 + lengthBytes + 4;
    // The body begins at a multiple of four, so that it can be masked word by word.
    const pad = (4 - (headerBytes % 4)) % 4;
    const buffer = Buffer.from(new ArrayBuffer(pad + headerBytes + Math.ceil(body.length / 4) * 4));
    const frame = buffer.subarray(pad, pad + headerBytes + body.length);
    frame[0] = finBit | type;
    frame[1] = maskBit | (lengthBytes === 0 ? body.length : lengthBytes === 2 ? 126 : 127);
    if (lengthBytes === 2) frame.writeUInt16BE(body.length, 2);
    if (lengthBytes === 8) frame.writeBigUInt64BE(BigInt(body.length), 2);
    frame.set(randomBytes(4), headerBytes - 4);
    frame.set(body, headerBytes);
    const words = new Uint32Array(buffer.buffer, pad + headerBytes - 4);
    const mask = words[0]!;
    for (let index = 1; index < words.length; index += 1) words[index]! ^= mask;
    this.#socket.write(frame);
  }
}

function dial(url: URL, connected: () => void): Socket {
  const host = url.hostname.replace(/^\[(.*)\]$/, "$1");
  if (url.protocol === "ws:") return connect({ host, port: Number(url.port || 80) }, connected);
  const port = Number(url.port || 443);
  // Loaded here and not above: OpenSSL's part of Node is 4 MiB that an agent without TLS need not carry.
  const tls = process.getBuiltinModule("node:tls");
  const name = isIP(host) === 0 ? { servername: host } : {};
  return tls.connect({ host, port, ...name, ALPNProtocols: ["http/1.1"] }, connected);
}

/** Null when the server has accepted. */
function handshakeProblem(head: string, key: string, subprotocol: string): string | null {
  const [status = "", ...lines] = head.split("\r\n");
  if (!/^HTTP\/1\.1 101(?: |$)/.test(status)) return `collector answered "${status.slice(0, 100)}", want 101`;
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) return "answer to the handshake has a header without a name";
    headers.set(line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim());
  }
  const accept = Buffer.from(sha1(Buffer.from(key + acceptGuid))).toString("base64");
  const wanted = [
    ["upgrade", (value: string) => value.toLowerCase() === "websocket"],
    ["connection", (value: string) => /(?:^|,)\s*upgrade\s*(?:,|$)/i.test(value)],
    ["sec-websocket-accept", (value: string) => value === accept],
    ["sec-websocket-protocol", (value: string) => value === subprotocol],
    ["sec-websocket-extensions", (value: string) => value === ""],
  ] as const;
  const wrong = wanted.find(([name, isRight]) => !isRight(headers.get(name) ?? ""));
  return wrong === undefined
    ? null
    : `answer to the handshake has a wrong ${wrong[0]}: no WebSocket server of ours`;
}

/** What RFC 6455 forbids in a frame's first two bytes, seen from a client that offered no extension. */
function headProblem(first: number, second: number, short: number): string | null {
  const type = first & 0x0f;
  const isControl = type >= opcode.close;
  if ((first & 0x70) !== 0) return "collector set a reserved bit";
  if ((second & maskBit) !== 0) return "collector sent a masked frame";
  if (!Object.values(opcode).some((known) => known === type))
    return `collector sent a frame of unknown type ${type}`;
  if (isControl && ((first & finBit) === 0 || short > controlBytesMax))
    return "collector sent a control frame that is no such";
  return null;
}

const pool = Buffer.alloc(randomPoolBytes);
let poolAt = randomPoolBytes;

/** From the kernel's generator, as RFC 6455 asks for masks; valid until the next call but 255. */
function randomBytes(count: number): Buffer {
  if (poolAt + count > pool.length) {
    const source = openSync("/dev/urandom", "r");
    try {
      for (let at = 0; at < pool.length;) at += readSync(source, pool, at, pool.length - at, null);
    } finally {
      closeSync(source);
    }
    poolAt = 0;
  }
  poolAt += count;
  return pool.subarray(poolAt - count, poolAt);
}
