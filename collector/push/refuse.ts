/** Refusing an upgrade before it happens: a whole HTTP answer on a socket that HTTP has let go of. */
import type { Duplex } from "node:stream";

const phrases = new Map([
  [400, "Bad Request"],
  [403, "Forbidden"],
  [404, "Not Found"],
  [421, "Misdirected Request"],
  [503, "Service Unavailable"],
]);

/** Answers with the API's error body and closes. Errors of the socket are its reader's affair and are swallowed. */
export function refuseUpgrade(socket: Duplex, status: number, code: string, message: string): void {
  const body = JSON.stringify({ error: { code, message } });
  socket.on("error", () => socket.destroy());
  socket.end(
    `HTTP/1.1 ${status} ${phrases.get(status) ?? "Refused"}\r\nConnection: close\r\n` +
      `Content-Type: application/json; charset=utf-8\r\nContent-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`,
    // HTTP lets the other side keep its half open; nobody would ever read it.
    () => socket.destroy(),
  );
}
