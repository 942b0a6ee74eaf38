/**
 * The one listener: API, console, metrics, probes, the doors of both WebSocket protocols, and what other programs post by protocols of
 * their own; those may have a second port, where they are used to it.
 *
 * It listens on loopback only: there is no TLS and no sign-in yet, and whoever reaches the port sees everything. Nothing that
 * a client sends can end the process: every handler runs in one try, every header and body has a limit, every slow sender a
 * timeout. Refusals are `apiErrorSchema`.
 */
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import type { HttpCode, HttpRoute } from "#collector/self/http-labels.ts";
import type { Metrics } from "#collector/self/metrics.ts";
import type { Clock } from "#shared/clock.ts";
import { ConfigError, errorText, StorageError } from "#shared/errors.ts";
import type { Limits } from "#shared/limits.ts";
import { isLoopback } from "#shared/loopback.ts";
import type { Log } from "#shared/log.ts";
import { Refusal, text } from "./answer.ts";
import type { Answer } from "./answer.ts";
import { apiRoutes } from "./api.ts";
import type { ApiParts, ApiRoute } from "./api.ts";
import type { ConsoleFiles } from "./console-files.ts";
import { hostAllowed, originAllowed, securityHeaders } from "./guard.ts";
import type { Doors } from "./guard.ts";
import { refuseUpgrade } from "./refuse.ts";

export type UpgradeHandler = (request: IncomingMessage, socket: Duplex, head: Buffer) => void;

export interface HttpParts {
  readonly clock: Clock;
  readonly api: ApiParts;
  readonly console: ConsoleFiles;
  /** By path, such as `livePath`. Host and origin are checked before. */
  readonly upgrades: ReadonlyMap<string, UpgradeHandler>;
  /** Paths of POST requests that are not the API's: they are read and answered as their protocol wants it. */
  readonly posts: ReadonlyMap<string, PostHandler>;
  readonly doors: Doors;
  readonly limits: Limits;
  readonly log: Log;
  readonly metrics: Metrics;
}

/** Never rejects. */
export type PostHandler = (request: IncomingMessage) => Promise<Answer>;

/** What a listener serves: everything, or what is posted by other programs' protocols alone. */
export type Served = "everything" | "posts";

export interface Http {
  /**
   * Resolves with the address once connections are accepted; `port` 0 takes a free one. Throws `ConfigError` when the
   * address is not a loopback one or cannot be had. May be called again for another address; `key` names the setting.
   */
  listen(
    host: string,
    port: number,
    what?: { readonly served: Served; readonly key: string },
  ): Promise<{ host: string; port: number }>;
  /** Stops accepting, lets answers under way end for `closeWaitMs`, then cuts. Close the upgrades' handlers first. */
  close(): Promise<void>;
}

const headersTimeoutMs = 10_000;
const requestTimeoutMs = 30_000;
const keepAliveMs = 65_000;
const headersCountMax = 64;
const closeWaitMs = 2_000;

const brokenStatus = new Map([
  ["HPE_HEADER_OVERFLOW", "431 Request Header Fields Too Large"],
  ["ERR_HTTP_REQUEST_TIMEOUT", "408 Request Timeout"],
]);

export function createHttp(parts: HttpParts): Http {
  return new HttpServer(parts);
}

interface Handled {
  readonly route: HttpRoute;
  readonly answer: Answer | Promise<Answer>;
}

class HttpServer implements Http {
  readonly #parts: HttpParts;
  readonly #routes: readonly ApiRoute[];
  readonly #servers: Server[] = [];

  constructor(parts: HttpParts) {
    this.#parts = parts;
    this.#routes = apiRoutes(parts.api, parts.limits);
  }

