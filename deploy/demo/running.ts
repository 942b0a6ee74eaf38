/** A running bank, as a command in another terminal reaches it: its hosts to do things to, its collector to be told by. */
import { randomUUID } from "node:crypto";
import { sleep, systemClock } from "#shared/clock.ts";
import type { Host } from "#shared/contract/api.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { errorText } from "#shared/errors.ts";
import { type Live, openLive } from "../drill/live.ts";
import { createBank } from "./bank.ts";
import type { Bank, ChangeNote, Fault } from "./faults/fault.ts";
import { putEffects } from "./hosts/control.ts";
import { hostNames } from "./layout.ts";

const warmWaitMs = 600_000;
const reconnectMs = 1_000;

export function bankOf(fault: Fault, data: string, url: string, say: (text: string) => void): Bank {
  return createBank({
    clock: systemClock,
    // Two that run at once are two.
    holder: `${fault.name}-${randomUUID()}`,
    put: (host, put) => putEffects(data, host, put),
    note: (change) => note(url, change),
    onLost: (error) => say(`${fault.name}: ${errorText(error)}`),
  });
}

async function note(url: string, { kind, service, title, by }: ChangeNote): Promise<void> {
  const time = new Date(systemClock.nowMs()).toISOString();
  const answer = await fetch(`${url}/api/v1/changes`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ kind, time, title, service, by }),
  });
  if (!answer.ok)
    throw new Error(`cannot tell ${url} of the change "${title}": ${answer.status} ${await answer.text()}`);
}

/** Calls `told` with every incident that there is and with each change of one; comes back when the connection was lost. */
export async function watchIncidents(
  url: string,
  told: (incident: Incident) => void,
): Promise<{ stop(): void }> {
  let stopped = false;
  let live: Live | null = null;
  const connect = async (): Promise<void> => {
    live = await openLive(url);
    for (const incident of live.incidents.values()) told(incident);
    live.onIncident = told;
    live.onClose = reconnectLater;
  };
  const reconnectLater = (): void => {
    systemClock.after(reconnectMs, () => {
      if (!stopped) connect().catch(reconnectLater);
    });
  };
  await connect();
  return {
    stop() {
      stopped = true;
      live?.close();
    },
  };
}

/** Resolves when most series of every simulated host are judged by their own history, or when `cut` is aborted. */
export async function waitWarm(url: string, cut: AbortSignal, say: (text: string) => void): Promise<void> {
  const untilMs = systemClock.monotonicMs() + warmWaitMs;
  let told = false;
  while (!cut.aborted) {
    const answer = await fetch(`${url}/api/v1/hosts`);
    const { hosts } = (await answer.json()) as { hosts: readonly Host[] };
    const cold = hostNames.filter((name) => !isWarm(hosts.filter(({ host }) => isOf(host, name))));
    if (cold.length === 0) return;
    if (systemClock.monotonicMs() > untilMs)
      throw new Error(`${cold.join(", ")} had no baselines within ${warmWaitMs / 1000} s`);
    if (!told) say("waiting for the baselines of the bank's hosts");
    told = true;
    await sleep(systemClock, 1_000);
  }
}

/** A host, and the services on it that push what they measure, each of which is listed by itself as `service@host`. */
function isOf(listed: string, name: string): boolean {
  return listed === name || listed.endsWith(`@${name}`);
}

function isWarm(listed: readonly Host[]): boolean {
  return (
    listed.length > 0 && listed.every(({ warmup }) => warmup.ready > warmup.provisional + warmup.collecting)
  );
}
