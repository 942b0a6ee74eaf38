/**
 * What the collector does with each journal record: turns it into events for the chain, commits what follows, pushes it.
 *
 * One record at a time, in journal order, live or replayed. Whatever is told (incidents, losses, answers to commands) is
 * committed together with the record's position, so a replay after a crash says nothing twice and leaves nothing out. A store
 * that cannot write holds everything up here, and by that the acknowledgements: nothing runs ahead of what is durable.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { Clock } from "#shared/clock.ts";
import { sleep } from "#shared/clock.ts";
import type { SampleBatch } from "#shared/batch.ts";
import type { Loss } from "#shared/contract/api.ts";
import type { Change, ChangesTaken } from "#shared/contract/change.ts";
import { type Incident, isOver, type Verdict } from "#shared/contract/incident.ts";
import type { Judge } from "#shared/contract/system.ts";
import { assert, errorText, StorageError } from "#shared/errors.ts";
import type { HostHistory } from "#shared/host-history.ts";
import type { Log } from "#shared/log.ts";
import { limits } from "#shared/limits.ts";
import { labelValue } from "#shared/series.ts";
import { packSnapshot, unpackSnapshot } from "#shared/snapshot.ts";
import { type Chain, type ChainParts, createChain } from "./chain.ts";
import type { ConnectionEnd as SilenceCause, Departure, DetectPolicy } from "./detect/detect.ts";
import { readHistory } from "./history.ts";
import type { IncidentCommand } from "./incident/incident.ts";
import type { ConnectionEnd, HostsState, Ingest } from "./ingest/ingest.ts";
import { besideLabel, createIngest, parsePresence } from "./ingest/ingest.ts";
import type { Journal, JournalRecord } from "./journal/journal.ts";
import type { CommandResult } from "./push/api.ts";
import type { Metrics } from "./self/metrics.ts";
import type { Tracer } from "./self/tracer.ts";
import type { Commit, Delta, Store } from "./store/store.ts";
import type { TopologyPolicy } from "./topology/topology.ts";

const snapshotName = "collector";
const snapshotSchema = "causeway.collector";
const snapshotVersion = 4;
/** On the journal's line; a restart replays at most this much, and takes a snapshot when it ends in good order. */
const snapshotEveryMs = 300_000;
const storeRetryMs = 1_000;

/** What an operator decided, as the journal keeps it. */
export type JournaledCommand = {
  readonly id: string;
  readonly by: string;
  readonly comment?: string | undefined;
  readonly key: string;
  readonly ifMatch: number | null;
  readonly atMs: number;
} & (
  | { readonly kind: "acknowledge" | "resolve" }
  | {
      readonly kind: "feedback";
      readonly verdict: Verdict | "none";
      /** The incident as the store has it, when the chain may have forgotten it: the journal alone must be enough. */
      readonly recalled?: Incident | undefined;
    }
  | { readonly kind: "cause"; readonly entity: string | null; readonly recalled?: Incident | undefined }
);

/** What somebody told of changes, as the journal keeps it. */
export interface JournaledChanges {
  /** Of the request that waits for its answer. */
  readonly key: string;
  readonly atMs: number;
  readonly changes: readonly Change[];
}

export interface FollowParts {
  readonly clock: Clock;
  readonly journal: Journal;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly log: Log;
  readonly tell: (deltas: readonly Delta[]) => void;
  readonly policy: DetectPolicy;
  /** Its usual one where nothing is given. */
  readonly topology?: TopologyPolicy | undefined;
}

interface FollowMeta {
  readonly hosts: HostsState;
  readonly judges: readonly Judge[];
}

export class Follower {
  readonly chain: Chain;
  readonly ingest: Ingest;
  /** Where to begin to consume. */
  readonly from: number;
  /** What agents' clocks are ahead by, where it is corrected; by agent. */
  readonly clockErrors = new Map<string, number>();
  /** From the agent's tick to its verdict, of the newest live frame, by the collector's clock. */
  lagMs = 0;
  /** The disk refuses what follows from the journal; everything waits. */
  storeIsFull = false;
  /** Which versions under which policies have judged, oldest first. */
  readonly judges: Judge[];
  readonly #parts: FollowParts;
  readonly #answers = new Map<string, (result: CommandResult) => void>();
  readonly #changeAnswers = new Map<string, (taken: ChangesTaken) => void>();
  /** Ids of the anomalies that go on. */
  readonly #open: Set<string>;
  #position: number;
  #snapshotMs = 0;