  #serve(served: Served): Server {
    const { limits, metrics } = this.#parts;
    const server = createServer({
      maxHeaderSize: limits.requestHeaderBytesMax,
      headersTimeout: headersTimeoutMs,
      requestTimeout: requestTimeoutMs,
      keepAliveTimeout: keepAliveMs,
      // A client that asks for another protocol, such as h2c, is answered in HTTP/1.1, as the standard allows.
      shouldUpgradeCallback: ({ headers }) => headers.upgrade?.toLowerCase() === "websocket",
    });
    server.maxHeadersCount = headersCountMax;
    server.maxConnections = limits.agentConnectionsMax + limits.liveClientsMax + limits.httpConnectionsMax;
    server.on("request", (request, response) => void this.#request(request, response, served));
    server.on("upgrade", (request, socket, head) => this.#upgrade(request, socket, head, served));
    server.on("clientError", (error: NodeJS.ErrnoException, socket) => {
      metrics.httpBroken.inc();
      if (!socket.writable || error.code === "ECONNRESET") return void socket.destroy();
      const status = brokenStatus.get(error.code ?? "") ?? "400 Bad Request";
      socket.end(`HTTP/1.1 ${status}\r\nConnection: close\r\nContent-Length: 0\r\n\r\n`, () =>
        socket.destroy(),
      );
    });
    return server;
  }

  listen(
    host: string,
    port: number,
    { served, key }: { served: Served; key: string } = { served: "everything", key: "listen" },
  ): Promise<{ host: string; port: number }> {
    if (!isLoopback(host)) {
      const why = "without TLS and sign-in the collector listens on loopback only";
      throw new ConfigError([`${key}: want 127.0.0.1, ::1 or localhost, got ${host}; ${why}`]);
    }
    const server = this.#serve(served);
    return new Promise((resolve, reject) => {
      server.once("error", (error: NodeJS.ErrnoException) => reject(cannotListen(key, host, port, error)));
      server.listen(port, host, () => {
        this.#servers.push(server);
        server.removeAllListeners("error");
        // Accepting can fail for a moment, out of descriptors for instance; the listener stays.
        server.on("error", (error) => this.#parts.log.error("listener failed", { error: errorText(error) }));
        const address = server.address() as AddressInfo;
        resolve({ host: address.address, port: address.port });
      });
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#servers.map((server) => this.#closeServer(server)));
  }

  #closeServer(server: Server): Promise<void> {
    return new Promise((resolve) => {
      const cut = this.#parts.clock.after(closeWaitMs, () => server.closeAllConnections());
      server.close(() => {
        cut.cancel();
        resolve();
      });
      server.closeIdleConnections();
    });
  }

  async #request(request: IncomingMessage, response: ServerResponse, served: Served): Promise<void> {
    const { clock, metrics } = this.#parts;
    const startedMs = clock.monotonicMs();
    let route: HttpRoute = "none";
    let answer: Answer;
    try {
      const handled = this.#handle(request, served);
      route = handled.route;
      answer = await handled.answer;
    } catch (error) {
      answer = this.#failure(error, route);
    }
    metrics.httpRequests.inc({ route, code: statusClass(answer.status) });
    metrics.httpSeconds.observe({ route }, (clock.monotonicMs() - startedMs) / 1000);
    try {
      write(request, response, answer);
    } catch (error) {
      this.#parts.log.error("answer not written", { route, error: errorText(error) });
      response.destroy();
    }
  }

  #handle(request: IncomingMessage, served: Served): Handled {
    const { doors, console } = this.#parts;
    const { headers, method = "" } = request;
    if (!hostAllowed(headers.host, doors)) {
      throw new Refusal(421, "host", "this name does not lead here; add it to the configured host names");
    }
    const { path, segments, query } = parseTarget(request.url ?? "");
    const read = method === "GET" || method === "HEAD";
    if (!read && !originAllowed(headers.origin, headers.host, doors)) {
      throw new Refusal(403, "origin", "a page of another site may not act here");
    }
    const post = this.#parts.posts.get(path);
    if (post !== undefined && method !== "POST") throw wrongMethod("POST");
    if (post !== undefined) return { route: "otlp", answer: post(request) };
    if (served === "posts") throw new Refusal(404, "not_found", "this listener has no such path");
    const own = read ? this.#own(path) : undefined;
    if (own !== undefined) return own;
    if (segments[0] !== "api") {
      if (!read) throw wrongMethod("GET");
      const answer = console.answer(path, headers["accept-encoding"] ?? "", headers["if-none-match"]);
      return { route: "console", answer };
    }
    const matching = this.#routes.filter(({ pattern }) => matches(pattern, segments));
    const [first] = matching;
    if (first === undefined) throw new Refusal(404, "not_found", "the API has no such path");
    const found = matching.find((route) => route.method === (read ? "GET" : method));
    if (found === undefined) throw wrongMethod(first.method);
    const body = (sizeBytesMax = this.#parts.limits.requestBytesMax) => readBody(request, sizeBytesMax);
    const answer = Promise.resolve(found.handle({ path: segments, query, headers, body }));
    return { route: found.route, answer };
  }

  /** Probes and metrics, under the names that the world expects. */
  #own(path: string): Handled | undefined {
    switch (path) {
      case "/metrics":
        return { route: "metrics", answer: this.#metrics() };
      case "/-/healthy":
      case "/healthz":
      case "/livez":
        return { route: "healthy", answer: text(200, "alive") };
      case "/-/ready":
      case "/readyz": {
        const reasons = this.#parts.api.ready();
        const answer = reasons.length === 0 ? text(200, "ready") : text(503, reasons.join("\n"));
        return { route: "ready", answer };
      }
      default:
        return undefined;
    }
  }

  async #metrics(): Promise<Answer> {
    const { metrics } = this.#parts;
    const headers: Answer["headers"] = [["Cache-Control", "no-store"]];
    return { status: 200, contentType: metrics.contentType, body: await metrics.text(), headers };
  }

  #failure(error: unknown, route: HttpRoute): Answer {
    if (error instanceof Refusal) return error.answer();
    if (error instanceof StorageError && error.retryable) {
      this.#parts.log.warn("request refused", { route, error: errorText(error) });
      return new Refusal(503, "storage", error.message, [["Retry-After", "5"]]).answer();
    }
    this.#parts.log.error("request failed", { route, error: errorText(error) });
    return new Refusal(500, "internal", "the collector failed; its log says why").answer();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer, served: Served): void {
    const { doors, upgrades, log, metrics } = this.#parts;
    socket.on("error", () => socket.destroy());
    try {
      const { host, origin } = request.headers;
      if (!hostAllowed(host, doors)) throw new Refusal(421, "host", "this name does not lead here");
      if (!originAllowed(origin, host, doors)) {
        throw new Refusal(403, "origin", "a page of another site may not connect here");
      }
      const handler = served === "posts" ? undefined : upgrades.get(parseTarget(request.url ?? "").path);
      if (handler === undefined) throw new Refusal(404, "not_found", "there is no WebSocket at this path");
      handler(request, socket, head);
      metrics.httpRequests.inc({ route: "upgrade", code: "2xx" });
    } catch (error) {
      const refusal = error instanceof Refusal ? error : new Refusal(503, "internal", "the upgrade failed");
      if (error !== refusal) log.error("upgrade failed", { error: errorText(error) });
      metrics.httpRequests.inc({ route: "upgrade", code: statusClass(refusal.status) });
      refuseUpgrade(socket, refusal.status, refusal.code, refusal.message);
    }
  }
}

