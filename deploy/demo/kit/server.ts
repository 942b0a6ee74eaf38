/**
 * The one server that all services of the bank share: routes of JSON over HTTP, knobs that make it fail, spans around each request.
 *
 * Listens on the simulated host's own address only, which is a loopback one or inside of a network namespace.
 */
import {
  createServer,
  type IncomingMessage,
  type Server as HttpServer,
  type ServerResponse,
} from "node:http";
import type { AddressInfo } from "node:net";
import type { Clock } from "#shared/clock.ts";
import { sleep } from "#shared/clock.ts";
import type { Address } from "./client.ts";
import type { KnobBoard } from "./knobs.ts";
import { failed, refused, type Reply, statusOf, type Txn } from "./message.ts";
import type { Telemetry } from "./telemetry-parts.ts";

/** A transaction is some 200 bytes. */
const bodyBytesMax = 4_096;
/** Longer than any caller keeps an idle connection. */
const keepAliveMs = 65_000;

export type Handler = (txn: Txn) => Promise<Reply> | Reply;

export interface ServerParts {
  readonly clock: Clock;
  readonly knobs: KnobBoard;
  readonly telemetry: Telemetry;
  readonly routes: Readonly<Record<string, Handler>>;
  readonly spin: (ms: number) => void;
}

export interface Server {
  /** Resolves with the address once it accepts connections; `port` 0 takes a free one. */
  listen(at: Address): Promise<Address>;
  close(): Promise<void>;
}

export function createBankServer(parts: ServerParts): Server {
  return new BankServer(parts);
}

class BankServer implements Server {
  readonly #parts: ServerParts;
  readonly #server: HttpServer;
  #at: Address = { address: "127.0.0.1", port: 0 };
  #moving: Promise<void> = Promise.resolve();

  constructor(parts: ServerParts) {
    this.#parts = parts;
    this.#server = createServer({ keepAliveTimeout: keepAliveMs }, (request, response) => {
      void this.#answer(request, response);
    });
    parts.knobs.onChange(() => void (this.#moving = this.#moving.then(() => this.#follow())));
  }

  async listen(at: Address): Promise<Address> {
    await this.#open(at);
    const { address, port } = this.#server.address() as AddressInfo;
    this.#at = { address, port };
    return this.#at;
  }

  async close(): Promise<void> {
    await this.#moving;
    await this.#shut();
  }

  /** Unreachable is what the network sees: no listener, and every connection cut. */
  async #follow(): Promise<void> {
    const wanted = this.#parts.knobs.now.unreachable !== true;
    if (wanted && !this.#server.listening) await this.#open(this.#at);
    if (!wanted && this.#server.listening) await this.#shut();
  }

  #open({ address, port }: Address): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(port, address, () => {
        this.#server.off("error", reject);
        resolve();
      });
    });
  }

  #shut(): Promise<void> {
    return new Promise((resolve) => {
      this.#server.close(() => resolve());
      this.#server.closeAllConnections();
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const route = request.url ?? "";
    const handler = this.#parts.routes[route];
    const txn = await readTxn(request).catch(() => null);
    if (handler === undefined || txn === null) {
      response.writeHead(handler === undefined ? 404 : 400).end(JSON.stringify(refused("B00")));
      return;
    }
    const reply = await this.#parts.telemetry.serve(route, request.headers, () => this.#run(handler, txn));
    const body = JSON.stringify(reply);
    response
      .writeHead(statusOf(reply), {
        "content-type": "application/json",
        "content-length": Buffer.byteLength(body),
      })
      .end(body);
  }

  async #run(handler: Handler, txn: Txn): Promise<Reply> {
    const { clock, knobs, spin } = this.#parts;
    const { failing, slowerMs } = knobs.now;
    if (slowerMs !== undefined) {
      spin(slowerMs / 2);
      await sleep(clock, slowerMs / 2);
    }
    // Drawn from the transaction, not from chance: the same load fails in the same way.
    if (failing !== undefined && isFailing(failing, txn)) return failed(failing.code);
    try {
      return await handler(txn);
    } catch {
      return failed("S500");
    }
  }
}

function isFailing(
  { share, channel, product }: { share: number; channel?: string; product?: string },
  txn: Txn,
): boolean {
  const meant =
    (channel === undefined || channel === txn.channel) && (product === undefined || product === txn.product);
  return meant && (txn.id * 0.618_033_988_749) % 1 < share;
}

async function readTxn(request: IncomingMessage): Promise<Txn> {
  const parts: Buffer[] = [];
  let sizeBytes = 0;
  for await (const part of request as AsyncIterable<Buffer>) {
    sizeBytes += part.length;
    if (sizeBytes > bodyBytesMax)
      throw new Error(`request of more than ${bodyBytesMax} bytes; a transaction is smaller`);
    parts.push(part);
  }
  return JSON.parse(Buffer.concat(parts).toString()) as Txn;
}
