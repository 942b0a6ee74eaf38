/**
 * How a service calls another one: HTTP on kept connections, with a time limit, and for the database through a pool.
 *
 * Never rejects: what cannot be reached, is not answered in time or makes no sense is a `Reply` that says so, as a bank's
 * channels want a return code whatever happened.
 */
import { Agent, request } from "node:http";
import type { Clock } from "#shared/clock.ts";
import { sleep } from "#shared/clock.ts";
import type { ServiceName } from "../layout.ts";
import type { KnobBoard } from "./knobs.ts";
import { failed, type Reply, type Txn } from "./message.ts";
import { createPool, type Pool } from "./pool.ts";
import type { Telemetry } from "./telemetry-parts.ts";

export interface Address {
  readonly address: string;
  readonly port: number;
}

export interface PeerParts {
  readonly clock: Clock;
  readonly knobs: KnobBoard;
  readonly telemetry: Telemetry;
  readonly name: ServiceName;
  readonly at: Address;
  /** The caller's own address, so that its connections come from it. */
  readonly from: string;
  readonly timeoutMs: number;
  /** 0: no pool, any number of connections. */
  readonly poolSize: number;
}

export class Peer {
  readonly #parts: PeerParts;
  readonly #agent: Agent;
  readonly #pool: Pool | null;

  constructor(parts: PeerParts) {
    this.#parts = parts;
    const sockets = parts.poolSize === 0 ? {} : { maxSockets: parts.poolSize };
    this.#agent = new Agent({ keepAlive: true, keepAliveMsecs: 30_000, ...sockets });
    this.#pool = parts.poolSize === 0 ? null : createPool({ ...parts, size: parts.poolSize });
  }

  async call(route: string, txn: Txn): Promise<Reply> {
    const giveBack = this.#pool === null ? null : await this.#pool.take();
    if (this.#pool !== null && giveBack === null) return failed("P503");
    const { clock, knobs, telemetry, name } = this.#parts;
    const headers: Record<string, string> = { "content-type": "application/json" };
    const reply = await telemetry.call(name, route, headers, async () => {
      const { delayTo } = knobs.now;
      if (delayTo?.service === name) await sleep(clock, delayTo.ms);
      return this.#send(route, headers, JSON.stringify(txn));
    });
    giveBack?.();
    return reply;
  }

  close(): void {
    this.#agent.destroy();
  }

  #send(route: string, headers: Record<string, string>, body: string): Promise<Reply> {
    const { clock, at, from, timeoutMs } = this.#parts;
    return new Promise((resolve) => {
      const outgoing = request({
        agent: this.#agent,
        host: at.address,
        port: at.port,
        localAddress: from,
        method: "POST",
        path: route,
        headers: { ...headers, "content-length": Buffer.byteLength(body) },
      });
      const timer = clock.after(timeoutMs, () => {
        resolve({ result: "timeout", code: "T504" });
        outgoing.destroy();
      });
      const end = (reply: Reply): void => {
        timer.cancel();
        resolve(reply);
      };
      outgoing.on("error", () => end(failed("C503")));
      outgoing.on("response", (response) => {
        const parts: Buffer[] = [];
        response.on("data", (part: Buffer) => parts.push(part));
        response.on("error", () => end(failed("C503")));
        response.on("end", () => end(parseReply(Buffer.concat(parts).toString())));
      });
      outgoing.end(body);
    });
  }
}

function parseReply(text: string): Reply {
  try {
    return JSON.parse(text) as Reply;
  } catch {
    return failed("C503");
  }
}
