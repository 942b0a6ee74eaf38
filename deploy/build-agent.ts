/**
 * `npm run build:agent`: the agent as one file, `dist/agent.js`, for the flags of `agent-flags.ts`.
 *
 * One file, because a host should get one file. What it leaves out is memory, which on ten thousand hosts is the dearest thing
 * (anonymous MiB of the running agent, see `test/bench`): CommonJS spares Node's module loader for ESM (0.9); of ws only
 * the client is taken; what only wss:// or compression needs (https, tls, zlib: 4.2) is loaded when it is first used; the text
 * is ASCII without names and comments, since V8 keeps it as long as the process lives, two bytes a character if one is not Latin-1.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build, type Plugin } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));

/** Modules of Node that ws names at its top and that a connection over ws:// never uses. */
const lateModules = ["https", "tls", "zlib", "querystring"];
const latePrefix = "\0late:";
const clientId = "\0ws-client";

const slimWs: Plugin = {
  name: "slim-ws",
  resolveId(source, importer) {
    if (source === "ws") return clientId;
    if (importer?.includes("/node_modules/ws/") === true && lateModules.includes(source)) return latePrefix + source;
    return null;
  },
  load(id) {
    if (id === clientId) {
      const client = JSON.stringify(join(root, "node_modules/ws/lib/websocket.js"));
      return `import WebSocket from ${client}; export { WebSocket };`;
    }
    if (!id.startsWith(latePrefix)) return null;
    const name = JSON.stringify(`node:${id.slice(latePrefix.length)}`);
    return `module.exports = new Proxy({}, { get: (_, key) => require(${name})[key] });`;
  },
};

export interface BuildOptions {
  /** Default: `agent/main.ts`. */
  readonly entry?: string;
  /** Default: `dist`. */
  readonly folder?: string;
}

/** Writes `agent.js` and a `package.json` that says that it is CommonJS; gives the file's path. */
export async function buildAgent(options: BuildOptions = {}): Promise<string> {
  const folder = options.folder ?? join(root, "dist");
  const file = join(folder, "agent.js");
  await mkdir(folder, { recursive: true });
  await rm(file, { force: true });
  await build({
    input: options.entry ?? join(root, "agent/main.ts"),
    cwd: root,
    platform: "node",
    // ws looks for these natives and goes on without them.
    external: [/^node:/, "bufferutil", "utf-8-validate"],
    plugins: [slimWs],
    logLevel: "warn",
    output: { file, format: "cjs", minify: true, codeSplitting: false, sourcemap: false, comments: { legal: false } },
  });
  await writeFile(join(dirname(file), "package.json"), '{ "type": "commonjs" }\n');
  return file;
}

if (import.meta.main) process.stdout.write(`${await buildAgent()}\n`);
