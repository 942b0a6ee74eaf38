/** One connection to the collector, as `send.ts` wants it. */
import { limits } from "#shared/limits.ts";
import { agentPath, agentSubprotocol } from "#shared/wire/wire.ts";
import type { Connection, ConnectionEvents } from "./send.ts";
import { WebSocketClient } from "./websocket.ts";

/** `url` is the collector's, `ws://` or `wss://`. Compression is off: frames are small already, and it costs memory. */
export function connectSocket(url: string, events: ConnectionEvents): Connection {
  const socket = new WebSocketClient({
    url: new URL(agentPath, url),
    subprotocol: agentSubprotocol,
    messageBytesMax: limits.controlBytesMax,
    events,
  });
  return {
    get bufferedBytes() {
      return socket.bufferedBytes;
    },
    send: (data) => socket.send(data),
    ping: () => socket.ping(),
    close: () => socket.close(1000),
    terminate: () => socket.terminate(),
  };
}
