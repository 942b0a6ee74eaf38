/** Many agents on one event loop, for a load: frames made beforehand, sent over real connections, windows by acknowledgement. */
import { WebSocket } from "ws";
import type { Series } from "#shared/series.ts";
import { parseControl } from "#shared/wire/control.ts";
import { agentPath, agentSubprotocol, FrameEncoder, wireVersion } from "#shared/wire/wire.ts";
import { hostName } from "./load.ts";

const epoch = 1;
/** Ticks that an agent may be ahead of its acknowledgements. */
const windowTicks = 16;

function agentIdOf(host: number): string {
  return `00000000-0000-4000-8000-${host.toString(16).padStart(12, "0")}`;
}

/** Encodes ticks one by one: a key frame, then deltas, one tick a frame, as agents do. */
export function frameMaker(host: number, series: readonly Series[], intervalMs: number) {
  const resource = [["host.name", hostName(host)]] as const;
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

/** Connects an agent a host, sends all frames tick by tick, resolves when the last one is acknowledged. */
export async function sendFrames(
  port: number,
  framesByHost: readonly (readonly Uint8Array[])[],
): Promise<void> {
  const acked = framesByHost.map(() => -1);
  let wake: (() => void) | null = null;
  const failures: Error[] = [];
  const fail = (error: Error): void => {
    failures.push(error);
    wake?.();
  };
  const sockets = await Promise.all(
    framesByHost.map((_, host) =>
      connect(port, host, fail, (sequence) => {
        acked[host] = sequence;
        wake?.();
      }),
    ),
  );
  const reached = async (sequence: number): Promise<void> => {
    while (acked.some((one) => one < sequence)) {
      if (failures[0] !== undefined) throw failures[0];
      await new Promise<void>((resolve) => (wake = resolve));
    }
  };
  const ticks = framesByHost[0]!.length;
  for (let tick = 0; tick < ticks; tick += 1) {
    await reached(tick - windowTicks);
    for (const [host, socket] of sockets.entries()) socket.send(framesByHost[host]![tick]!);
  }
  await reached(ticks - 1);
  for (const socket of sockets) {
    socket.removeAllListeners("close");
    socket.send(JSON.stringify({ t: "bye", reason: "stopped" }));
    socket.close(1000);
  }
}

function connect(
  port: number,
  host: number,
  fail: (error: Error) => void,
  onAck: (sequence: number) => void,
): Promise<WebSocket> {
  const socket = new WebSocket(`ws://127.0.0.1:${port}${agentPath}`, agentSubprotocol, {
    perMessageDeflate: false,
  });
  return new Promise((resolve) => {
    socket.on("error", fail);
    socket.on("close", (code) => fail(new Error(`the collector closed agent ${host} with code ${code}`)));
    socket.on("open", () => {
      const hello = { t: "hello", v: 1, wire: [wireVersion], agent: agentIdOf(host), host: hostName(host) };
      socket.send(JSON.stringify({ ...hello, version: "bench", nowMs: Date.now() }));
    });
    socket.on("message", (data) => {
      const message = parseControl((data as Buffer).toString("utf8"));
      if (message.t === "welcome") resolve(socket);
      else if (message.t === "ack") onAck(message.sequence);
      else fail(new Error(`the collector said ${JSON.stringify(message)} to agent ${host}`));
    });
  });
}
