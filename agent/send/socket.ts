/** The agent's only use of `ws`: one client connection as `send.ts` wants it. */
import { WebSocket } from "ws";
import { errorText } from "#shared/errors.ts";
import { limits } from "#shared/limits.ts";
import { agentPath, agentSubprotocol } from "#shared/wire/wire.ts";
import type { Connection, ConnectionEvents } from "./send.ts";

/** `url` is the collector's, `ws://` or `wss://`. Compression is off: frames are small already, and it costs memory. */
export function connectSocket(url: string, events: ConnectionEvents): Connection {
  const socket = new WebSocket(new URL(agentPath, url), agentSubprotocol, {
    perMessageDeflate: false,
    maxPayload: limits.controlBytesMax,
    handshakeTimeout: 10_000,
    followRedirects: false,
  });
  let why = "";
  socket.on("open", () => events.opened());
  socket.on("message", (data, isBinary) => {
    if (isBinary) socket.close(1003);
    else events.message((data as Buffer).toString("utf8"));
  });
  socket.on("pong", () => events.alive());
  socket.on("ping", () => events.alive());
  socket.on("error", (error) => (why = errorText(error) || String(error)));
  socket.on("close", (code, reason) => {
    const said = reason.toString("utf8");
    events.closed(why || `closed with code ${code}${said === "" ? "" : ` (${said})`}`);
  });
  return {
    get bufferedBytes() {
      return socket.bufferedAmount;
    },
    send: (data) => {
      if (socket.readyState === WebSocket.OPEN) socket.send(data);
    },
    ping: () => {
      if (socket.readyState === WebSocket.OPEN) socket.ping();
    },
    close: () => socket.close(1000),
    terminate: () => socket.terminate(),
  };
}