  constructor(parts: FollowParts) {
    this.#parts = parts;
    const snapshot = parts.store.loadSnapshot(snapshotName);
    const { policy, topology, log } = parts;
    const state = snapshot === undefined ? undefined : restored(snapshot.blob, { policy, topology }, log);
    this.chain = state?.chain ?? createChain({ policy, topology });
    this.#open = new Set(this.chain.detect.open().map(({ id }) => id));
    this.judges = [...(state?.judges ?? [])];
    this.ingest = createIngest({
      journal: parts.journal,
      ...(state === undefined ? {} : { state: state.hosts }),
    });
    this.from = state === undefined ? 0 : (snapshot?.position ?? 0);
    this.#position = this.from;
  }

  /** The handler for `journal.consume`. */
  async follow(record: JournalRecord): Promise<void> {
    this.#position = record.position;
    switch (record.kind) {
      case "frame":
        return this.#frame(record);
      case "tick":
        await this.#tick(record);
        return undefined;
      case "presence":
        return this.#presence(record);
      case "command":
        return this.#command(record);
      case "change":
        return this.#change(record);
    }
  }

  /** Resolves with what became of the command of this key once its record was followed. Call before appending it. */
  answer(key: string): Promise<CommandResult> {
    return new Promise((resolve) => this.#answers.set(key, resolve));
  }

  /** The same for changes. */
  taken(key: string): Promise<ChangesTaken> {
    return new Promise((resolve) => this.#changeAnswers.set(key, resolve));
  }

  /** Nobody waits for the command, or the changes, of this key any more. */
  forget(key: string): void {
    this.#answers.delete(key);
    this.#changeAnswers.delete(key);
  }

  saveSnapshot(): void {
    const blob = packSnapshot(snapshotSchema, snapshotVersion, {
      meta: { hosts: this.ingest.snapshot(), judges: this.judges } satisfies FollowMeta,
      columns: new Map([["chain", this.chain.snapshot()]]),
    });
    this.#parts.store.saveSnapshot(snapshotName, { position: this.#position, blob });
    this.#snapshotMs = this.chain.nowMs();
  }

  async #frame(record: JournalRecord): Promise<void> {
    const { clock, log, metrics, tracer } = this.#parts;
    const taken = this.ingest.take(record);
    if (taken === null) {
      log.warn("frame skipped: the key frame of its segment is no longer in the journal", {
        agent: record.stream,
      });
      return;
    }
    const { host, fresh, batches } = taken;
    const trace = tracer.batch({ host, samples: record.samples });
    for (const { number, series } of fresh) this.chain.apply({ kind: "define", host, number, series });
    if (taken.resource !== null) {
      const addresses = labelValue(taken.resource, "host.ip")?.split(",") ?? [];
      const zone = labelValue(taken.resource, "cloud.availability_zone");
      this.chain.apply({ kind: "addresses", host, addresses, zone });
      const runsOn = labelValue(taken.resource, "host.name") ?? host;
      const beside = labelValue(taken.resource, besideLabel) ?? host;
      const service = labelValue(taken.resource, "service.name") ?? "";
      if (runsOn !== host) this.chain.topology.runsOn(host, runsOn, service);
      else if (beside !== host) this.chain.topology.declare(host, beside);
    }
    const incidents = trace.stage("judge", () => this.#judge(batches));
    incidents.push(...(await this.#look()));
    metrics.detectSamples.inc(record.samples);
    if (record.decoded !== null && batches.length > 0) {
      this.lagMs = Math.max(0, clock.nowMs() - record.lastMs);
      metrics.detectLag.set(this.lagMs / 1000);
    }
    const losses: Loss[] = taken.losses.map((loss) => ({ ...loss, host }));
    await trace.stage("commit", () => this.#commit({ position: record.position, incidents, losses }));
    trace.end();
  }

  #judge(batches: readonly SampleBatch[]): Incident[] {
    const incidents: Incident[] = [];
    for (const batch of batches) {
      const result = this.chain.apply({ kind: "batch", batch });
      this.#countBegun(result.anomalies);
      incidents.push(...result.incidents);
    }
    return incidents;
  }

  /** An anomaly is told again when it grows, and once more when it ends: it began when its id was told first. */
  #countBegun(anomalies: readonly Anomaly[]): void {
    for (const { id, ended, detector } of anomalies) {
      const known = this.#open.has(id);
      if (ended) this.#open.delete(id);
      else this.#open.add(id);
      if (!known && !ended) this.#parts.metrics.detectAnomalies.inc({ detector });
    }
  }

  async #tick(record: JournalRecord): Promise<void> {
    const incidents = this.#judge(this.ingest.due(record.firstMs));
    const told = this.chain.apply({ kind: "tick", nowMs: record.firstMs });
    const { incidents: more, departures } = told;
    this.#countBegun(told.anomalies);
    incidents.push(...more, ...(await this.#look()));
    for (const departure of departures) this.#forget(departure);
    await this.#commit({ position: record.position, incidents, losses: [] });
    if (this.chain.nowMs() - this.#snapshotMs >= snapshotEveryMs) this.#trySnapshot();
  }

  /** Gives the chain the past that it wants, as the journal has it up to this record. */
  async #look(): Promise<Incident[]> {
    const { journal } = this.#parts;
    const incidents: Incident[] = [];
    for (const { id, hosts, fromMs, toMs } of this.chain.wanted()) {
      const histories: HostHistory[] = [];
      for (const host of hosts) {
        const stream = this.ingest.hosts.agentOf(host);
        if (stream === undefined) continue;
        const range = { host, stream, fromMs, toMs, position: this.#position };
        histories.push(await readHistory(journal, range, () => true));
      }
      incidents.push(...this.chain.apply({ kind: "history", id, histories }).incidents);
    }
    return incidents;
  }

  #forget({ host, what }: Departure): void {
    const { hosts } = this.ingest;
    if (what === "gone") {
      this.clockErrors.delete(hosts.agentOf(host) ?? "");
      this.ingest.retire(host);
      this.#parts.log.info("host is gone; what was learned of it is forgotten", { host });
    } else {
      hosts.forget(host);
    }
  }

  #presence(record: JournalRecord): void {
    const presence = parsePresence(record.bytes);
    switch (presence.t) {
      case "started":
        this.chain.apply({ kind: "started", nowMs: presence.atMs });
        this.#judgedBy(presence.policy ?? "", presence.version, presence.atMs);
        return;
      case "connected":
        if (presence.corrected) this.clockErrors.set(presence.agent, presence.clockErrorMs);
        else this.clockErrors.delete(presence.agent);
        return;
      case "closed": {
        const host = this.ingest.hosts.hostOf(presence.agent);
        const end = silenceCause(presence.how);
        if (host !== undefined && end !== null)
          this.chain.apply({ kind: "left", host, end, nowMs: presence.atMs });
      }
    }
  }

  #judgedBy(policy: string, version: string, sinceMs: number): void {
    const last = this.judges.at(-1);
    if (last?.policy === policy && last.version === version) return;
    this.judges.push({ policy, version, sinceMs });
    if (this.judges.length > limits.judgesKeptMax) this.judges.shift();
  }

  async #command(record: JournalRecord): Promise<void> {
    const command = JSON.parse(new TextDecoder().decode(record.bytes)) as JournaledCommand;
    const { atMs } = command;
    const asked = incidentCommand(command);
    // Judged again here: what the client saw may have changed while the command was on its way through the journal.
    const before = this.chain.incident(command.id);
    const recalled = "recalled" in asked ? asked.recalled : undefined;
    const refusal = refusalOf(command, before ?? recalled);
    const changed =
      refusal === null ? this.chain.apply({ kind: "command", command: asked, nowMs: atMs }) : null;
    const result: CommandResult = refusal ?? { outcome: "done", incident: changed!.incidents[0]! };
    const stored = { key: command.key, request: spelled(command), answer: JSON.stringify(result), atMs };
    await this.#commit({
      position: record.position,
      incidents: changed?.incidents ?? [],
      losses: [],
      commands: [stored],
    });
    this.#answers.get(command.key)?.(result);
  }

  /** What follows from a change is told with the next tick. */
  #change(record: JournalRecord): void {
    const { key, atMs, changes } = JSON.parse(new TextDecoder().decode(record.bytes)) as JournaledChanges;
    const { changes: fresh } = this.chain.apply({ kind: "changes", changes, nowMs: atMs });
    this.#parts.metrics.changes.inc(fresh.length);
    const known = changes.map((change) => this.chain.changes.known(change.id) ?? change);
    this.#changeAnswers.get(key)?.({ added: fresh.length, changes: known });
  }

  /** Commits and pushes; a store that is full is tried again until it takes it. */
  async #commit(commit: Commit): Promise<void> {
    const { clock, store, metrics, log, tell } = this.#parts;
    for (let attempt = 0; ; attempt += 1) {
      const startMs = clock.monotonicMs();
      try {
        const deltas = store.commit(commit);
        this.storeIsFull = false;
        if (deltas.length === 0) return;
        metrics.storeCommit.observe((clock.monotonicMs() - startMs) / 1000);
        this.#count(commit.incidents);
        tell(deltas);
        return;
      } catch (error) {
        if (!(error instanceof StorageError) || !error.retryable) throw error;
        metrics.storeFailures.inc();
        this.storeIsFull = true;
        if (attempt === 0) log.error("store is full; everything waits for it", { error: error.message });
        await sleep(clock, storeRetryMs);
      }
    }
  }

  #count(incidents: readonly Incident[]): void {
    const { metrics, log } = this.#parts;
    for (const incident of incidents) {
      const { id, revision, severity, detectedMs, startedMs, resolvedMs, updatedMs, causes } = incident;
      const cause = causes[0]?.entity ?? "not identified";
      if (revision === 1) {
        metrics.incidentsOpened.inc({ severity });
        log.info("incident opened", { incident: id, severity, cause, afterMs: detectedMs - startedMs });
      } else if (resolvedMs === updatedMs) {
        // Not what was told of it later, such as an operator's feedback.
        metrics.incidentsResolved.inc();
        log.info("incident ended", { incident: id, how: incident.state, severity, cause });
      }
    }
  }

  #trySnapshot(): void {
    try {
      this.saveSnapshot();
    } catch (error) {
      if (!(error instanceof StorageError)) throw error;
      this.#snapshotMs = this.chain.nowMs();
      this.#parts.log.warn("snapshot not saved; a restart will replay more", { error: error.message });
    }
  }
}

