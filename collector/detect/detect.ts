/**
 * Detection: samples in, anomalies out; pure, strictly online, constant work and memory per sample.
 *
 * Everything is kept per host, so hosts can be moved between processes; `README.md` gives the method, its sources and what it
 * measured. The same ticks of a host give the same anomalies, whatever the other hosts do and however ticks are batched.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import type { SampleBatch } from "#shared/batch.ts";
import type { Series } from "#shared/series.ts";
import { type Column, packSnapshot, unpackSnapshot } from "#shared/snapshot.ts";
import { Absence, type AbsenceMeta, type ConnectionEnd } from "./absence.ts";
import { HostDetector, type HostMeta, type HostProgress } from "./host-detector.ts";

const snapshotSchema = "causeway.detect";
const snapshotVersion = 1;

export interface Detect {
  /** `number` of `host` is `series` from now on; what was learned under that number is forgotten. */
  define(host: string, number: number, series: Series): void;
  /** Anomalies that began, grew or ended with this tick. */
  judge(batch: SampleBatch): Anomaly[];
  /** The collector started, or a connection of a host ended, at a time on the journal's line. */
  started(nowMs: number): void;
  left(host: string, end: ConnectionEnd): void;
  /** The journal's time moved on: hosts that are silent now. */
  tick(nowMs: number): Anomaly[];
  state(host: string): "up" | "silent" | "stopped";
  progress(host: string): HostProgress;
  /** Every anomaly that is open, as last told or seen. */
  open(): Anomaly[];
  lateTicks(): number;
  snapshot(): Uint8Array;
}

interface DetectMeta {
  readonly hosts: readonly HostMeta[];
  readonly absence: AbsenceMeta;
}

/** `snapshot`: bytes of an earlier `snapshot()`; throws when they are of another version. */
export function createDetect(snapshot?: Uint8Array): Detect {
  const hosts = new Map<string, HostDetector>();
  let absence = new Absence();
  if (snapshot !== undefined) absence = restore(snapshot, hosts);

  const hostOf = (host: string): HostDetector => {
    const known = hosts.get(host);
    if (known !== undefined) return known;
    const fresh = new HostDetector(host);
    hosts.set(host, fresh);
    return fresh;
  };

  return {
    define: (host, number, series) => hostOf(host).define(number, series),
    judge(batch) {
      const heard = absence.heard(batch.host, batch.timeMs, batch.intervalMs);
      const found = hostOf(batch.host).judge(batch);
      return heard.length === 0 ? found : [...heard, ...found];
    },
    started: (nowMs) => absence.started(nowMs),
    left: (host, end) => absence.left(host, end),
    tick: (nowMs) => absence.tick(nowMs),
    state: (host) => absence.state(host),
    progress: (host) => hostOf(host).progress(),
    open: () => [...absence.open(), ...[...hosts.values()].flatMap((host) => host.open())],
    lateTicks: () => [...hosts.values()].reduce((sum, host) => sum + host.lateTicks, 0),
    snapshot() {
      const columns = new Map<string, Column>();
      const metas: HostMeta[] = [];
      for (const host of hosts.values()) {
        columns.set(`rows/${metas.length}`, host.table.rows);
        columns.set(`flags/${metas.length}`, host.table.flags);
        metas.push(host.meta());
      }
      return packSnapshot(snapshotSchema, snapshotVersion, {
        meta: { hosts: metas, absence: absence.meta() },
        columns,
      });
    },
  };
}

function restore(bytes: Uint8Array, hosts: Map<string, HostDetector>): Absence {
  const { meta, columns } = unpackSnapshot<DetectMeta>(snapshotSchema, snapshotVersion, bytes);
  for (const [index, host] of meta.hosts.entries()) {
    const rows = columns.get(`rows/${index}`) as Float64Array;
    const flags = columns.get(`flags/${index}`) as Uint8Array;
    hosts.set(host.host, HostDetector.restore(host, rows, flags));
  }
  return Absence.restore(meta.absence);
}
