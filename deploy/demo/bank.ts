/**
 * The bank as a fault sees it: what it wants of each host, told to that host again and again for as long as this process lives.
 *
 * A lease of ten seconds, renewed every three: a fault whose process was killed is over within ten seconds, and one lost message does
 * no harm.
 */
import type { Clock, Timer } from "#shared/clock.ts";
import { every } from "#shared/clock.ts";
import type { Effect } from "./effects.ts";
import type { Bank, ChangeNote, Fault } from "./faults/fault.ts";
import { type HostName, layout, type ServiceName } from "./layout.ts";
import type { Put } from "./hosts/control.ts";

export const leaseMs = 10_000;
const renewMs = 3_000;

export interface BankParts {
  readonly clock: Clock;
  /** Unlike any other fault's that runs now. */
  readonly holder: string;
  readonly put: (host: HostName, put: Put) => Promise<void>;
  readonly note: (change: ChangeNote) => Promise<void>;
  /** A renewal failed: the host may be gone. */
  readonly onLost: (error: unknown) => void;
}

export function createBank({ clock, holder, put, note, onLost }: BankParts): Bank {
  const effects = new Map<HostName, Effect[]>();
  let renewing: Timer | null = null;

  const tell = (host: HostName): Promise<void> =>
    put(host, { holder, effects: effects.get(host) ?? [], leaseMs });
  const renew = (): void => {
    for (const host of effects.keys()) tell(host).catch(onLost);
  };
  const add = async (host: HostName, effect: Effect): Promise<void> => {
    const others = (effects.get(host) ?? []).filter((other) => !isSame(other, effect));
    effects.set(host, [...others, effect]);
    renewing ??= every(clock, renewMs, renew);
    await tell(host);
  };
  const hostOf = (service: ServiceName): HostName => layout[service].host;
  return {
    turn: (service, knobs) => add(hostOf(service), { kind: "knobs", service, knobs }),
    run: (host, worker, name) => add(host, { kind: "worker", worker, name }),
    down: (service) => add(hostOf(service), { kind: "down", service }),
    note,
    async restore() {
      renewing?.cancel();
      renewing = null;
      const hosts = [...effects.keys()];
      effects.clear();
      await Promise.all(hosts.map(tell));
    },
  };
}

function isSame(one: Effect, other: Effect): boolean {
  if (one.kind === "worker") return other.kind === "worker" && one.name === other.name;
  return other.kind === one.kind && other.service === one.service;
}

/** Starts nothing that it does not stop: `seconds` later, when `cut` is aborted, and when starting fails half way. */
export async function runFault(
  fault: Pick<Fault, "start" | "stop">,
  bank: Bank,
  { clock, seconds, cut }: { clock: Clock; seconds: number; cut: AbortSignal },
): Promise<void> {
  try {
    await fault.start(bank);
    await new Promise<void>((resolve) => {
      const timer = clock.after(seconds * 1000, resolve, { keepAlive: true });
      const end = (): void => {
        timer.cancel();
        resolve();
      };
      if (cut.aborted) end();
      cut.addEventListener("abort", end, { once: true });
    });
  } finally {
    try {
      await fault.stop(bank);
    } finally {
      await bank.restore();
    }
  }
}
