/**
 * The customers as a process: `node customers.ts PLAN`. An open load: they come when they come, however slow the bank is.
 *
 * An open load shows what a slow bank is like; a closed one would politely wait (Schroeder et al. 2006). At most `waitingMax` wait at once:
 * more would only fill the memory of this process.
 */
import { systemClock } from "#shared/clock.ts";
import { type Address, Peer } from "../kit/client.ts";
import { KnobBoard } from "../kit/knobs.ts";
import { noTelemetry } from "../kit/telemetry-parts.ts";
import { createGenerator } from "./generator.ts";

export interface CustomersPlan {
  readonly gateway: Address;
  readonly from: string;
  readonly seed: number;
  readonly perSecondMax: number;
  readonly dayMs: number;
}

const waitingMax = 300;
/** Customers are more patient than the bank's own time limits. */
const timeoutMs = 8_000;

function main(): void {
  process.title = "customers";
  const plan = JSON.parse(process.argv[2] ?? "") as CustomersPlan;
  const generator = createGenerator({ ...plan, startMs: systemClock.nowMs() });
  const gateway = new Peer({
    clock: systemClock,
    knobs: new KnobBoard(),
    telemetry: noTelemetry,
    name: "gateway",
    at: plan.gateway,
    from: plan.from,
    timeoutMs,
    poolSize: 0,
  });
  let waiting = 0;
  const come = (): void => {
    const { atMs, txn } = generator.next();
    const arrive = (): void => {
      if (waiting < waitingMax) {
        waiting += 1;
        void gateway.call("/txn", txn).then(() => (waiting -= 1));
      }
      come();
    };
    systemClock.after(Math.max(0, atMs - systemClock.nowMs()), arrive, { keepAlive: true });
  };
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, () => process.exit(0));
  come();
}

main();
