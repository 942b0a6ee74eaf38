/** Many agents on one event loop, for a load: frames sent over real connections, waited for by acknowledgement. */
import { setTimeout as sleep } from "node:timers/promises";
import { WebSocket } from "ws";
import type { Labels, Series } from "#shared/series.ts";
import { parseControl } from "#shared/wire/control.ts";
import { agentPath, agentSubprotocol, FrameEncoder, wireVersion } from "#shared/wire/wire.ts";
import { hostName } from "./load.ts";

const epoch = 1;
/** Hellos in one second: below the collector's limit (`limits.agentHellosPerSecondMax`), which refuses those that come too fast. */
const hellosPerSecond = 400;
/** Ticks that an agent may be ahead of its acknowledgements. */
const windowTicks = 16;

function agentIdOf(host: number): string {
  return `00000000-0000-4000-8000-${host.toString(16).padStart(12, "0")}`;
}

/** Encodes ticks one by one: a key frame, then deltas, one tick a frame, as agents do. `resource` is what they say of their host. */
export function frameMaker(
  host: number,
  series: readonly Series[],
  intervalMs: number,
  resource: Labels = [["host.name", hostName(host)]],
) {
  const encoder = new FrameEncoder({ agentId: agentIdOf(host), epoch, resource });
  const definitions = series.map((one, column) => ({ column, series: one }));
  let sequence = 0;
  return (timeMs: number, values: Float64Array): Uint8Array => {
    const key = sequence === 0;
    const ticks = [{ timeMs, values, columns: values.length }];
    const input = { sequence, key, intervalMs, ticks, definitions: key ? definitions : [], losses: [] };
    sequence += 1;
    return encoder.encode(input);
  };
}

export interface Agents {
  /** The next frame of `host`, a number from 0. */
  send(host: number, frame: Uint8Array): void;
  /** Resolves when every agent has the acknowledgement of its frame `sequence`; rejects when the collector refused one. */
  reached(sequence: number): Promise<void>;
  /** Says goodbye. */
  stop(): void;
  /** As when their processes die. */
  cut(): void;
}

/** Connects an agent a host. */
export async function connectAgents(port: number, names: readonly string[]): Promise<Agents> {
  const acked = names.map(() => -1);
  let wake: (() => void) | null = null;
  const failures: Error[] = [];
  const fail = (error: Error): void => {
    failures.push(error);
    wake?.();
  };
  const heard = (host: number) => (sequence: number) => {
    acked[host] = sequence;
    wake?.();
  };
  const sockets: WebSocket[] = [];
  while (sockets.length < names.length) {
    if (sockets.length > 0) await sleep(1_000);
    const count = Math.min(hellosPerSecond, names.length - sockets.length);
    const numbers = Array.from({ length: count }, (_, index) => sockets.length + index);
    sockets.push(
      ...(await Promise.all(numbers.map((host) => connect(port, host, names[host]!, fail, heard(host))))),
    );
  }
  return {
    send: (host, frame) => sockets[host]!.send(frame),
    async reached(sequence) {
      while (acked.some((one) => one < sequence)) {
        if (failures[0] !== undefined) throw failures[0];
        await new Promise<void>((resolve) => (wake = resolve));
      }
    },
    stop() {
      for (const socket of sockets) {
        socket.removeAllListeners("close");
        socket.send(JSON.stringify({ t: "bye", reason: "stopped" }));
        socket.close(1000);
      }
    },
    cut() {
      for (const socket of sockets) {
        socket.removeAllListeners("close");
        socket.terminate();
      }
    },
  };
}

/** Connects an agent a host, sends all frames tick by tick, resolves when the last one is acknowledged. */
export async function sendFrames(
  port: number,
  framesByHost: readonly (readonly Uint8Array[])[],
): Promise<void> {
  const agents = await connectAgents(
    port,
    framesByHost.map((_, host) => hostName(host)),
  );
  const ticks = framesByHost[0]!.length;
  for (let tick = 0; tick < ticks; tick += 1) {
    await agents.reached(tick - windowTicks);
    for (const [host, frames] of framesByHost.entries()) agents.send(host, frames[tick]!);
  }
  await agents.reached(ticks - 1);
  agents.stop();
}

function connect(
  port: number,
  host: number,
  name: string,
  fail: (error: Error) => void,
  onAck: (sequence: number) => void,
): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${agentPath}`, agentSubprotocol, {
    perMessageDeflate: false,
  });
  return new Promise((resolve, reject) => {
    // Before the welcome it is the promise that fails, after it whoever waits for an acknowledgement.
    const failed = (error: Error): void => {
      fail(error);
      reject(error);
    };
    socket.on("error", failed);
    socket.on("close", (code) => failed(new Error(`the collector closed agent ${host} with code ${code}`)));
    socket.on("open", () => {
      const hello = { t: "hello", v: 1, wire: [wireVersion], agent: agentIdOf(host), host: name };
      socket.send(JSON.stringify({ ...hello, version: "0.1.0", nowMs: Date.now() }));
    });
    socket.on("message", (data) => {
      const message = parseControl((data as Buffer).toString("utf8"));
      if (message.t === "welcome") resolve(socket);
      else if (message.t === "ack") onAck(message.sequence);
      else failed(new Error(`the collector said ${JSON.stringify(message)} to agent ${host}`));
    });
  });
}
