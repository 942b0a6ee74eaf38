/**
 * The chain: what follows the journal, as one pure function of it. Events in journal order go in, changed incidents come out.
 *
 * The collector drives it with live entries, a restart with replayed ones, a scenario with written ones: the same events give
 * the same incidents under the same policy, byte for byte. It reads no clock; the journal's own ticks and the data's times are all it knows.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { SampleBatch } from "#shared/batch.ts";
import type { Change } from "#shared/contract/change.ts";
import type { Incident } from "#shared/contract/incident.ts";
import type { HistoryRequest, HostHistory } from "#shared/host-history.ts";
import type { Series } from "#shared/series.ts";
import type { Suspicion } from "#shared/suspicion.ts";
import { packSnapshot, unpackSnapshot } from "#shared/snapshot.ts";
import { type Changes, type ChangesState, createChanges } from "./changes/changes.ts";
import { type CorrelateState, createCorrelate } from "./correlate/correlate.ts";
import {
  type ConnectionEnd,
  createDetect,
  type Departure,
  type Detect,
  type DetectPolicy,
} from "./detect/detect.ts";
import { fitsPattern } from "./detect/match.ts";
import { createIncidents, type IncidentCommand, type IncidentsState } from "./incident/incident.ts";
import {
  createTopology,
  type Topology,
  type TopologyPolicy,
  type TopologyState,
} from "./topology/topology.ts";
import { createTransactions, type Drilled, type Transactions } from "./transactions/transactions.ts";

const snapshotSchema = "causeway.chain";
const snapshotVersion = 11;

export type ChainEvent =
  /** A host's dictionary grew: `number` is `series` from now on. */
  | { readonly kind: "define"; readonly host: string; readonly number: number; readonly series: Series }
  | {
      readonly kind: "addresses";
      readonly host: string;
      readonly addresses: readonly string[];
      readonly zone?: string | undefined;
    }
  | { readonly kind: "batch"; readonly batch: SampleBatch }
  /** The collector's time, every few seconds. */
  | { readonly kind: "tick"; readonly nowMs: number }
  /** The collector started. */
  | { readonly kind: "started"; readonly nowMs: number }
  | { readonly kind: "left"; readonly host: string; readonly end: ConnectionEnd; readonly nowMs: number }
  | { readonly kind: "command"; readonly command: IncidentCommand; readonly nowMs: number }
  /** The past that `wanted` asked for as `id`. */
  | { readonly kind: "history"; readonly id: string; readonly histories: readonly HostHistory[] }
  /** Somebody told what was changed. */
  | { readonly kind: "changes"; readonly changes: readonly Change[]; readonly nowMs: number };

export interface ChainResult {
  readonly anomalies: readonly Anomaly[];
  /** Changed incidents, each once. For a command: [] when there is no such incident. */
  readonly incidents: readonly Incident[];
  /** Hosts that count as gone from now on, or are not shown as gone any more: nothing need be kept of them. */
  readonly departures: readonly Departure[];
  /** Changes that were told for the first time. */
  readonly changes: readonly Change[];
}

export interface Chain {
  readonly detect: Detect;
  readonly topology: Topology;
  readonly changes: Pick<Changes, "known" | "between">;
  /** The journal's time: how far the chain has come. */
  nowMs(): number;
  weakSignals(): number;
  /** An incident that is open or ended a short while ago. */
  incident(id: string): Incident | undefined;
  /** Those that are not over. */
  openIncidents(): Incident[];
  apply(event: ChainEvent): ChainResult;
  /** The past that is wanted now, before the next event: of the same journal, up to the record that is followed. */
  wanted(): HistoryRequest[];
  snapshot(): Uint8Array;
}

interface ChainMeta {
  readonly nowMs: number;
  readonly dataMs: number;
  readonly topology: TopologyState;
  readonly changes: ChangesState;
  readonly correlate: CorrelateState;
  readonly held: readonly Suspicion[];
  readonly incidents: IncidentsState;
}

const nothing: ChainResult = { anomalies: [], incidents: [], departures: [], changes: [] };

export interface ChainParts {
  /** Detection's usual one where nothing is given. */
  readonly policy?: DetectPolicy | undefined;
  /** Topology's usual one where nothing is given. */
  readonly topology?: TopologyPolicy | undefined;
  /** Bytes of an earlier `snapshot()`, under this policy or another; throws when they are of another version. */
  readonly snapshot?: Uint8Array | undefined;
}

