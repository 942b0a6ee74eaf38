/**
 * A real browser for tests of the console: the headless Chromium that comes with the npm package @sparticuz/chromium, driven by
 * playwright-core; else a `chromium` on PATH. Nothing is downloaded, and no system library is needed that the package does not bring.
 *
 * The package unpacks into fixed names under the temporary folder, where two tests at once would see half a file, and a second user no
 * file that may be run. So it is told another temporary folder, unpacks into a folder of its own in `.cache/chromium`, and that is
 * renamed when it is whole. Cost: 250 MB and about five seconds once; then half a second to start.
 */
import { randomUUID } from "node:crypto";
import { access, chmod, constants, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { tmpdir } from "node:os";
import { delimiter, dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { type Browser, chromium } from "playwright-core";
import type { Missing } from "./debian.ts";

export interface TestBrowser {
  readonly browser: Browser;
  readonly executable: string;
  readonly pid: number;
  /** Closes the browser; after five seconds ends its process. */
  close(): Promise<void>;
}

interface Executable {
  readonly path: string;
  readonly env: Readonly<Record<string, string>>;
  readonly args: readonly string[];
}

const projectCache = fileURLToPath(new URL("../../.cache/chromium", import.meta.url));
const closeMsMax = 5_000;

/** Nothing but the page under test: no update check, no first-run page, no UDP. */
const quietArgs = ["--disable-background-networking", "--disable-quic", "--no-first-run"];

/**
 * Flags of the package that a test of a page's own protection must not have: they switch off what is tested. And one process for
 * everything, made for Lambda, ends the browser with the first page that closes.
 */
const unwantedArgs = [
  "--disable-web-security",
  "--allow-running-insecure-content",
  "--single-process",
  "--in-process-gpu",
  "--headless",
];

/** A browser with a new profile, or why there is none. */
export async function openBrowser(options: { cacheFolder?: string } = {}): Promise<TestBrowser | Missing> {
  const reasons: string[] = [];
  for (const find of [() => packagedChromium(options.cacheFolder ?? projectCache), chromiumOnPath]) {
    try {
      return await start(await find());
    } catch (error) {
      reasons.push(error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error));
    }
  }
  return { missing: `no browser: ${reasons.join("; ")}` };
}

async function start({ path, env, args }: Executable): Promise<TestBrowser> {
  // launchServer makes a profile in a new temporary folder and deletes it; unlike launch it tells the process.
  const server = await chromium.launchServer({
    executablePath: path,
    args: [...args, ...quietArgs],
    env: { ...process.env, ...env },
    host: "127.0.0.1",
    timeout: 30_000,
    handleSIGINT: true,
    handleSIGTERM: true,
  });
  const browser = await chromium.connect(server.wsEndpoint());
  const close = async (): Promise<void> => {
    let timer: NodeJS.Timeout | undefined;
    const tooLate = new Promise<void>((resolve) => {
      timer = setTimeout(() => void server.kill().then(resolve), closeMsMax);
    });
    await Promise.race([browser.close().then(() => server.close()), tooLate]);
    clearTimeout(timer);
  };
  return { browser, executable: path, pid: server.process().pid ?? -1, close };
}

async function packagedChromium(cache: string): Promise<Executable> {
  // Asked for here and not at the top, so that a project without the package still has the browser on PATH.
  const { default: packaged, inflate } = await import("@sparticuz/chromium");
  const entry = fileURLToPath(import.meta.resolve("@sparticuz/chromium"));
  const packageFolder = dirname(dirname(entry));
  const { version } = createRequire(import.meta.url)(join(packageFolder, "package.json")) as {
    version: string;
  };
  const folder = join(cache, version);
  if (!(await isExecutable(join(folder, "chromium")))) {
    await mkdir(cache, { recursive: true });
    const work = await mkdtemp(join(cache, "unpacking-"));
    await withTemporaryFolder(work, async () => {
      await packaged.executablePath();
      await inflate(join(packageFolder, "bin", "al2023.tar.br"));
    });
    // The package lets only its owner run it; a checkout may be shared.
    await chmod(join(work, "chromium"), 0o755);
    await chmod(work, 0o755);
    await rename(work, folder).catch(async (error: unknown) => {
      await rm(work, { recursive: true, force: true });
      // Another test was faster: its folder is as good as ours.
      if (!(await isExecutable(join(folder, "chromium")))) throw error;
    });
  }
  return {
    path: join(folder, "chromium"),
    env: {
      LD_LIBRARY_PATH: join(folder, "al2023", "lib"),
      FONTCONFIG_FILE: await fontsOf(folder),
      HOME: tmpdir(),
    },
    args: packaged.args.filter((arg) => !unwantedArgs.includes(arg.split("=")[0] ?? "")),
  };
}

/**
 * The package's own settings look for fonts where Lambda has them. A browser that finds none draws no text, and ends with the
 * first field that one types into; so it is told the package's font, and the machine's for what that lacks (Chinese).
 */
async function fontsOf(folder: string): Promise<string> {
  const file = join(folder, "fonts.conf");
  const dirs = [join(folder, "fonts"), "/usr/share/fonts", "/usr/local/share/fonts"];
  const settings = [
    '<?xml version="1.0"?>',
    '<!DOCTYPE fontconfig SYSTEM "fonts.dtd">',
    `<fontconfig>${dirs.map((dir) => `<dir>${dir}</dir>`).join("")}`,
    `<cachedir>${join(folder, "fonts-cache")}</cachedir></fontconfig>`,
  ];
  const work = `${file}.${randomUUID()}`;
  await writeFile(work, settings.join("\n"));
  await rename(work, file);
  return file;
}

/** The package asks the environment where to unpack. */
async function withTemporaryFolder(folder: string, task: () => Promise<void>): Promise<void> {
  const before = process.env["TMPDIR"];
  process.env["TMPDIR"] = folder;
  try {
    await task();
  } finally {
    if (before === undefined) delete process.env["TMPDIR"];
    else process.env["TMPDIR"] = before;
  }
}

async function chromiumOnPath(): Promise<Executable> {
  for (const folder of (process.env["PATH"] ?? "").split(delimiter)) {
    for (const name of ["chromium", "chromium-browser", "google-chrome"]) {
      const path = join(folder, name);
      if (folder !== "" && (await isExecutable(path)))
        return { path, env: {}, args: ["--no-sandbox", "--disable-gpu"] };
    }
  }
  throw new Error("no chromium on PATH");
}

async function isExecutable(file: string): Promise<boolean> {
  return access(file, constants.X_OK).then(
    () => true,
    () => false,
  );
}
