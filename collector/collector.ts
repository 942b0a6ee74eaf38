/**
 * The whole collector on one screen: read this first.
 *
 * Agents' frames are admitted, appended to the journal and acknowledged; what the journal holds is followed record by record
 * (`follow.ts`): judged, correlated, told. The chain that judges is pure (`chain.ts`); everything that touches the world is
 * put together here.
 */
import { type Clock, every, type Timer } from "#shared/clock.ts";
import { severities } from "#shared/contract/incident.ts";
import { livePath } from "#shared/contract/live.ts";
import { limits } from "#shared/limits.ts";
import type { Log } from "#shared/log.ts";
import { agentPath } from "#shared/wire/wire.ts";
import { Commands } from "./commands.ts";
import type { DetectPolicy } from "./detect/detect.ts";
import { Follower } from "./follow.ts";
import { createAgentSocket, createOtlpHttp, otlpPaths, type ReturnCodes } from "./ingest/ingest.ts";
import { jsonEntry, type Journal } from "./journal/journal.ts";
import type { ConsoleFiles } from "./push/console-files.ts";
import type { Doors } from "./push/guard.ts";
import { createHttp } from "./push/http.ts";
import { createPush } from "./push/push.ts";
import { ingestCounters } from "./self/ingest-counters.ts";
import type { Metrics } from "./self/metrics.ts";
import type { Tracer } from "./self/tracer.ts";
import type { Store } from "./store/store.ts";
import type { TopologyPolicy } from "./topology/topology.ts";
import { createView, type SystemNow } from "./view.ts";

/** The journal's own time: silence is judged, and incidents resolve, at this grain. */
const tickMs = 2_000;
const stateMs = 1_000;

export interface CollectorParts {
  readonly clock: Clock;
  readonly log: Log;
  readonly journal: Journal;
  readonly store: Store;
  readonly metrics: Metrics;
  readonly tracer: Tracer;
  readonly console: ConsoleFiles;
  readonly doors: Doors;
  readonly version: string;
  /** What spans say in a bank's own codes. */
  readonly returnCodes: ReturnCodes;
  readonly policy: DetectPolicy;
  readonly topology: TopologyPolicy;
  /** Names the policy in the journal. */
  readonly policyHash: string;
  /** Uniform in [0, 1). */
  readonly random: () => number;
}

export interface Collector {
  /** Resolves with the address that it listens at. Throws `ConfigError` when it cannot be had. */
  start(host: string, port: number): Promise<{ host: string; port: number }>;
  /** A second listener, for OTLP alone: its exporters look for it on port 4318. */
  listenOtlp(host: string, port: number): Promise<{ host: string; port: number }>;
  /** Rejects when following the journal failed: the process must end, and replay when it starts again. */
  readonly failed: Promise<never>;
  stop(): Promise<void>;
}

export function createCollector(parts: CollectorParts): Collector {
  const { clock, log, journal, store, metrics, tracer, version, random } = parts;
  const push = createPush({ clock, source: store, limits, log, metrics, build: version, random });
  const follower = new Follower({
    clock,
    journal,
    store,
    metrics,
    tracer,
    log,
    tell: (deltas) => push.send(deltas),
    policy: parts.policy,
    topology: parts.topology,
  });
  const view = createView({ follower, journal, store });
  const counters = ingestCounters(metrics);
  const agents = createAgentSocket({ clock, journal, log, counters });
  const otlp = createOtlpHttp({ clock, journal, log, counters, codes: parts.returnCodes });
  const timers: Timer[] = [];
  const failed = Promise.withResolvers<never>();
  let replaying = true;

  const ready = (): string[] => {
    const { state } = journal.stats();
    return [
      ...(replaying ? ["replaying the journal after a start"] : []),
      ...(follower.storeIsFull ? ["the store takes nothing: the disk is full"] : []),
      ...(state === "ok"
        ? []
        : [`the journal takes no entries: ${state === "full" ? "the disk is full" : "it has failed"}`]),
    ];
  };
  const systemNow = (): SystemNow => ({
    nowMs: clock.nowMs(),
    version,
    samplesPerSecond: counters.samplesPerSecond(clock.monotonicMs()),
    detectionLagMs: follower.lagMs,
  });
  const commands = new Commands({ clock, journal, store, follower, ready });
  const http = createHttp({
    clock,
    api: {
      ...view,
      incidents: (filter) => store.incidents(filter),
      incident: (id) => store.incident(id),
      command: (asked) => commands.take(asked),
      takeChanges: (changes) => commands.takeChanges(changes),
      nowMs: () => clock.nowMs(),
      system: () => view.report(systemNow()),
      ready,
    },
    console: parts.console,
    upgrades: new Map([
      [livePath, push.upgrade.bind(push)],
      [agentPath, agents.handleUpgrade.bind(agents)],
    ]),
    posts: new Map([...otlpPaths.keys()].map((path) => [path, (request) => otlp.answer(path, request)])),
    doors: parts.doors,
    limits,
    log,
    metrics,
  });

  function showState(): void {
    const system = view.system(systemNow());
    push.setState("hosts", view.hosts());
    push.setState("system", system);
    for (const warmup of ["collecting", "provisional", "ready"] as const) {
      metrics.detectSeries.set({ warmup }, system.warmup[warmup]);
    }
    const open = follower.chain.openIncidents();
    for (const severity of severities) {
      metrics.incidentsOpen.set(
        { severity },
        open.filter((incident) => incident.severity === severity).length,
      );
    }
    const { state, sizeBytes, lastPosition } = journal.stats();
    metrics.journalSize.set(sizeBytes);
    metrics.journalPosition.set(lastPosition);
    metrics.journalFull.set(state === "full" ? 1 : 0);
  }

  function tick(): void {
    const nowMs = clock.nowMs();
    const { state } = journal.stats();
    if (state === "failed") failed.reject(new Error("the journal failed; the next start checks it"));
    // A journal that takes no entries waits with this one; another tick behind it would say nothing more.
    if (state === "ok") void journal.append(jsonEntry("tick", "", nowMs, {})).catch(() => {});
  }

  async function caughtUp(signal: Promise<void>): Promise<void> {
    await signal;
    replaying = false;
    otlp.resume(follower.ingest.hosts.facts().map(({ resource }) => resource));
    log.info("collector caught up with its journal", { position: journal.stats().lastPosition });
  }

  let consumption: ReturnType<Journal["consume"]> | undefined;
  return {
    failed: failed.promise,
    async start(host, port) {
      const address = await http.listen(host, port);
      const started = { t: "started", atMs: clock.nowMs(), version, policy: parts.policyHash };
      await journal.append(jsonEntry("presence", "", clock.nowMs(), started));
      consumption = journal.consume(follower.from, (record) => follower.follow(record));
      consumption.done.catch((error: unknown) => failed.reject(error));
      void caughtUp(consumption.caughtUp);
      timers.push(every(clock, tickMs, tick), every(clock, stateMs, showState));
      return address;
    },
    listenOtlp: (host, port) => http.listen(host, port, { served: "posts", key: "otlp.listen" }),
    async stop() {
      for (const timer of timers) timer.cancel();
      await agents.close();
      otlp.close();
      await push.close();
      await http.close();
      consumption?.stop();
      await consumption?.done.catch(() => {});
      if (!replaying) follower.saveSnapshot();
      await journal.close();
      await tracer.close();
      store.close();
    },
  };
}
