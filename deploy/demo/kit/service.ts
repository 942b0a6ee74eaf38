/** One service, put together: its server, whom it calls, its knobs and what they do to it. In a process of its own or in a test. */
import type { Clock } from "#shared/clock.ts";
import { layout, type ServiceName } from "../layout.ts";
import { type Address, Peer } from "./client.ts";
import { KnobBoard } from "./knobs.ts";
import type { Reply, Txn } from "./message.ts";
import { createBankServer, type Handler } from "./server.ts";
import { createStrain, spinner } from "./strain.ts";
import type { Telemetry } from "./telemetry-parts.ts";

/** What a service is made of; the file of a service is a function from this to its routes. */
export interface ServiceParts {
  readonly clock: Clock;
  readonly knobs: KnobBoard;
  readonly telemetry: Telemetry;
  /** Calls another service, as the layout allows. */
  readonly call: (service: ServiceName, route: string, txn: Txn) => Promise<Reply>;
  /** Where it may keep files. */
  readonly data: string;
  /** Rows that the database begins with. */
  readonly entries: number;
}

export interface Service {
  readonly routes: Readonly<Record<string, Handler>>;
  close?(): void;
}

export interface RunningParts {
  readonly name: ServiceName;
  readonly make: (parts: ServiceParts) => Service;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
  readonly at: Address;
  readonly peers: Readonly<Partial<Record<ServiceName, Address>>>;
  readonly data: string;
  readonly entries: number;
  readonly spin?: (ms: number) => void;
}

export interface Running {
  readonly at: Address;
  readonly knobs: KnobBoard;
  readonly heldBytes: () => number;
  close(): Promise<void>;
}

/** Resolves once it accepts connections. */
export async function startService(parts: RunningParts): Promise<Running> {
  const { name, clock, telemetry, make, data, entries } = parts;
  const spin = parts.spin ?? spinner(clock);
  const knobs = new KnobBoard();
  const peers = new Map(
    layout[name].calls.map((peer) => [peer, new Peer(peerParts(parts, knobs, peer))] as const),
  );
  const service = make({
    clock,
    knobs,
    telemetry,
    data,
    entries,
    call(peer, route, txn) {
      const found = peers.get(peer);
      if (found === undefined)
        throw new Error(`BUG: ${name} calls ${peer}, which deploy/demo/layout.ts does not say`);
      return found.call(route, txn);
    },
  });
  const server = createBankServer({ clock, knobs, telemetry, routes: service.routes, spin });
  const strain = createStrain(clock, knobs, spin);
  const at = await server.listen(parts.at);
  return {
    at,
    knobs,
    heldBytes: strain.heldBytes,
    async close() {
      strain.stop();
      await server.close();
      for (const peer of peers.values()) peer.close();
      service.close?.();
    },
  };
}

function peerParts(parts: RunningParts, knobs: KnobBoard, peer: ServiceName) {
  const { clock, telemetry, name } = parts;
  const at = parts.peers[peer];
  if (at === undefined)
    throw new Error(`cannot start ${name}: it calls ${peer}, whose address was not given`);
  const { poolSize, timeoutMs } = layout[name];
  return {
    clock,
    knobs,
    telemetry,
    name: peer,
    at,
    from: parts.at.address,
    timeoutMs,
    poolSize: peer === "database" ? poolSize : 0,
  };
}
