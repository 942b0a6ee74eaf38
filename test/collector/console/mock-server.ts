/**
 * A collector for the console alone: serves dist/console with the real headers, plays canned answers and the live protocol.
 *
 * For the tests in a browser and for working on the console:
 * `npx vite build -c collector/console/vite.config.ts && node test/collector/console/mock-server.ts incident 8080`
 */
import { readFile } from "node:fs/promises";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { extname } from "node:path";
import { fileURLToPath } from "node:url";
import { type WebSocket, WebSocketServer } from "ws";
import { type Clock, systemClock } from "#shared/clock.ts";
import { causeRequestSchema, commandRequestSchema, feedbackRequestSchema } from "#shared/contract/api.ts";
import type { Incident, Verdict } from "#shared/contract/incident.ts";
import {
  clientFrameSchema,
  liveCloseCodes,
  livePath,
  liveSubprotocol,
  type ServerFrame,
} from "#shared/contract/live.ts";
import {
  changes,
  feedbackList,
  hosts,
  incidents,
  incidentStart,
  type Scenario,
  scenarios,
  seriesList,
  seriesRange,
  system,
} from "./mock-data.ts";

/** Where `vite build` puts the console. */
const dist = fileURLToPath(new URL("../../../dist/console/", import.meta.url));

export interface MockOptions {
  /** 0: any free port. */
  readonly port?: number;
  readonly clock?: Clock;
  /** The built console, with a slash at its end. */
  readonly directory?: string;
}
const types: ReadonlyMap<string, string> = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".svg", "image/svg+xml"],
]);

/** As collector/push sends it. */
const policy =
  "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

export class MockCollector {
  readonly url: string;
  /** When true the collector says nothing more, but keeps its sockets: a page must notice by itself. */
  mute = false;
  /** Commands as they arrived. */
  readonly commands: { path: string; key: string; ifMatch: string; body: unknown }[] = [];
  /** Called before a command is judged: somebody else may be faster. */
  beforeCommand: () => void = () => undefined;
  readonly #clock: Clock;
  readonly #scenario: Scenario;
  readonly #directory: string;
  /** When the canned incident began. */
  readonly startMs: number;
  readonly #server: Server;
  readonly #sockets = new WebSocketServer({ noServer: true });
  readonly #incidents: Map<string, Incident>;
  #seq = 41;
  #beat: { cancel(): void };

