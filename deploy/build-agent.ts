/**
 * `npm run build:agent`: the agent as one file, `dist/agent.js`, for the flags of `agent-flags.ts`.
 *
 * One file, because a host should get one file. Its form saves memory, the dearest thing on ten thousand hosts: CommonJS spares
 * Node's loader of ES modules (0.9 MiB of anonymous memory), and V8 keeps the text as long as the process lives, so it is without
 * comments and long names, and ASCII, since one other character would double it.
 */
import { mkdir, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "rolldown";

const root = fileURLToPath(new URL("..", import.meta.url));

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
    external: [/^node:/],
    // jsonc-parser's "main" is a form that a bundler cannot look into.
    resolve: { mainFields: ["module", "main"] },
    logLevel: "warn",
    output: {
      file,
      format: "cjs",
      // A require instead: Node's loader of ES modules stays out of memory.
      dynamicImportInCjs: false,
      minify: true,
      codeSplitting: false,
      sourcemap: false,
      comments: { legal: false },
    },
  });
  await writeFile(join(dirname(file), "package.json"), '{ "type": "commonjs" }\n');
  return file;
}

if (import.meta.main) process.stdout.write(`${await buildAgent()}\n`);
