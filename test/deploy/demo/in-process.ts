/** The bank without processes: its nine services in this one, on a clock that stands still, and a `Bank` whose effects reach them. */
import { mkdtempSync, rmSync } from "node:fs";
import os from "node:os";
import { join } from "node:path";
import { createBank } from "../../../deploy/demo/bank.ts";
import { effectProblems } from "../../../deploy/demo/effects.ts";
import type { Bank, ChangeNote } from "../../../deploy/demo/faults/fault.ts";
import { Holds, type Wanted } from "../../../deploy/demo/hosts/holds.ts";
import { type Address, Peer } from "../../../deploy/demo/kit/client.ts";
import { KnobBoard } from "../../../deploy/demo/kit/knobs.ts";
import type { Channel, Product, Reply, Txn } from "../../../deploy/demo/kit/message.ts";
import { type Running, startService } from "../../../deploy/demo/kit/service.ts";
import { noTelemetry, type Telemetry } from "../../../deploy/demo/kit/telemetry-parts.ts";
import { hostNames, layout, type ServiceName, serviceNames } from "../../../deploy/demo/layout.ts";
import { makers } from "../../../deploy/demo/services/services.ts";
import { SimClock } from "#test/sim/sim-clock.ts";

export interface Probe {
  readonly reply: Reply;
  /** On the bank's clock. */
  readonly tookMs: number;
}

export interface InProcessBank {
  readonly clock: SimClock;
  readonly bank: Bank;
  readonly notes: readonly ChangeNote[];
  readonly data: string;
  /** Milliseconds that services spun, since the bank was started. */
  readonly spunMs: () => number;
  readonly service: (name: ServiceName) => Running;
  readonly wanted: (service: ServiceName) => Wanted;
  /** What a gauge says now. */
  readonly gauge: (name: string) => number;
  ask(product: Product, channel?: Channel, more?: Partial<Txn>): Promise<Probe>;
  /** Lets simulated time pass while sockets get their turn. */
  pass(ms: number): Promise<void>;
  close(): Promise<void>;
}

const stepMs = 10;

/** Small enough to be filled at once. */
const entries = 2_000;

export async function startInProcess(): Promise<InProcessBank> {
  const clock = new SimClock();
  const data = mkdtempSync(join(os.tmpdir(), "causeway-demo-test-"));
  const gauges = new Map<string, () => number>();
  const telemetry: Telemetry = {
    ...noTelemetry,
    gauge: (name, _unit, _text, read) => gauges.set(name, read),
  };
  let spunMs = 0;
  const running = new Map<ServiceName, Running>();
  const addresses: Partial<Record<ServiceName, Address>> = {};
  // Whoever is called first, so that every address is known.
  const order = [...serviceNames].sort((a, b) => depth(a) - depth(b));
  for (const name of order) {
    const started = await startService({
      name,
      make: makers[name],
      clock,
      telemetry,
      at: { address: "127.0.0.1", port: 0 },
      peers: addresses,
      data,
      entries,
      spin: (ms) => (spunMs += ms),
    });
    running.set(name, started);
    addresses[name] = started.at;
  }
  const holds = new Map(hostNames.map((host) => [host, new Holds()]));
  const notes: ChangeNote[] = [];
  const follow = (): void => {
    for (const [name, service] of running)
      service.knobs.set(holds.get(layout[name].host)!.wanted().knobs.get(name) ?? {});
  };
  const bank = createBank({
    clock,
    holder: "test",
    put(host, put) {
      const problems = effectProblems(put.effects, host);
      if (problems.length > 0) return Promise.reject(new Error(problems.join("; ")));
      holds.get(host)!.put(put.holder, put.effects, put.leaseMs, clock.monotonicMs());
      follow();
      return Promise.resolve();
    },
    note(change) {
      notes.push(change);
      return Promise.resolve();
    },
    onLost(error) {
      throw error;
    },
  });
  const customers = new Peer({
    clock,
    knobs: new KnobBoard(),
    telemetry: noTelemetry,
    name: "gateway",
    at: addresses.gateway!,
    from: "127.0.0.1",
    timeoutMs: 20_000,
    poolSize: 0,
  });
  let id = 0;
  return {
    clock,
    bank,
    notes,
    data,
    spunMs: () => spunMs,
    service: (name) => running.get(name)!,
    wanted: (name) => holds.get(layout[name].host)!.wanted(),
    gauge: (name) => gauges.get(name)?.() ?? Number.NaN,
    async ask(product, channel = "mobile", more = {}) {
      id += 1;
      const txn: Txn = {
        id,
        channel,
        product,
        region: "north",
        account: id,
        other: 1,
        amount: 100,
        chance: 0.5,
        ...more,
      };
      const startedMs = clock.monotonicMs();
      const reply = await whilePassing(clock, customers.call("/txn", txn));
      return { reply, tookMs: clock.monotonicMs() - startedMs };
    },
    pass: (ms) => pass(clock, ms),
    async close() {
      customers.close();
      for (const service of running.values()) await service.close();
      rmSync(data, { recursive: true, force: true });
    },
  };
}

async function whilePassing<T>(clock: SimClock, promise: Promise<T>): Promise<T> {
  const ended: T[] = [];
  const noted = promise.then((value) => ended.push(value));
  while (ended.length === 0) await pass(clock, stepMs);
  await noted;
  return ended[0]!;
}

/** A turn of the real event loop with its sockets for each step of the simulated time. */
async function pass(clock: SimClock, ms: number): Promise<void> {
  for (let leftMs = ms; leftMs > 0; leftMs -= stepMs) {
    await new Promise((resolve) => setTimeout(resolve, 1));
    await clock.advance(Math.min(stepMs, leftMs));
  }
}

function depth(name: ServiceName): number {
  return Math.max(0, ...layout[name].calls.map((callee) => depth(callee) + 1));
}
