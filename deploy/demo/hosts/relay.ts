/**
 * Carries connections between a port and a socket file, both ways.
 *
 * The collector listens on the machine's loopback only, which a network namespace does not see; a file is seen by both. One relay
 * stands outside (file to the collector's port) and one inside of each namespace (its loopback to the file), so that nothing listens on
 * an address that others could reach.
 */
import { createServer, connect, type ListenOptions, type NetConnectOpts, type Server } from "node:net";

/** Resolves once it accepts connections. */
export function startRelay(listen: ListenOptions, target: NetConnectOpts): Promise<Server> {
  const server = createServer((near) => {
    const far = connect(target);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.pipe(other);
      one.on("error", () => other.destroy());
      one.on("close", () => other.destroy());
    }
  });
  return new Promise((resolve, reject) => {
    server.once("error", reject);
    server.listen(listen, () => resolve(server));
  });
}
