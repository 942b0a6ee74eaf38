/**
 * The page's state as signals: what the collector said, when it was last heard, what time it is, which screen is open.
 * Everything else is computed from these.
 */
import { every } from "#shared/clock.ts";
import { type Incident, isOver } from "#shared/contract/incident.ts";
import { livePath, liveSubprotocol } from "#shared/contract/live.ts";
import { type Absence, absence } from "../live/absence.ts";
import { emptyLiveState, type LiveState } from "../live/apply.ts";
import { createLive, type Live, type LiveSocket, type SocketEvents } from "../live/live.ts";
import { freshness } from "../view/freshness.ts";
import { arrange, countBySeverity } from "../view/incident-list.ts";
import { fetchIncidents } from "./api.ts";
import { browserClock } from "./browser-clock.ts";
import { batch, computed, signal } from "./signals.ts";

const beganMs = browserClock.monotonicMs();

const live = signal<LiveState>(emptyLiveState);
/** Monotonic; null before the first frame. */
const heardMs = signal<number | null>(null);
const heardWallMs = signal<number | null>(null);
/** The collector's wall clock minus this browser's. */
const serverOffsetMs = signal(0);
const tick = signal({ wallMs: browserClock.nowMs(), monotonicMs: beganMs });
/** Resolved incidents from before the live channel's memory. */
const archive = signal<ReadonlyMap<string, Incident>>(new Map());
/** Answers to this page's own commands, shown until the delta with the same or a newer revision has come. */
const answers = signal<ReadonlyMap<string, Incident>>(new Map());

export const archiveLoaded = signal(false);
export const connected = signal(false);
export const missed = signal<Absence | null>(null);
export const unreadableFrames = signal(0);
/** The collector's build when the page was loaded; another one later means that the page is old. */
const firstBuild = signal<string | null>(null);
export const selectedId = signal<string | null>(null);

/** Now on the collector's time line, to the second. */
export const nowMs = computed(() => tick.value.wallMs + serverOffsetMs.value);
export const lastHeardMs = computed(() =>
  heardWallMs.value === null ? null : heardWallMs.value + serverOffsetMs.value,
);
export const fresh = computed(() => freshness(heardMs.value, beganMs, tick.value.monotonicMs));
export const outdated = computed(
  () => live.value.build !== null && firstBuild.value !== null && live.value.build !== firstBuild.value,
);

// Each frame is a new state. What is drawn depends on its parts, so that only what a frame speaks of is worked out and drawn anew.
export const toldHosts = computed(() => live.value.hosts);
export const toldSystem = computed(() => live.value.system);
const liveIncidents = computed(() => live.value.incidents);

export const incidents = computed<ReadonlyMap<string, Incident>>(() => {
  const all = new Map([...archive.value, ...liveIncidents.value]);
  for (const [id, answer] of answers.value) {
    if (answer.revision > (all.get(id)?.revision ?? -1)) all.set(id, answer);
  }
  return all;
});
export const arranged = computed(() => arrange(incidents.value.values()));
export const counts = computed(() => countBySeverity(arranged.value.open));
/** False until the first snapshot: an empty list means nothing before it. */
export const known = computed(() => live.value.cursor !== null);

/** Starts the connection and the page's clock; called once. */
export function startStore(): Live {
  every(browserClock, 1000, () => updateTick());
  void loadArchive();
  return createLive({
    clock: browserClock,
    random: Math.random,
    connect: openSocket,
    heard: hear,
    connectionChanged: changeConnection,
    unreadable: () => (unreadableFrames.value += 1),
  });
}

/** Fetches the resolved incidents that the live channel no longer carries. A failure leaves them out; nothing depends on it. */
export async function loadArchive(): Promise<void> {
  try {
    const fetched = await fetchIncidents();
    const resolved = fetched.filter(isOver);
    archive.value = new Map(resolved.map((incident) => [incident.id, incident]));
  } catch {
    // The live channel says what is wrong now; the past can wait for the next load of the page.
  } finally {
    archiveLoaded.value = true;
  }
}

export function acceptAnswer(incident: Incident): void {
  answers.value = new Map([...answers.value, [incident.id, incident]]);
}

function updateTick(): void {
  tick.value = { wallMs: browserClock.nowMs(), monotonicMs: browserClock.monotonicMs() };
}

let before: { incidents: LiveState["incidents"]; atMs: number } | null = null;

function hear(state: LiveState): void {
  batch(() => {
    updateTick();
    heardMs.value = tick.value.monotonicMs;
    heardWallMs.value = tick.value.wallMs;
    if (state.serverNowMs !== null && state.serverNowMs !== live.value.serverNowMs) {
      serverOffsetMs.value = state.serverNowMs - tick.value.wallMs;
    }
    firstBuild.value ??= state.build;
    live.value = state;
    if (before !== null && state.phase === "current") {
      missed.value = absence(before.incidents, state.incidents, before.atMs, nowMs.value) ?? missed.value;
      before = null;
    }
  });
}

function changeConnection(now: boolean): void {
  connected.value = now;
  // Only a cut that lasts is worth a line; what `before` holds is compared when the channel is whole again.
  if (!now && known.value)
    before ??= { incidents: live.value.incidents, atMs: lastHeardMs.value ?? nowMs.value };
}

function openSocket(events: SocketEvents): LiveSocket {
  const scheme = location.protocol === "https:" ? "wss:" : "ws:";
  const socket = new WebSocket(`${scheme}//${location.host}${livePath}`, liveSubprotocol);
  socket.addEventListener("open", () => events.opened());
  socket.addEventListener("message", (event) => events.message(String(event.data)));
  socket.addEventListener("close", (event) => events.closed(event.code));
  return {
    send: (text) => socket.readyState === WebSocket.OPEN && socket.send(text),
    close: () => socket.close(),
  };
}