export function createChain({ policy, topology: topologyPolicy, snapshot }: ChainParts = {}): Chain {
  const before =
    snapshot === undefined ? undefined : unpackSnapshot<ChainMeta>(snapshotSchema, snapshotVersion, snapshot);
  const detect = createDetect({
    policy,
    snapshot: before?.columns.get("detect") as Uint8Array | undefined,
  });
  const topology = createTopology({
    policy: topologyPolicy,
    fits: fitsPattern,
    state: before?.meta.topology,
  });
  const changes = createChanges(before?.meta.changes);
  const transactions = createTransactions({
    snapshot: before?.columns.get("transactions") as Uint8Array | undefined,
  });
  const correlate = createCorrelate({
    topology,
    changes,
    drill: (anomaly) => drilledOf(transactions, anomaly),
    state: before?.meta.correlate,
  });
  const incidents = createIncidents(before?.meta.incidents);
  let nowMs = before?.meta.nowMs ?? 0;
  /** Of the newest sample: what is looked at, and when, must not depend on how fast the journal is followed. */
  let dataMs = before?.meta.dataMs ?? 0;

  /** Told for the first time, and a look at their past is wanted: they wait for it, or for the next tick. */
  let held: readonly Suspicion[] = before?.meta.held ?? [];

  /** `late`: what has waited long enough. */
  const follow = (anomalies: readonly Anomaly[], late: readonly Suspicion[] = []): ChainResult => {
    const suspicions = correlate.add(anomalies, nowMs);
    // Told anew, or part of another by now.
    const again = new Set(suspicions.flatMap(({ id, absorbed }) => [id, ...absorbed]));
    held = held.filter(({ id }) => !again.has(id));
    const waited = new Set(late.map(({ id }) => id));
    const told = [...late.filter(({ id }) => !again.has(id)), ...holdBack(suspicions, waited)];
    return { ...nothing, anomalies, incidents: incidents.apply(told, nowMs) };
  };
  const holdBack = (suspicions: readonly Suspicion[], waited: ReadonlySet<string>): readonly Suspicion[] => {
    const fresh = suspicions.filter(
      ({ id, absorbed }) => absorbed.length === 0 && !waited.has(id) && !incidents.tells(id),
    );
    if (fresh.length === 0) return suspicions;
    const wanted = new Set(correlate.wanted(dataMs).map(({ id }) => id));
    const waiting = fresh.filter(({ id }) => wanted.has(id));
    held = [...held, ...waiting];
    return suspicions.filter((one) => !waiting.includes(one));
  };
  const advance = (toMs: number): void => {
    nowMs = Math.max(nowMs, toMs);
  };

  return {
    detect,
    topology,
    changes,
    nowMs: () => nowMs,
    wanted: () => correlate.wanted(dataMs),
    weakSignals: () => correlate.weakSignals(),
    incident: (id) => incidents.incident(id),
    openIncidents: () => incidents.open(),
    apply(event) {
      switch (event.kind) {
        case "define":
          detect.define(event.host, event.number, event.series);
          topology.define(event.host, event.number, event.series);
          transactions.define(event.host, event.number, event.series);
          changes.define(event.host, event.series);
          return nothing;
        case "addresses":
          topology.addresses(event.host, event.addresses, event.zone);
          detect.addresses(event.host, event.addresses);
          correlate.locate(event.host, event.addresses);
          return nothing;
        case "batch": {
          dataMs = Math.max(dataMs, event.batch.timeMs);
          topology.observe(event.batch);
          transactions.observe(event.batch);
          const anomalies = detect.judge(event.batch);
          return anomalies.length === 0 ? nothing : follow(anomalies);
        }
        case "tick": {
          advance(event.nowMs);
          topology.advance(nowMs);
          const { anomalies, departures } = detect.tick(nowMs);
          const late = held;
          held = [];
          const result = follow(anomalies, late);
          // After its last anomalies have found their places.
          for (const { host, what } of departures) {
            if (what === "gone")
              for (const room of [topology, transactions, correlate, changes]) room.forget(host);
          }
          return { ...result, departures };
        }
        case "started":
          advance(event.nowMs);
          detect.started(nowMs);
          return nothing;
        case "left":
          advance(event.nowMs);
          detect.left(event.host, event.end);
          return nothing;
        case "command": {
          advance(event.nowMs);
          const incident = incidents.command(event.command, nowMs);
          if (incident === undefined) return nothing;
          if (event.command.kind === "feedback") detect.heed(incident);
          return { ...nothing, incidents: [incident] };
        }
        case "history": {
          held = held.filter(({ id }) => id !== event.id);
          const suspicions = correlate.look(event.id, event.histories, dataMs, nowMs);
          return { ...nothing, incidents: incidents.apply(suspicions, nowMs) };
        }
        case "changes": {
          advance(event.nowMs);
          const fresh = changes.add(event.changes, nowMs);
          for (const { atMs } of fresh) correlate.reconsider(atMs);
          return { ...nothing, changes: fresh };
        }
      }
    },
    snapshot: () =>
      packSnapshot(snapshotSchema, snapshotVersion, {
        meta: {
          nowMs,
          dataMs,
          topology: topology.snapshot(),
          changes: changes.snapshot(),
          correlate: correlate.snapshot(),
          held,
          incidents: incidents.snapshot(),
        } satisfies ChainMeta,
        columns: new Map([
          ["detect", detect.snapshot()],
          ["transactions", transactions.snapshot()],
        ]),
      }),
  };
}

/** What the transactions that an anomaly counts have in common; null when there is nothing to say. */
function drilledOf(transactions: Transactions, { metric, lastMs, reasons }: Anomaly): Drilled | null {
  const family = transactions.familyOf(metric);
  // Requests are told apart by services and routes, which the anomaly itself names.
  if (family === undefined || reasons[0]?.args["what"] !== "transactions") return null;
  const key = reasons[0]?.key ?? "";
  const ending =
    key === "reason.volume" ? "volume" : key.startsWith("reason.refused") ? "refusal" : "failure";
  return transactions.drill(family, lastMs, ending);
}
