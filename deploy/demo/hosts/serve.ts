/** One service of the bank as a process: `node serve.ts PLAN`, a JSON of `ServePlan`. Knobs come by the channel to its parent. */
import { systemClock } from "#shared/clock.ts";
import { errorText } from "#shared/errors.ts";
import type { Address } from "../kit/client.ts";
import type { Knobs } from "../kit/knobs.ts";
import { startService } from "../kit/service.ts";
import { startTelemetry } from "../kit/telemetry.ts";
import type { ServiceName } from "../layout.ts";
import { makers } from "../services/services.ts";

export interface ServePlan {
  readonly name: ServiceName;
  readonly at: Address;
  readonly peers: Readonly<Partial<Record<ServiceName, Address>>>;
  readonly data: string;
  readonly entries: number;
}

async function main(): Promise<void> {
  const plan = JSON.parse(process.argv[2] ?? "") as ServePlan;
  // What the kernel, and so the agent, calls this process; Node.js' flag --title does not tell the kernel.
  process.title = plan.name;
  const telemetry = startTelemetry();
  const service = await startService({
    ...plan,
    make: makers[plan.name],
    clock: systemClock,
    telemetry,
  });
  process.on("message", (knobs: Knobs) => service.knobs.set(knobs));
  let ending = false;
  const end = (): void => {
    if (ending) return;
    ending = true;
    // What is left of the telemetry is not worth waiting for a collector that may be gone.
    systemClock.after(1_000, () => process.exit(0), { keepAlive: true });
    void Promise.allSettled([service.close(), telemetry.close()]).then(() => process.exit(0));
  };
  process.once("disconnect", end);
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, end);
  process.send?.("listening");
}

main().catch((error: unknown) => {
  process.stderr.write(`cannot start: ${errorText(error)}\n`);
  process.exit(1);
});
