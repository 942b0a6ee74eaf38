/** A listener on a free loopback port with the live protocol, an in-memory store and an API of canned answers. */
import { WebSocket } from "ws";
import { readConsole } from "#collector/push/console-files.ts";
import type { ApiParts } from "#collector/push/api.ts";
import { createHttp } from "#collector/push/http.ts";
import type { Http, PostHandler, UpgradeHandler } from "#collector/push/http.ts";
import { createPush } from "#collector/push/push.ts";
import type { Push } from "#collector/push/push.ts";
import { createMetrics } from "#collector/self/metrics.ts";
import type { Metrics } from "#collector/self/metrics.ts";
import { openSqliteStore } from "#collector/store/sqlite.ts";
import type { SqliteStore } from "#collector/store/sqlite.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { livePath, liveSubprotocol, serverFrameSchema } from "#shared/contract/live.ts";
import type { ClientFrame, ServerFrame } from "#shared/contract/live.ts";
import { limits as usual } from "#shared/limits.ts";
import type { Limits } from "#shared/limits.ts";
import { createLog } from "#shared/log.ts";
import { SimClock } from "#test/sim/sim-clock.ts";
import { sampleSystem } from "../store/samples.ts";

export interface Room {
  readonly clock: SimClock;
  readonly store: SqliteStore;
  readonly push: Push;
  readonly http: Http;
  readonly metrics: Metrics;
  readonly port: number;
  readonly log: string[];
  /** Commits incidents at the next position and pushes what comes of it. */
  readonly commit: (...incidents: Incident[]) => void;
  readonly end: () => Promise<void>;
}

export interface RoomOptions {
  readonly limits?: Partial<Limits>;
  readonly api?: Partial<ApiParts>;
  readonly consoleDirectory?: string;
  readonly hosts?: readonly string[];
  readonly upgrades?: readonly (readonly [string, UpgradeHandler])[];
  readonly posts?: readonly (readonly [string, PostHandler])[];
  /** A store that outlives the room, as over a restart. */
  readonly store?: SqliteStore;
}

export async function openRoom(options: RoomOptions = {}): Promise<Room> {
  const limits = { ...usual, ...options.limits };
  const clock = new SimClock();
  const lines: string[] = [];
  const log = createLog({ clock, write: (line) => lines.push(line) });
  const metrics = createMetrics({ version: "test" });
  const store = options.store ?? openSqliteStore({ path: ":memory:", epoch: "epoch", limits, log });
  const push = createPush({ clock, source: store, limits, log, metrics, build: "test", random: () => 0.5 });
  const http = createHttp({
    clock,
    api: { ...emptyApi, ...options.api },
    console: readConsole(options.consoleDirectory, limits.consoleBytesMax),
    upgrades: new Map([
      [livePath, (request, socket, head) => push.upgrade(request, socket, head)],
      ...(options.upgrades ?? []),
    ]),
    posts: new Map(options.posts),
    doors: { hosts: new Set(options.hosts), origins: new Set() },
    limits,
    log,
    metrics,
  });
  const { port } = await http.listen("127.0.0.1", 0);
  return {
    clock,
    store,
    push,
    http,
    metrics,
    port,
    log: lines,
    commit: (...incidents) =>
      push.send(store.commit({ position: store.position + 1, incidents, losses: [] })),
    async end() {
      const closed = push.close();
      await clock.advance(10_000);
      await closed;
      const stopped = http.close();
      await clock.advance(10_000);
      await stopped;
      if (options.store === undefined) store.close();
    },
  };
}

const emptyApi: ApiParts = {
  incidents: () => [],
  incident: () => undefined,
  command: () => Promise.resolve({ outcome: "unknown_incident" }),
  changes: () => [],
  takeChanges: (changes) =>
    Promise.resolve({ outcome: "done", taken: { added: changes.length, changes: [...changes] } }),
  nowMs: () => 0,
  hosts: () => [],
  hostSeries: () => undefined,
  seriesRange: () => undefined,
  feedback: () => ({ feedbacks: [], series: [], kinds: [] }),
  ledger: () => ({ stored: 0, lost: 0, losses: [] }),
  system: () => ({ state: sampleSystem(), calendar: { zone: "UTC", dayClass: "workday" }, judges: [] }),
  topology: (level) => ({ level, atMs: 0, nodes: [], edges: [], nodesTotal: 0, edgesTotal: 0 }),
  ready: () => [],
};

/** A client of the live protocol that keeps what it hears; every frame is checked against the contract. */
export class Reader {
  readonly socket: WebSocket;
  readonly #frames: ServerFrame[] = [];
  #waiting: (() => void)[] = [];
  closed: { code: number; reason: string } | undefined;
  error: Error | undefined;

  constructor(port: number, options: { protocol?: string | null; headers?: Record<string, string> } = {}) {
    const { protocol = liveSubprotocol, headers = {} } = options;
    const url = `ws://127.0.0.1:${port}${livePath}`;
    this.socket = new WebSocket(url, protocol === null ? [] : [protocol], { headers });
    this.socket.on("message", (data: Buffer) => {
      this.#frames.push(serverFrameSchema.parse(JSON.parse(data.toString())));
      this.#wake();
    });
    this.socket.on("error", (error) => (this.error = error));
    this.socket.on("close", (code, reason) => {
      this.closed = { code, reason: reason.toString() };
      this.#wake();
    });
  }

  /** Connects, says hello and takes the welcome. */
  static async greeted(port: number): Promise<Reader> {
    const reader = new Reader(port);
    await reader.opened();
    reader.say({ t: "hello", v: 1, client: "test" });
    await reader.next("welcome");
    return reader;
  }

  opened(): Promise<void> {
    return new Promise((resolve) => {
      this.socket.once("open", () => resolve());
      this.socket.once("close", () => resolve());
    });
  }

  say(frame: ClientFrame): void {
    this.socket.send(JSON.stringify(frame));
  }

  /** The next frame, which must be of this kind. Throws when the socket closes instead. */
  async next<T extends ServerFrame["t"]>(t: T): Promise<Extract<ServerFrame, { t: T }>> {
    const frame = await this.take();
    if (frame?.t === t) return frame as Extract<ServerFrame, { t: T }>;
    throw new Error(`want a frame "${t}", got ${JSON.stringify(frame ?? this.closed)}`);
  }

  /** The next frame, or undefined once the socket is closed and everything was taken. */
  async take(): Promise<ServerFrame | undefined> {
    while (this.#frames.length === 0 && this.closed === undefined) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    }
    return this.#frames.shift();
  }

  /** Everything that has arrived and was not taken. */
  taken(): ServerFrame[] {
    return this.#frames.splice(0);
  }

  async closing(): Promise<number> {
    while (this.closed === undefined) await new Promise<void>((resolve) => this.#waiting.push(resolve));
    return this.closed.code;
  }

  #wake(): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const resolve of waiting) resolve();
  }
}

/** Runs `body` in a room and tears it down whatever happens. */
export async function inRoom(options: RoomOptions, body: (room: Room) => Promise<void>): Promise<void> {
  const room = await openRoom(options);
  try {
    await body(room);
  } finally {
    await room.end();
  }
}