/** Segments are decoded one by one: a slash that a name holds does not split it. */
function parseTarget(url: string): { path: string; segments: string[]; query: URLSearchParams } {
  const [raw = "", ...rest] = url.split("?");
  if (!raw.startsWith("/")) throw new Refusal(400, "bad_request", "want a path that begins with a slash");
  try {
    const segments = raw.slice(1).split("/").map(decodeURIComponent);
    return { path: `/${segments.join("/")}`, segments, query: new URLSearchParams(rest.join("?")) };
  } catch {
    throw new Refusal(400, "bad_request", "the path is not percent-encoded UTF-8");
  }
}

function matches(pattern: readonly string[], segments: readonly string[]): boolean {
  return (
    pattern.length === segments.length &&
    pattern.every((want, index) => (want === "*" ? segments[index] !== "" : want === segments[index]))
  );
}

async function readBody(request: IncomingMessage, sizeBytesMax: number): Promise<string> {
  const chunks: Buffer[] = [];
  let sizeBytes = 0;
  // Leaving the loop must not destroy the socket that the refusal goes out on.
  const stream: AsyncIterable<Buffer> = request.iterator({ destroyOnReturn: false });
  for await (const chunk of stream) {
    sizeBytes += chunk.length;
    if (sizeBytes > sizeBytesMax) {
      const message = `the body is larger than ${sizeBytesMax} bytes; send less at once`;
      throw new Refusal(413, "too_large", message, [["Connection", "close"]]);
    }
    chunks.push(chunk);
  }
  return Buffer.concat(chunks).toString("utf8");
}

function write(request: IncomingMessage, response: ServerResponse, answer: Answer): void {
  if (response.destroyed || response.headersSent) return;
  const { status, contentType, body, headers = [] } = answer;
  response.statusCode = status;
  for (const [name, value] of securityHeaders) response.setHeader(name, value);
  for (const [name, value] of headers) response.setHeader(name, value);
  if (status !== 304) {
    response.setHeader("Content-Type", contentType);
    response.setHeader("Content-Length", Buffer.byteLength(body));
  }
  // What is left of a body that nobody reads would be taken for the next request.
  if (!request.complete && hasBody(request)) response.setHeader("Connection", "close");
  response.end(request.method === "HEAD" || status === 304 ? undefined : body);
}

function hasBody({ headers }: IncomingMessage): boolean {
  return headers["transfer-encoding"] !== undefined || Number(headers["content-length"] ?? 0) > 0;
}

function statusClass(status: number): HttpCode {
  if (status >= 500) return "5xx";
  if (status >= 400) return "4xx";
  return status >= 300 ? "3xx" : "2xx";
}

function wrongMethod(allowed: string): Refusal {
  const allow = allowed === "GET" ? "GET, HEAD" : allowed;
  return new Refusal(405, "method", `want ${allow}`, [["Allow", allow]]);
}

function cannotListen(key: string, host: string, port: number, error: NodeJS.ErrnoException): ConfigError {
  const advice = new Map([
    ["EADDRINUSE", "another process has the port: stop it, or listen on another port"],
    ["EACCES", "this user may not take a port below 1024: choose another port"],
    ["EADDRNOTAVAIL", "this machine does not have the address"],
  ]);
  const why = advice.get(error.code ?? "") ?? error.message;
  return new ConfigError([`${key}: cannot listen on ${host}:${port}: ${why}`]);
}