  private constructor(
    scenario: Scenario,
    { clock, directory }: Required<MockOptions>,
    server: Server,
    port: number,
  ) {
    this.#clock = clock;
    this.#directory = directory;
    this.#scenario = scenario;
    this.#server = server;
    this.startMs = incidentStart(clock.nowMs());
    this.url = `http://127.0.0.1:${port}`;
    const all = incidents(scenario, this.startMs, clock.nowMs());
    this.#incidents = new Map(all.map((incident) => [incident.id, incident]));
    server.on("request", (request, response) => void this.#answer(request, response));
    server.on("upgrade", (request, socket, head) => {
      if (request.url !== livePath) socket.destroy();
      else this.#sockets.handleUpgrade(request, socket, head, (ws) => this.#greet(ws));
    });
    this.#beat = clock.after(1000, () => this.#tick(), { keepAlive: true });
  }

  static async start(scenario: Scenario, options: MockOptions = {}): Promise<MockCollector> {
    const { port = 0, clock = systemClock, directory = dist } = options;
    const server = createServer();
    await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
    const bound = (server.address() as AddressInfo).port;
    return new MockCollector(scenario, { port, clock, directory }, server, bound);
  }

  async close(): Promise<void> {
    this.#beat.cancel();
    for (const socket of this.#sockets.clients) socket.terminate();
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  /** Cuts every live connection; pages come back by themselves. */
  cut(): void {
    for (const socket of this.#sockets.clients) socket.terminate();
  }

  incident(id: string): Incident | undefined {
    return this.#incidents.get(id);
  }

  /** Changes or adds an incident and tells every reader. */
  put(incident: Incident): void {
    this.#incidents.set(incident.id, incident);
    this.#seq += 1;
    this.#broadcast({ t: "put", ch: "incidents", seq: this.#seq, item: incident });
  }

  #tick(): void {
    const nowMs = this.#clock.nowMs();
    this.#broadcast({ t: "state", ch: "system", body: system(this.#scenario, nowMs) });
    this.#broadcast({ t: "state", ch: "hosts", body: hosts(this.#scenario, nowMs) });
    this.#broadcast({ t: "hb", nowMs, seq: { incidents: this.#seq } });
    this.#beat = this.#clock.after(1000, () => this.#tick(), { keepAlive: true });
  }

  #broadcast(frame: ServerFrame): void {
    if (this.mute) return;
    for (const socket of this.#sockets.clients) socket.send(JSON.stringify(frame));
  }

  #greet(socket: WebSocket): void {
    if (socket.protocol !== liveSubprotocol) return socket.close(liveCloseCodes.subprotocol);
    socket.on("message", (data) => {
      if (!this.mute) this.#hear(socket, JSON.parse((data as Buffer).toString()));
    });
  }

  #hear(socket: WebSocket, message: unknown): void {
    const frame = clientFrameSchema.safeParse(message);
    if (!frame.success) return socket.close(liveCloseCodes.badFrame);
    const say = (answer: ServerFrame): void => socket.send(JSON.stringify(answer));
    const nowMs = this.#clock.nowMs();
    if (frame.data.t === "hello") say({ t: "welcome", v: 1, nowMs, hbMs: 10_000, build: "mock" });
    if (frame.data.t !== "sub") return;
    if (frame.data.ch === "hosts")
      return say({ t: "state", ch: "hosts", body: hosts(this.#scenario, nowMs) });
    if (frame.data.ch === "system")
      return say({ t: "state", ch: "system", body: system(this.#scenario, nowMs) });
    const items = [...this.#incidents.values()];
    const gap = frame.data.resume !== undefined;
    say({ t: "snap", ch: "incidents", epoch: "e1", seq: this.#seq, part: 1, of: 1, gap, items });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const url = new URL(request.url ?? "/", this.url);
    response.setHeader("Content-Security-Policy", policy);
    response.setHeader("X-Content-Type-Options", "nosniff");
    if (url.pathname.startsWith("/api/")) return this.#api(url, request, response);
    const path = extname(url.pathname) === "" ? "index.html" : url.pathname.slice(1);
    const body = await readFile(`${this.#directory}${path}`).catch(() => null);
    if (body === null) return void response.writeHead(404).end();
    response.setHeader("Content-Type", types.get(extname(path)) ?? "application/octet-stream");
    response.end(body);
  }

  async #api(url: URL, request: IncomingMessage, response: ServerResponse): Promise<void> {
    const json = (status: number, body: unknown): void => {
      response.writeHead(status, { "Content-Type": "application/json" }).end(JSON.stringify(body));
    };
    const [, , , first, second = "", third] = url.pathname.split("/");
    const asked = (name: string): string => url.searchParams.get(name) ?? "";
    if (request.method === "POST") return this.#command(decodeURIComponent(second), third, request, json);
    const one = this.#incidents.get(decodeURIComponent(second));
    if (first === "incidents" && one !== undefined) return json(200, one);
    if (first === "incidents" && second === "")
      return json(200, { incidents: [...this.#incidents.values()] });
    if (first === "changes") return json(200, { changes: changes(this.#scenario, this.startMs) });
    if (first === "feedback") {
      const wanted = asked("incident");
      const all = [...this.#incidents.values()];
      return json(200, feedbackList(all.filter(({ id }) => wanted === "" || id === wanted)));
    }
    if (first === "hosts" && third === "series") return json(200, seriesList(decodeURIComponent(second)));
    if (first !== "series") return json(404, { error: { code: "not_found", message: "no such address" } });
    const range = [Number(asked("from")), Number(asked("to"))] as const;
    json(200, seriesRange(asked("host"), asked("series"), ...range, this.startMs));
  }

  async #command(
    id: string,
    kind: string | undefined,
    request: IncomingMessage,
    json: (status: number, body: unknown) => void,
  ): Promise<void> {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    const body: unknown = JSON.parse(Buffer.concat(chunks).toString());
    this.beforeCommand();
    const incident = this.#incidents.get(id);
    const asked = commandRequestSchema.safeParse(body);
    const ifMatch = String(request.headers["if-match"]);
    this.commands.push({
      path: request.url ?? "",
      key: String(request.headers["idempotency-key"]),
      ifMatch,
      body,
    });
    if (incident === undefined || !asked.success)
      return json(404, { error: { code: "not_found", message: id } });
    if (ifMatch !== String(incident.revision)) {
      return json(412, { error: { code: "changed", message: `revision is ${incident.revision}` } });
    }
    const nowMs = this.#clock.nowMs();
    const { by, comment = "" } = asked.data;
    const revision = incident.revision + 1;
    const verdict = feedbackRequestSchema.safeParse(body).data?.verdict;
    const cause = causeRequestSchema.safeParse(body).data?.entity;
    const next: Incident =
      cause !== undefined
        ? explained(incident, revision, cause, by, comment, nowMs)
        : verdict !== undefined
          ? answered(incident, revision, verdict, by, comment, nowMs)
          : kind === "resolve"
            ? { ...incident, revision, state: "resolved", resolvedMs: nowMs }
            : acknowledged(incident, revision, by, comment, nowMs);
    json(200, next);
    this.put(next);
  }
}

export function acknowledged(
  incident: Incident,
  revision: number,
  by: string,
  comment: string,
  atMs: number,
): Incident {
  return {
    ...incident,
    revision,
    owner: by,
    acknowledgements: [...incident.acknowledgements, { by, atMs, comment }],
    timeline: [...incident.timeline, { atMs, text: { key: "timeline.acknowledged", args: { by } } }],
  };
}

export function answered(
  incident: Incident,
  revision: number,
  verdict: Verdict | "none",
  by: string,
  comment: string,
  atMs: number,
): Incident {
  const key = `timeline.feedback_${verdict === "none" ? "withdrawn" : verdict}`;
  return {
    ...incident,
    revision,
    feedback: verdict === "none" ? null : { verdict, by, comment, atMs },
    timeline: [...incident.timeline, { atMs, text: { key, args: { by } } }],
  };
}

export function explained(
  incident: Incident,
  revision: number,
  entity: string | null,
  by: string,
  comment: string,
  atMs: number,
): Incident {
  const key = entity === null ? "timeline.cause_withdrawn" : "timeline.cause_corrected";
  return {
    ...incident,
    revision,
    confirmedCause: entity === null ? null : { entity, by, comment, atMs },
    timeline: [...incident.timeline, { atMs, text: { key, args: { by, entity: entity ?? "" } } }],
  };
}

if (import.meta.main) {
  const [name = "incident", port = "8080"] = process.argv.slice(2);
  const scenario = scenarios.find((one) => one === name);
  if (scenario === undefined)
    throw new Error(`mock-server: want one of ${scenarios.join(", ")}, got ${name}`);
  const mock = await MockCollector.start(scenario, { port: Number(port) });
  console.log(`${scenario}: ${mock.url}`);
}
