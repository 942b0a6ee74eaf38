/**
 * What stands where in the demonstration bank, and who calls whom. The one place that a host, a service or a call is added.
 *
 * Six simulated hosts of one or two services, as small as a bank can be and still have what makes causes hard to find: a shared
 * database, two ways to it, a queue behind the customer's back, somebody else's network.
 */
export const hostNames = ["edge-01", "app-01", "app-02", "core-01", "db-01", "ext-01"] as const;
export type HostName = (typeof hostNames)[number];

export const serviceNames = [
  "gateway",
  "login",
  "accounts",
  "payments",
  "risk",
  "ledger",
  "settlement",
  "database",
  "cards",
] as const;
export type ServiceName = (typeof serviceNames)[number];

export interface Placed {
  readonly host: HostName;
  readonly calls: readonly ServiceName[];
  /** Connections that it holds to the database at most; 0 when it does not use it. */
  readonly poolSize: number;
  /** After this it gives up on an answer. Those in front wait longer than those behind them. */
  readonly timeoutMs: number;
}

export const layout: Readonly<Record<ServiceName, Placed>> = {
  gateway: { host: "edge-01", calls: ["login", "accounts", "payments"], poolSize: 0, timeoutMs: 3_000 },
  login: { host: "app-01", calls: ["database"], poolSize: 4, timeoutMs: 1_500 },
  accounts: { host: "app-01", calls: ["ledger", "database"], poolSize: 6, timeoutMs: 2_000 },
  payments: {
    host: "app-02",
    calls: ["risk", "ledger", "settlement", "cards", "database"],
    poolSize: 6,
    timeoutMs: 2_000,
  },
  risk: { host: "app-02", calls: ["database"], poolSize: 6, timeoutMs: 1_500 },
  ledger: { host: "core-01", calls: ["database"], poolSize: 8, timeoutMs: 1_500 },
  settlement: { host: "core-01", calls: ["ledger", "database"], poolSize: 4, timeoutMs: 2_000 },
  database: { host: "db-01", calls: [], poolSize: 0, timeoutMs: 1_500 },
  cards: { host: "ext-01", calls: [], poolSize: 0, timeoutMs: 1_500 },
};

export function servicesOf(host: HostName): ServiceName[] {
  return serviceNames.filter((name) => layout[name].host === host);
}

export function isServiceName(name: string): name is ServiceName {
  return (serviceNames as readonly string[]).includes(name);
}

export function isHostName(name: string): name is HostName {
  return (hostNames as readonly string[]).includes(name);
}

/** `service` and everything that calls it, directly or through others: whom its trouble reaches. Nearest first. */
export function reachedBy(service: ServiceName): ServiceName[] {
  const reached = [service];
  for (const one of reached) {
    for (const name of serviceNames) {
      if (layout[name].calls.includes(one) && !reached.includes(name)) reached.push(name);
    }
  }
  return reached;
}

/** 127.0.0.11 and on: a loopback address each, so that a connection's ends tell the hosts apart. */
export function loopbackOf(host: HostName): string {
  return `127.0.0.${11 + hostNames.indexOf(host)}`;
}
