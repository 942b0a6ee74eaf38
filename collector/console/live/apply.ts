/**
 * What the console knows from the live protocol, and how each frame changes it. Pure: the socket is in `live.ts`.
 *
 * The exact channel `incidents` follows the rule of `shared/contract/live.ts`: a delta is applied only when its sequence is
 * the next one; an older one is a repetition and dropped; a later one, or a heartbeat that names a later one, is a gap, and
 * the phase says so until the channel was subscribed to again. Conflated channels are simply replaced.
 */
import type { Host } from "#shared/contract/api.ts";
import type { Incident } from "#shared/contract/incident.ts";
import type { Cursor, ServerFrame, SystemState } from "#shared/contract/live.ts";
import { limits } from "#shared/limits.ts";

/**
 * `waiting`: asked for, nothing yet. `replaying`: the deltas that were missed are arriving. `current`: nothing is missing.
 * `gap`: something is, and must be asked for with the cursor.
 */
export type Phase = "waiting" | "replaying" | "current" | "gap";

export interface LiveState {
  readonly incidents: ReadonlyMap<string, Incident>;
  /** Where the incidents are; null before the first snapshot. */
  readonly cursor: Cursor | null;
  readonly phase: Phase;
  readonly replayTo: number;
  /** A snapshot that has not arrived whole. */
  readonly pending: PendingSnapshot | null;
  /** Null until the first state arrived: "no hosts" and "not known" are different answers. */
  readonly hosts: readonly Host[] | null;
  readonly system: SystemState | null;
  readonly build: string | null;
  /** The collector's wall time in the last frame that carried it. */
  readonly serverNowMs: number | null;
}

interface PendingSnapshot {
  readonly epoch: string;
  readonly seq: number;
  readonly parts: ReadonlyMap<number, readonly Incident[]>;
}

export const emptyLiveState: LiveState = {
  incidents: new Map(),
  cursor: null,
  phase: "waiting",
  replayTo: 0,
  pending: null,
  hosts: null,
  system: null,
  build: null,
  serverNowMs: null,
};

/** The state after `frame`. Never throws; a frame that does not concern the state returns it unchanged. */
export function apply(state: LiveState, frame: ServerFrame): LiveState {
  switch (frame.t) {
    case "welcome":
      return { ...state, build: frame.build, serverNowMs: frame.nowMs };
    case "snap":
      return applySnapshot(state, frame);
    case "resumed":
      return applyResumed(state, frame);
    case "put":
      return applyPut(state, frame.seq, frame.item);
    case "state":
      return frame.ch === "hosts"
        ? { ...state, hosts: frame.body }
        : { ...state, system: frame.body, serverNowMs: frame.body.nowMs };
    case "hb":
      return applyHeartbeat(state, frame.nowMs, new Map(Object.entries(frame.seq)).get("incidents"));
    case "error":
    case "bye":
      return state;
  }
}

/** After the channel was asked for again: what arrives before the answer belongs to the old subscription. */
export function subscribed(state: LiveState): LiveState {
  return { ...state, phase: "waiting", pending: null };
}

/**
 * A delta that this console cannot read (it is older than the collector) still moves the sequence; otherwise every
 * resumption would end at the same frame again. The incident keeps its last readable form.
 */
export function skipUnreadable(state: LiveState, seq: number): LiveState {
  return inSequence(state, seq) ? advance(state, seq, state.incidents) : state;
}

type Frame<T extends ServerFrame["t"]> = Extract<ServerFrame, { t: T }>;

function applySnapshot(state: LiveState, frame: Frame<"snap">): LiveState {
  const same = state.pending?.epoch === frame.epoch && state.pending.seq === frame.seq;
  const parts = new Map(same ? state.pending?.parts : []);
  parts.set(frame.part, frame.items);
  if (parts.size < frame.of) return { ...state, pending: { epoch: frame.epoch, seq: frame.seq, parts } };
  const items = [...parts.values()].flat();
  return {
    ...state,
    incidents: new Map(items.map((incident) => [incident.id, incident])),
    cursor: { epoch: frame.epoch, seq: frame.seq },
    phase: "current",
    pending: null,
  };
}

function applyResumed(state: LiveState, frame: Frame<"resumed">): LiveState {
  // An answer to another cursor than ours: forget ours, so that the next subscription brings a snapshot.
  if (state.cursor?.epoch !== frame.epoch || state.cursor.seq !== frame.from) {
    return { ...state, cursor: null, phase: "gap" };
  }
  return { ...state, phase: frame.to > frame.from ? "replaying" : "current", replayTo: frame.to };
}

function applyPut(state: LiveState, seq: number, item: Incident): LiveState {
  if (state.cursor === null || (state.phase !== "current" && state.phase !== "replaying")) return state;
  if (seq <= state.cursor.seq) return state;
  if (!inSequence(state, seq)) return { ...state, phase: "gap" };
  const incidents = new Map(state.incidents);
  incidents.set(item.id, item);
  return advance(state, seq, bounded(incidents));
}

function applyHeartbeat(state: LiveState, nowMs: number, seq: number | undefined): LiveState {
  const heard = { ...state, serverNowMs: nowMs };
  const missed = seq !== undefined && state.cursor !== null && seq > state.cursor.seq;
  return missed && state.phase === "current" ? { ...heard, phase: "gap" } : heard;
}

function inSequence(state: LiveState, seq: number): boolean {
  const listening = state.phase === "current" || state.phase === "replaying";
  return listening && state.cursor !== null && seq === state.cursor.seq + 1;
}

function advance(state: LiveState, seq: number, incidents: LiveState["incidents"]): LiveState {
  if (state.cursor === null) return state;
  const phase = state.phase === "replaying" && seq >= state.replayTo ? "current" : state.phase;
  return { ...state, incidents, cursor: { epoch: state.cursor.epoch, seq }, phase };
}

/** A page that stays open for months keeps every open incident and the newest of the resolved ones. */
function bounded(incidents: Map<string, Incident>): ReadonlyMap<string, Incident> {
  if (incidents.size <= limits.incidentsListedMax) return incidents;
  const oldest = [...incidents.values()]
    .filter((incident) => incident.resolvedMs !== null)
    .sort((a, b) => (a.resolvedMs ?? 0) - (b.resolvedMs ?? 0))
    .slice(0, incidents.size - limits.incidentsListedMax);
  for (const incident of oldest) incidents.delete(incident.id);
  return incidents;
}
