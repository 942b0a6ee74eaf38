/**
 * One reader of the live protocol: what it asked for, and what it is still owed.
 *
 * Frames leave in the order in which they were given, and never more of them than the socket takes: at most
 * `limits.liveSlowBytes` (and one frame) lie in the socket, the rest waits here as references to shared Buffers. So a large
 * snapshot reaches a slow line piece by piece, and a thousand readers of one snapshot hold one copy of it.
 */
import type { Channel } from "#shared/contract/live.ts";
import type { Limits } from "#shared/limits.ts";

/** What this file needs of a `ws` socket. */
export interface LiveSocket {
  readonly bufferedAmount: number;
  send(data: Buffer, options: { binary: false }, done: () => void): void;
  ping(): void;
  close(code: number, reason: string): void;
  terminate(): void;
}

/** A piece of the past, read when its turn comes; undefined when it is no longer there. */
export type Replay = () => readonly Buffer[] | undefined;

interface Owed {
  readonly channel: Channel | undefined;
  readonly frame: Buffer | Replay;
  /** Only what is new counts against a slow reader; what it missed before takes the time that its line needs. */
  readonly isNew: boolean;
}

export class LiveClient {
  readonly socket: LiveSocket;
  readonly subscribed = new Set<Channel>();
  greeted = false;
  /** Monotonic time of the last sign of life. */
  heardMs: number;
  /** Deltas up to this sequence were part of what the subscription began with. */
  startSeq = 0;
  /** Number of the last state sent, by conflated channel. */
  readonly stateSent = new Map<Channel, number>();
  readonly #limits: Limits;
  readonly #lost: () => void;
  #owed: Owed[] = [];
  #newBytes = 0;
  #tooSlowSinceMs: number | undefined;
  #minuteStartMs: number;
  #framesInMinute = 0;
  #closing = false;

  /** `lost` is called once if a replay is no longer there when its turn comes. */
  constructor(socket: LiveSocket, options: { limits: Limits; nowMs: number; lost: () => void }) {
    this.socket = socket;
    this.#limits = options.limits;
    this.#lost = options.lost;
    this.heardMs = options.nowMs;
    this.#minuteStartMs = options.nowMs;
  }

  get closing(): boolean {
    return this.#closing;
  }

  /** True while states of conflated channels should be skipped. */
  get slow(): boolean {
    return this.#owed.length > 0 || this.socket.bufferedAmount > this.#limits.liveSlowBytes;
  }

  /** Counts a frame that the reader said; false when it says too many. */
  mayAsk(nowMs: number): boolean {
    if (nowMs - this.#minuteStartMs >= 60_000) {
      this.#minuteStartMs = nowMs;
      this.#framesInMinute = 0;
    }
    this.#framesInMinute += 1;
    return this.#framesInMinute <= this.#limits.liveClientFramesPerMinuteMax;
  }

  /** True when more than `liveTooSlowBytes` of new frames have been owed for longer than `liveTooSlowMs`. */
  tooSlow(nowMs: number): boolean {
    const owedBytes = this.#newBytes + this.socket.bufferedAmount;
    if (owedBytes <= this.#limits.liveTooSlowBytes) {
      this.#tooSlowSinceMs = undefined;
      return false;
    }
    this.#tooSlowSinceMs ??= nowMs;
    return nowMs - this.#tooSlowSinceMs >= this.#limits.liveTooSlowMs;
  }

  /** Sends after everything that is owed. `channel` is undefined for frames that belong to none. */
  send(channel: Channel | undefined, frame: Buffer): void {
    if (this.#closing) return;
    this.#owed.push({ channel, frame, isNew: true });
    this.#newBytes += frame.length;
    this.pump();
  }

  /** Like `send`, for what a subscription begins with. */
  sendPast(channel: Channel, frames: readonly (Buffer | Replay)[]): void {
    if (this.#closing) return;
    for (const frame of frames) this.#owed.push({ channel, frame, isNew: false });
    this.pump();
  }

  unsubscribe(channel: Channel): void {
    this.subscribed.delete(channel);
    this.#owed = this.#owed.filter((owed) => owed.channel !== channel);
    this.#newBytes = 0;
    for (const { frame, isNew } of this.#owed) if (isNew) this.#newBytes += frame.length;
  }

  /** Hands to the socket what it takes now; called again whenever the socket has passed something on. */
  pump(): void {
    let taken = 0;
    while (taken < this.#owed.length && this.socket.bufferedAmount < this.#limits.liveSlowBytes) {
      const owed = this.#owed[taken];
      if (owed === undefined || this.#closing) break;
      taken += 1;
      if (typeof owed.frame !== "function") {
        if (owed.isNew) this.#newBytes -= owed.frame.length;
        this.#write(owed.frame);
        continue;
      }
      const frames = owed.frame();
      if (frames === undefined) {
        this.#lost();
        return;
      }
      const { channel } = owed;
      this.#owed.splice(0, taken, ...frames.map((frame) => ({ channel, frame, isNew: false })));
      taken = 0;
    }
    if (taken > 0 && !this.#closing) this.#owed.splice(0, taken);
  }

  /** Says `last`, if any, and closes; nothing that is owed is sent any more. The reader resumes elsewhere or later. */
  close(code: number, reason: string, last?: Buffer): void {
    if (this.#closing) return;
    this.#closing = true;
    this.#owed = [];
    if (last !== undefined) this.#write(last);
    this.socket.close(code, reason);
  }

  #write(frame: Buffer): void {
    this.socket.send(frame, { binary: false }, () => this.pump());
  }
}
