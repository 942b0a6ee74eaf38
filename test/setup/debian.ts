/**
 * Programs that tests hold the product against: Prometheus and its checker, the node exporter, VictoriaMetrics.
 *
 * A program on PATH is used as it is. Else the Debian package is downloaded with apt, which needs no root for that, and unpacked into
 * `.cache/debian` of the project: nothing is installed, nothing outside the project changes. Package lists that are absent are fetched
 * into the same cache. Where that fails the answer is a reason, and the test that needed the program is skipped with it, printed.
 *
 * Cost: 20 to 30 MB and a few seconds, once; afterwards a look at the file system. These packages are Go programs that need nothing but
 * libc and libzstd, which dpkg itself needs, so no dependency is fetched; what was unpacked is run once to see that it starts.
 */
import { execFile } from "node:child_process";
import { access, constants, mkdir, mkdtemp, readdir, rename, rm } from "node:fs/promises";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

/** Where each program lies within which package. */
const programs = {
  prometheus: { package: "prometheus", path: "usr/bin/prometheus" },
  promtool: { package: "prometheus", path: "usr/bin/promtool" },
  "prometheus-node-exporter": {
    package: "prometheus-node-exporter",
    path: "usr/bin/prometheus-node-exporter",
  },
  "victoria-metrics": { package: "victoria-metrics", path: "usr/bin/victoria-metrics" },
} as const;
export type DebianProgram = keyof typeof programs;

export interface Missing {
  /** One sentence for the skipped test. */
  readonly missing: string;
}

interface Options {
  /** Default: `.cache/debian` of the project. */
  readonly cacheFolder?: string;
  /** Default: the environment's. Empty: only the cache counts. */
  readonly searchPath?: string;
  /** Tells apt that there are no package lists, for trying out a fresh machine. */
  readonly ignoreLists?: boolean;
}

const projectCache = fileURLToPath(new URL("../../.cache/debian", import.meta.url));
const triesMax = 3;
const downloadMsMax = 180_000;
const found = new Map<string, Promise<string | Missing>>();

/** The absolute path of a program that starts, or why there is none. Asks once per process. */
export function debianProgram(name: DebianProgram, options: Options = {}): Promise<string | Missing> {
  const key = JSON.stringify([name, options]);
  const known = found.get(key) ?? findProgram(name, options);
  found.set(key, known);
  return known;
}

async function findProgram(name: DebianProgram, options: Options): Promise<string | Missing> {
  const { package: packageName, path } = programs[name];
  for (const folder of (options.searchPath ?? process.env["PATH"] ?? "").split(delimiter)) {
    if (folder !== "" && (await isExecutable(join(folder, name)))) return join(folder, name);
  }
  const cache = options.cacheFolder ?? projectCache;
  const file = join(cache, packageName, path);
  try {
    if (!(await isExecutable(file))) await fetchPackage(packageName, cache, options.ignoreLists ?? false);
    await run(file, ["--version"], { timeout: 20_000 });
    return file;
  } catch (error) {
    return {
      missing: `${name}: not on PATH, and the Debian package ${packageName} cannot be used: ${lastLines(error)}`,
    };
  }
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}

/** Downloads and unpacks into a folder of its own, then renames: tests that run at the same time never see half a package. */
async function fetchPackage(packageName: string, cache: string, ignoreLists: boolean): Promise<void> {
  await mkdir(cache, { recursive: true });
  const work = await mkdtemp(join(cache, `fetching-${packageName}-`));
  try {
    const deb = join(work, await download(packageName, work, cache, ignoreLists));
    const unpacked = join(work, "unpacked");
    await run("dpkg", ["-x", deb, unpacked], { timeout: 60_000 });
    await rename(unpacked, join(cache, packageName)).catch((error: unknown) => {
      if (!isTaken(error)) throw error;
    });
  } finally {
    await rm(work, { recursive: true, force: true });
  }
}

/** Another test was faster: its package is as good as ours. */
function isTaken(error: unknown): boolean {
  const code = (error as { code?: unknown }).code;
  return code === "ENOTEMPTY" || code === "EEXIST";
}

/** Name of the .deb that now lies in `folder`. First with the machine's package lists, then with lists of our own. */
async function download(
  packageName: string,
  folder: string,
  cache: string,
  ignoreLists: boolean,
): Promise<string> {
  const own = await ownListOptions(cache);
  let failure: unknown;
  for (let attempt = ignoreLists ? 1 : 0; attempt < triesMax; attempt += 1) {
    try {
      // A source that cannot be reached fails the update as a whole, though the others were fetched: the download decides.
      if (attempt > 0) await apt(["update", ...own], folder).catch((error: unknown) => (failure = error));
      await apt(["download", ...(attempt > 0 ? own : []), packageName], folder);
      const deb = (await readdir(folder)).find((name) => name.endsWith(".deb"));
      if (deb !== undefined) return deb;
      failure = new Error(`apt-get download ${packageName} left no .deb file`);
    } catch (error) {
      failure = error;
      if ((error as { code?: unknown }).code === "ENOENT") break;
    }
  }
  throw failure;
}

async function apt(args: readonly string[], cwd: string): Promise<void> {
  const patience = [
    "-o",
    "Acquire::Retries=2",
    "-o",
    "Acquire::http::Timeout=20",
    "-o",
    "Acquire::https::Timeout=20",
  ];
  const env = { ...process.env, LC_ALL: "C", DEBIAN_FRONTEND: "noninteractive" };
  await run("apt-get", ["-qq", ...patience, ...args], { cwd, env, timeout: downloadMsMax });
}

/** Lets apt keep its lists, cache and locks in our folder; what is installed and which sources there are stays the machine's. */
async function ownListOptions(cache: string): Promise<string[]> {
  const state = join(cache, "apt");
  await mkdir(join(state, "lists", "partial"), { recursive: true });
  await mkdir(join(state, "archives", "partial"), { recursive: true });
  return [
    `Dir::State=${state}`,
    `Dir::State::lists=${join(state, "lists")}`,
    "Dir::State::status=/var/lib/dpkg/status",
    `Dir::Cache=${state}`,
    // As root, apt would download as the user _apt, who may not write here.
    "APT::Sandbox::User=root",
  ].flatMap((option) => ["-o", option]);
}

function lastLines(error: unknown): string {
  const { stderr, message, code } = error as { stderr?: string; message?: string; code?: unknown };
  if (code === "ENOENT") return "apt-get and dpkg are needed, and this machine lacks them";
  const text = (stderr ?? "").trim() || (message ?? String(error));
  return text.split("\n").slice(-2).join("; ");
}
