/** A host whose sockets are read: the probes that find out whose they are, as the agent asks them, and the spelling of series. */
import type { TestContext } from "node:test";
import {
  type ConnectionsParts,
  type ConnectionsProbe,
  createConnections,
} from "#agent/collect/connections.ts";
import { createHostFacts } from "#agent/collect/host-facts.ts";
import type { Probe } from "#agent/collect/probe.ts";
import { ProcReader } from "#agent/collect/proc-file.ts";
import { createProcesses } from "#agent/collect/processes.ts";
import type { ProcessTree } from "#agent/collect/process-tree.ts";
import { Services } from "#agent/collect/services.ts";
import { Reading } from "./host-tree.ts";

const kernel = { pageBytes: 4096, ticksPerSecond: 100 };

/** Both probes on one host: processes first. */
export class Both {
  readonly reading = new Reading();
  readonly reader = new ProcReader();
  readonly connections: ConnectionsProbe;
  readonly #probes: readonly Probe[];

  constructor(
    t: TestContext,
    procRoot: string,
    options: { readonly only?: ConnectionsParts["only"]; readonly tree?: ProcessTree } = {},
  ) {
    const { reader } = this;
    const { only, tree } = options;
    const services = new Services(kernel);
    this.connections = createConnections({ reader, procRoot, services, only });
    this.#probes = [
      createProcesses({ reader, procRoot, kernel, facts: createHostFacts(), services, tree }),
      this.connections,
    ];
    t.after(() => this.#probes.forEach((probe) => probe.close()));
  }

  /** One tick of the probe that sees processes alone. */
  processes(): Promise<Reading> {
    return this.reading.tick(this.#probes[0]!);
  }

  async ticks(count: number): Promise<Reading> {
    for (let tick = 0; tick < count; tick += 1)
      for (const probe of this.#probes) await this.reading.tick(probe);
    return this.reading;
  }
}

function spelled(
  metric: string,
  labels: readonly (readonly [string, string | number | undefined])[],
): string {
  const told = labels.filter(([, value]) => value !== undefined).map(([name, value]) => `${name}="${value}"`);
  return `${metric}{${told.join(",")}}`;
}

export function listen(service: string, port: number, address?: string, namespace?: string): string {
  return spelled("causeway.listen.sockets", [
    ["causeway.network.namespace", namespace],
    ["network.local.address", address],
    ["network.local.port", port],
    ["network.transport", "tcp"],
    ["service.name", service],
  ]);
}

/** Out of `service`, at the address `local`, to `address` and `port`. */
export function out(
  service: string,
  address: string,
  port: number,
  local = "10.0.0.2",
  metric = "causeway.edge.connections",
): string {
  return spelled(metric, [
    ["causeway.edge.direction", "out"],
    ["network.local.address", local],
    ["network.peer.address", address],
    ["network.peer.port", port],
    ["service.name", service],
  ]);
}

/** Into `port` of `service`, at the address `local`, from `address`. */
export function into(
  service: string,
  port: number,
  address: string,
  options: { readonly local?: string; readonly namespace?: string; readonly metric?: string } = {},
): string {
  const { local = "10.0.0.2", namespace, metric = "causeway.edge.connections" } = options;
  return spelled(metric, [
    ["causeway.edge.direction", "in"],
    ["causeway.network.namespace", namespace],
    ["network.local.address", local],
    ["network.local.port", port],
    ["network.peer.address", address],
    ["service.name", service],
  ]);
}
