/**
 * The built console, read into memory once at start and compressed there. A request is a look-up in a Map, so no path that
 * a client can write reaches the file system (Grafana's CVE-2021-43798 was a path that did).
 * Cost: about three times the files' size in memory, and a second of compression at start.
 */
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, statSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { ConfigError } from "#shared/errors.ts";
import { Refusal } from "./answer.ts";
import type { Answer } from "./answer.ts";

export interface ConsoleFiles {
  /** The answer to a GET of a decoded path; a path that is a place in the console gets its page. Throws `Refusal`. */
  answer(path: string, acceptEncoding: string, ifNoneMatch: string | undefined): Answer;
}

interface File {
  readonly contentType: string;
  readonly cacheControl: string;
  readonly etag: string;
  readonly bodies: ReadonlyMap<Encoding, Buffer>;
}
type Encoding = "br" | "gzip" | "identity";

const contentTypes = new Map([
  [".html", "text/html; charset=utf-8"],
  [".js", "text/javascript; charset=utf-8"],
  [".css", "text/css; charset=utf-8"],
  [".json", "application/json; charset=utf-8"],
  [".map", "application/json; charset=utf-8"],
  [".webmanifest", "application/manifest+json"],
  [".svg", "image/svg+xml"],
  [".txt", "text/plain; charset=utf-8"],
  [".png", "image/png"],
  [".ico", "image/x-icon"],
  [".woff2", "font/woff2"],
]);
const packed = new Set([".png", ".ico", ".woff2"]);
const smallBytes = 512;

/** `directory` undefined: no console is shown. Throws `ConfigError` when it is not there or holds too much. */
export function readConsole(directory: string | undefined, sizeBytesMax: number): ConsoleFiles {
  const files = directory === undefined ? new Map<string, File>() : readFiles(directory, sizeBytesMax);
  const page = files.get("/index.html");
  return {
    answer(path, acceptEncoding, ifNoneMatch) {
      const file = files.get(path) ?? (contentTypes.has(extname(path)) ? undefined : page);
      if (file === undefined) throw notThere(page !== undefined);
      const encoding = choose(file, acceptEncoding);
      const etag = `"${file.etag}-${encoding}"`;
      const { contentType } = file;
      const headers: [string, string][] = [
        ["Cache-Control", file.cacheControl],
        ["ETag", etag],
        ["Vary", "Accept-Encoding"],
      ];
      if (ifNoneMatch?.includes(etag)) return { status: 304, contentType, body: "", headers };
      if (encoding !== "identity") headers.push(["Content-Encoding", encoding]);
      return { status: 200, contentType, body: file.bodies.get(encoding) ?? "", headers };
    },
  };
}

function notThere(hasConsole: boolean): Refusal {
  const message = hasConsole ? "there is nothing here" : "no console is installed; the API is under /api/v1";
  return new Refusal(404, "not_found", message);
}

function readFiles(directory: string, sizeBytesMax: number): Map<string, File> {
  const files = new Map<string, File>();
  let sizeBytes = 0;
  for (const name of listed(directory)) {
    const path = join(directory, name);
    if (!statSync(path).isFile()) continue;
    const body = readFileSync(path);
    sizeBytes += body.length;
    if (sizeBytes > sizeBytesMax) {
      throw new ConfigError([
        `console: ${directory} holds more than ${sizeBytesMax} bytes; is it the built console?`,
      ]);
    }
    files.set(`/${name}`, makeFile(name, body));
  }
  if (!files.has("/index.html")) {
    throw new ConfigError([
      `console: ${directory} has no index.html; build the console or name its directory`,
    ]);
  }
  return files;
}

function listed(directory: string): string[] {
  try {
    return readdirSync(directory, { recursive: true, encoding: "utf8" });
  } catch (cause) {
    const problem = `console: cannot read ${directory}; build the console or name its directory`;
    throw Object.assign(new ConfigError([problem]), { cause });
  }
}

function makeFile(name: string, body: Buffer): File {
  const bodies = new Map<Encoding, Buffer>([["identity", body]]);
  if (body.length > smallBytes && !packed.has(extname(name))) {
    const quality = { params: { [constants.BROTLI_PARAM_QUALITY]: 9 } };
    bodies.set("br", brotliCompressSync(body, quality));
    bodies.set("gzip", gzipSync(body, { level: 9 }));
  }
  // The build writes a hash of the content into these names: the content of a name never changes.
  const hashed = /^assets\/.+-[\w-]{8,}\.\w+$/.test(name);
  return {
    contentType: contentTypes.get(extname(name)) ?? "application/octet-stream",
    cacheControl: hashed ? "public, max-age=31536000, immutable" : "no-cache",
    etag: createHash("sha256").update(body).digest("base64url").slice(0, 22),
    bodies,
  };
}

function choose(file: File, acceptEncoding: string): Encoding {
  const accepted = new Set<string>();
  for (const offer of acceptEncoding.toLowerCase().split(",")) {
    const [name = "", weight = ""] = offer.split(";").map((part) => part.trim());
    if (!/^q=0(\.0*)?$/.test(weight)) accepted.add(name);
  }
  for (const encoding of ["br", "gzip"] as const) {
    if (accepted.has(encoding) && file.bodies.has(encoding)) return encoding;
  }
  return "identity";
}
