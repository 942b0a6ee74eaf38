/**
 * The console's one connection to the collector: says hello, subscribes, feeds frames to `apply`, and comes back by itself.
 *
 * A browser does not see WebSocket pings, so silence is judged by the protocol's own heartbeat: nothing heard for `staleMs`
 * and the socket is given up for a new one. Waits are full jitter (`shared/backoff.ts`), from 0.5 s to 15 s, so that the
 * consoles of a whole operations room do not return in the same second.
 */
import { Backoff } from "#shared/backoff.ts";
import type { Clock, Timer } from "#shared/clock.ts";
import { type ClientFrame, channels, serverFrameSchema, staleMs } from "#shared/contract/live.ts";
import { apply, emptyLiveState, type LiveState, skipUnreadable, subscribed } from "./apply.ts";

/** What of a WebSocket is used, so that a test can hold the other end. */
export interface LiveSocket {
  send(text: string): void;
  close(): void;
}

export interface SocketEvents {
  opened(): void;
  message(text: string): void;
  closed(code: number): void;
}

export interface LiveParts {
  readonly clock: Clock;
  /** Uniform in [0, 1). */
  readonly random: () => number;
  /** Opens a socket; its events come later, never during the call. */
  readonly connect: (events: SocketEvents) => LiveSocket;
  /** Called after every frame, whether it changed the state or not: hearing is news too. */
  readonly heard: (state: LiveState) => void;
  readonly connectionChanged: (connected: boolean) => void;
  /** A frame that this console cannot read; it is skipped. */
  readonly unreadable: (problem: string) => void;
}

export interface Live {
  /** Reconnects now instead of at the end of the wait: the network is back, or someone looks at the page again. */
  nudge(): void;
  close(): void;
}

export function createLive(parts: LiveParts): Live {
  const { clock, random } = parts;
  const backoff = new Backoff({ baseMs: 500, capMs: 15_000, random });
  let state = emptyLiveState;
  let socket: LiveSocket | null = null;
  let retry: Timer | null = null;
  let watchdog: Timer | null = null;
  let byeWaitMs: number | null = null;
  let closed = false;

  function open(): void {
    retry?.cancel();
    retry = null;
    // Events of a socket that was given up must not reach its successor's state.
    const mine: LiveSocket = parts.connect({
      opened: () => mine === socket && send({ t: "hello", v: 1, client: "console" }),
      message: (text) => mine === socket && receive(text),
      closed: () => mine === socket && lost(),
    });
    socket = mine;
    watch();
  }

  function send(frame: ClientFrame): void {
    socket?.send(JSON.stringify(frame));
  }

  function receive(text: string): void {
    watch();
    const frame = serverFrameSchema.safeParse(parseJson(text));
    if (!frame.success) {
      parts.unreadable(frame.error.message);
      state = skipUnreadable(state, sequenceOf(text));
      return parts.heard(state);
    }
    state = apply(state, frame.data);
    if (frame.data.t === "welcome") subscribeAll();
    if (frame.data.t === "bye") byeWaitMs = frame.data.reconnectInMs;
    if (state.phase === "current") backoff.reset();
    if (state.phase === "gap") resubscribe();
    parts.heard(state);
  }

  function subscribeAll(): void {
    for (const ch of channels) send(ch === "incidents" ? incidentsFrame() : { t: "sub", ch });
    parts.connectionChanged(true);
  }

  /** Unsubscribes first: a second subscription to the same channel is an error of the protocol (4409). */
  function resubscribe(): void {
    state = subscribed(state);
    send({ t: "unsub", ch: "incidents" });
    send(incidentsFrame());
  }

  function incidentsFrame(): ClientFrame {
    return { t: "sub", ch: "incidents", ...(state.cursor === null ? {} : { resume: state.cursor }) };
  }

  function watch(): void {
    watchdog?.cancel();
    watchdog = clock.after(staleMs, () => {
      const silent = socket;
      lost();
      silent?.close();
    });
  }

  function lost(): void {
    watchdog?.cancel();
    socket = null;
    // What a new socket brings before the channels are asked for again says nothing of what was missed.
    state = subscribed(state);
    parts.connectionChanged(false);
    if (closed) return;
    // A draining collector spreads its readers itself; ours is only the jitter on top.
    const waitMs = byeWaitMs === null ? backoff.nextMs() : byeWaitMs * (0.5 + random());
    byeWaitMs = null;
    retry = clock.after(waitMs, open);
  }

  open();
  return {
    nudge() {
      if (retry !== null && !closed) open();
    },
    close() {
      closed = true;
      retry?.cancel();
      const last = socket;
      lost();
      last?.close();
    },
  };
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The sequence of a delta whose item could not be read; NaN for anything else. */
function sequenceOf(text: string): number {
  const frame = parseJson(text);
  if (typeof frame !== "object" || frame === null || !("t" in frame) || !("seq" in frame)) return Number.NaN;
  return frame.t === "put" && typeof frame.seq === "number" ? frame.seq : Number.NaN;
}