/** What was asked, so that a key that comes again can be told from a key that is used for something else. */
export function spelled(command: JournaledCommand): string {
  const { kind, id, by, comment = "" } = command;
  const own = kind === "feedback" ? [command.verdict] : kind === "cause" ? [command.entity] : [];
  return JSON.stringify([kind, id, by, comment, ...own]);
}

function incidentCommand(command: JournaledCommand): IncidentCommand {
  const { id: incident, by, comment = "" } = command;
  switch (command.kind) {
    case "feedback": {
      const { kind, verdict, recalled } = command;
      return { kind, incident, verdict, by, comment, recalled };
    }
    case "cause": {
      const { kind, entity, recalled } = command;
      return { kind, incident, entity, by, comment, recalled };
    }
    case "acknowledge":
    case "resolve":
      return { kind: command.kind, incident, by, comment };
  }
}

function refusalOf(command: JournaledCommand, incident: Incident | undefined): CommandResult | null {
  if (incident === undefined) return { outcome: "unknown_incident" };
  if (command.ifMatch !== null && command.ifMatch !== incident.revision)
    return { outcome: "changed", incident };
  if (command.kind === "feedback") {
    const nothing = command.verdict === "none" && incident.feedback === null;
    return nothing ? { outcome: "not_allowed", message: `${incident.id} has no feedback to withdraw` } : null;
  }
  if (command.kind === "cause") {
    const nothing = command.entity === null && (incident.confirmedCause ?? null) === null;
    return nothing
      ? { outcome: "not_allowed", message: `${incident.id} has no confirmed cause to withdraw` }
      : null;
  }
  if (isOver(incident))
    return { outcome: "not_allowed", message: `${incident.id} is ${incident.state} already` };
  return null;
}

/** Null: the connection's end says nothing about the agent, because it was we who ended it. */
function silenceCause(how: ConnectionEnd): SilenceCause | null {
  switch (how) {
    case "bye":
    case "closed":
    case "timeout":
      return how;
    case "refused":
    case "draining":
      return null;
  }
}

/** Undefined when the snapshot is of another version: then everything that the journal holds is replayed. */
function restored(
  blob: Uint8Array,
  policies: Pick<ChainParts, "policy" | "topology">,
  log: Log,
): (FollowMeta & { chain: Chain }) | undefined {
  try {
    const { meta, columns } = unpackSnapshot<FollowMeta>(snapshotSchema, snapshotVersion, blob);
    const chain = columns.get("chain");
    assert(chain instanceof Uint8Array, "a collector snapshot has a chain");
    return { ...meta, chain: createChain({ ...policies, snapshot: chain }) };
  } catch (error) {
    log.warn("snapshot cannot be used; replaying the whole journal", { error: errorText(error) });
    return undefined;
  }
}
