/** From what the operator asked for to what each simulated host has to start: addresses, ports, programs, their settings. */
import { createServer } from "node:net";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { agentEnvironment, agentFlags } from "../agent-flags.ts";
import { collectorFlags } from "../collector-flags.ts";
import type { HostPlan, Program } from "./hosts/host.ts";
import { controlPath } from "./hosts/control.ts";
import type { ServePlan } from "./hosts/serve.ts";
import type { Address } from "./kit/client.ts";
import {
  hostNames,
  type HostName,
  layout,
  loopbackOf,
  type ServiceName,
  serviceNames,
  servicesOf,
} from "./layout.ts";
import type { CustomersPlan } from "./load/customers.ts";

export const root = fileURLToPath(new URL("../..", import.meta.url));

export interface BankOptions {
  readonly data: string;
  readonly seed: number;
  readonly perSecondMax: number;
  readonly dayMs: number;
  /** Rows that the database begins with. */
  readonly entries: number;
  /** Of the agents, and of what services tell of themselves. */
  readonly intervalMs: number;
}

/** Where a simulated host is on the network. */
export interface Placement {
  readonly address: string;
  /** What stands before a command to run it there; empty for the machine's own network. */
  readonly command: readonly string[];
  /** How its programs reach the collector. */
  readonly collector: Address;
  readonly relay: { readonly port: number; readonly path: string } | null;
}

export type Placements = Readonly<Record<HostName, Placement>>;

/** Below the ports that the kernel gives out by chance: the agent does not watch those for minutes. */
const portFrom = 7_441;
const portTo = 7_999;

/** A port for each service, free on its host's address when `isFree` says so. */
export async function addressesOf(
  placements: Placements,
  isFree: (at: Address) => Promise<boolean>,
): Promise<Record<ServiceName, Address>> {
  const found: Partial<Record<ServiceName, Address>> = {};
  let from = portFrom;
  for (const name of serviceNames) {
    const { address } = placements[layout[name].host];
    const port = await freePort(address, from, isFree);
    found[name] = { address, port };
    from = port + 1;
  }
  return found as Record<ServiceName, Address>;
}

export async function freePort(
  address: string,
  from: number,
  isFree: (at: Address) => Promise<boolean> = canListen,
): Promise<number> {
  for (let port = from; port <= portTo; port += 1) if (await isFree({ address, port })) return port;
  throw new Error(`no port from ${from} to ${portTo} is free at ${address}; stop what listens there`);
}

export function canListen({ address, port }: Address): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, address, () => server.close(() => resolve(true)));
  });
}

export function onLoopback(collector: Address): Placements {
  const entries = hostNames.map((host) => [
    host,
    { address: loopbackOf(host), command: [], collector, relay: null },
  ]);
  return Object.fromEntries(entries) as Placements;
}

/** The plan of each host that has services, with an agent that sees this host alone. */
export function planOf(
  host: HostName,
  options: BankOptions,
  placements: Placements,
  addresses: Readonly<Record<ServiceName, Address>>,
  agentFile: string,
): HostPlan {
  const { data } = options;
  const placement = placements[host];
  const services = servicesOf(host).map((name) => serviceProgram(name, options, placement, addresses));
  return {
    host,
    logs: join(data, "logs"),
    data: join(data, "files"),
    control: controlPath(data, host),
    relay: placement.relay,
    usage: { otlp: urlOf(placement.collector), intervalMs: options.intervalMs },
    programs: [...services, agentProgram(host, options, placement, agentFile)],
  };
}

function serviceProgram(
  name: ServiceName,
  { data, entries, intervalMs }: BankOptions,
  { collector }: Placement,
  addresses: Readonly<Record<ServiceName, Address>>,
): Program {
  const peers = Object.fromEntries(layout[name].calls.map((peer) => [peer, addresses[peer]]));
  const plan: ServePlan = { name, at: addresses[name], peers, data: join(data, "files"), entries };
  return {
    name,
    service: true,
    args: [join(root, "deploy/demo/hosts/serve.ts"), JSON.stringify(plan)],
    environment: {
      OTEL_SERVICE_NAME: name,
      OTEL_RESOURCE_ATTRIBUTES: `host.name=${layout[name].host},service.namespace=bank,service.version=1.0.0`,
      OTEL_NODE_RESOURCE_DETECTORS: "env,serviceinstance",
      OTEL_EXPORTER_OTLP_ENDPOINT: urlOf(collector),
      OTEL_EXPORTER_OTLP_PROTOCOL: "http/protobuf",
      OTEL_METRICS_EXPORTER: "otlp",
      OTEL_METRIC_EXPORT_INTERVAL: String(intervalMs),
      OTEL_METRIC_EXPORT_TIMEOUT: String(Math.min(intervalMs, 5_000)),
      OTEL_TRACES_EXPORTER: "otlp",
      OTEL_LOGS_EXPORTER: "none",
      OTEL_PROPAGATORS: "tracecontext",
      // The collector may start later or be down: an SDK that complains of it every ten seconds says nothing new.
      OTEL_LOG_LEVEL: "none",
    },
  };
}

function agentProgram(
  host: HostName,
  { data, intervalMs }: BankOptions,
  { collector, address }: Placement,
  agentFile: string,
): Program {
  const settings = {
    data: join(data, `agent-${host}`),
    collector: `ws://${collector.address}:${collector.port}`,
    interval: `${intervalMs}ms`,
    host,
    address,
    "processes-of": "{pid}",
  };
  return {
    name: "causeway-agent",
    service: false,
    args: [...agentFlags, agentFile, ...optionList(settings)],
    environment: agentEnvironment,
  };
}

/** The collector and the customers, who are no host of the bank; ended with everything else all the same. */
export function outsidePlans(
  { data, seed, perSecondMax, dayMs }: BankOptions,
  listen: string,
  gateway: Address,
  customersFrom: string,
): { collector: HostPlan; customers: HostPlan } {
  const common = {
    logs: join(data, "logs"),
    data: join(data, "files"),
    control: null,
    relay: null,
    usage: null,
  };
  const collectorSettings = { data: join(data, "collector"), listen, console: join(root, "dist/console") };
  const customers: CustomersPlan = { gateway, from: customersFrom, seed, perSecondMax, dayMs };
  return {
    collector: {
      ...common,
      host: "ops",
      programs: [
        {
          name: "collector",
          service: false,
          args: [...collectorFlags, join(root, "collector/main.ts"), ...optionList(collectorSettings)],
          environment: {},
        },
      ],
    },
    customers: {
      ...common,
      host: "outside",
      programs: [
        {
          name: "customers",
          service: false,
          args: [join(root, "deploy/demo/load/customers.ts"), JSON.stringify(customers)],
          environment: {},
        },
      ],
    },
  };
}

function urlOf({ address, port }: Address): string {
  return `http://${address}:${port}`;
}

function optionList(given: Readonly<Record<string, string>>): string[] {
  return Object.entries(given).flatMap(([name, value]) => [`--${name}`, value]);
}
