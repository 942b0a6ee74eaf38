/** How a fault reaches a host's first process: HTTP on a socket file in the data directory, which leads into network namespaces, too. */
import { createServer, request, type Server } from "node:http";
import { join } from "node:path";
import type { Effect } from "../effects.ts";
import type { HostName } from "../layout.ts";

export interface Put {
  readonly holder: string;
  readonly effects: readonly Effect[];
  readonly leaseMs: number;
}

const bodyBytesMax = 65_536;
/** sun_path of unix(7) holds 108 bytes with the final zero. */
const pathBytesMax = 107;

export function controlPath(data: string, name: string): string {
  const path = join(data, `${name}.sock`);
  if (Buffer.byteLength(path) > pathBytesMax) {
    throw new Error(
      `cannot make the socket ${path}: the kernel takes ${pathBytesMax} bytes of path; give a shorter --data`,
    );
  }
  return path;
}

/** `put` throws an Error with a sentence for whoever asked. */
export function serveControl(path: string, put: (put: Put) => void): Promise<Server> {
  const server = createServer((incoming, response) => {
    const parts: Buffer[] = [];
    let sizeBytes = 0;
    incoming.on("data", (part: Buffer) => {
      sizeBytes += part.length;
      if (sizeBytes > bodyBytesMax) incoming.destroy();
      else parts.push(part);
    });
    incoming.on("end", () => {
      try {
        put(parsePut(Buffer.concat(parts).toString()));
        response.writeHead(204).end();
      } catch (error) {
        response.writeHead(400).end(String(error instanceof Error ? error.message : error));
      }
    });
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(path, () => resolve(server));
  });
}

function parsePut(text: string): Put {
  const put = JSON.parse(text) as Partial<Put> | null;
  const { holder, effects, leaseMs } = put ?? {};
  if (typeof holder !== "string" || typeof leaseMs !== "number" || effects === undefined) {
    throw new Error(`want {holder, effects, leaseMs}, got ${text.slice(0, 80)}`);
  }
  return { holder, effects, leaseMs };
}

/** Rejects with the host's own sentence when it refuses, and with what to do when nobody is there. */
export function putEffects(data: string, host: HostName, put: Put): Promise<void> {
  const socketPath = controlPath(data, host);
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method: "PUT", path: "/effects" }, (response) => {
      const parts: Buffer[] = [];
      response.on("data", (part: Buffer) => parts.push(part));
      response.on("end", () => {
        if (response.statusCode === 204) resolve();
        else reject(new Error(`${host} refused: ${Buffer.concat(parts).toString()}`));
      });
    });
    outgoing.on("error", (cause) =>
      reject(new Error(`cannot reach ${host} at ${socketPath}: is the bank running?`, { cause })),
    );
    outgoing.end(JSON.stringify(put));
  });
}
