/**
 * The agent beside Debian's prometheus-node-exporter: the same seconds, the same machine, both at one reading a second.
 *
 * The agent is what is installed: the bundle, its flags, its settings file, its own metrics page. It sends to a collector's door in
 * another process. The exporter has its default collectors and is scraped by this process, which reads each answer whole. What
 * sending costs is in the agent's figure, what storing costs (the sink, the scraper) in neither.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { Agent, get } from "node:http";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { agentEnvironment, agentFlags } from "../../deploy/agent-flags.ts";
import { buildAgent } from "../../deploy/build-agent.ts";
import { debianProgram } from "../setup/debian.ts";
import {
  type Child,
  cpuSecondsOf,
  freePort,
  loadAverage,
  type Memory,
  memoryOf,
  startChild,
} from "./processes.ts";
import { type BenchOptions, type Figures, row, shown } from "./report.ts";

const sinkFile = fileURLToPath(new URL("sink.ts", import.meta.url));
const settingsFile = fileURLToPath(new URL("../../deploy/config/agent.json", import.meta.url));
const durations = { full: [10, 60], quick: [10, 10], tiny: [0.5, 1.2] } as const;

interface Cost extends Memory {
  /** Share of one core. */
  readonly cpu: number;
}

export async function benchAgent(options: BenchOptions): Promise<Figures> {
  const [settleS, seconds] = durations[options.size];
  const folder = mkdtempSync(join(tmpdir(), "causeway-bench-agent-"));
  const children: Child[] = [];
  try {
    const sink = keep(children, startChild(process.execPath, [sinkFile]));
    const port = (await sink.line(/^port /)).split(" ")[1] ?? "";
    const ours = keep(children, await startAgent(folder, port));
    await ours.line(/collector accepted us/);
    const rival = options.rivals ? await startExporter(options, children) : null;
    await sleep(settleS * 1000);
    const costs = await watch([ours, ...(rival === null ? [] : [rival])], seconds);
    await arrived(`http://127.0.0.1:${port}/`);
    return report(options, costs, seconds);
  } finally {
    for (const child of children.toReversed()) await child.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** An agent that sends nothing costs nothing, and its figures would mean nothing. */
async function arrived(url: string): Promise<void> {
  for (let tick = 0; tick < 10; tick += 1) {
    if (Number(await textOf(url, new Agent())) > 0) return;
    await sleep(1000);
  }
  throw new Error("the sink has got no sample from the agent");
}

function keep(children: Child[], child: Child): Child {
  children.push(child);
  return child;
}

async function startAgent(folder: string, port: string): Promise<Child> {
  const file = await buildAgent({ folder });
  const address = [
    "--collector",
    `ws://127.0.0.1:${port}`,
    "--data",
    join(folder, "data"),
    "--interval",
    "1s",
  ];
  const page = ["--metrics-listen", `127.0.0.1:${await freePort()}`];
  const args = [...agentFlags, file, "--config", settingsFile, ...address, ...page];
  return startChild(process.execPath, args, { env: agentEnvironment });
}

/** Null, with the reason printed, where there is no exporter. It is scraped until it is stopped. */
async function startExporter(options: BenchOptions, children: Child[]): Promise<Child | null> {
  const program = await debianProgram("prometheus-node-exporter");
  if (typeof program !== "string") {
    options.print(`no rival: ${program.missing}`);
    return null;
  }
  const port = await freePort();
  const child = startChild(program, [`--web.listen-address=127.0.0.1:${port}`]);
  await child.line(/[Ll]istening on|TLS is disabled/);
  const connection = new Agent({ keepAlive: true });
  const timer = setInterval(() => {
    textOf(`http://127.0.0.1:${port}/metrics`, connection).catch((error: unknown) =>
      options.print(String(error)),
    );
  }, 1000);
  const exporter = { ...child, stop: () => (clearInterval(timer), connection.destroy(), child.stop()) };
  return keep(children, exporter);
}

function textOf(url: string, agent: Agent): Promise<string> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      let text = "";
      response.setEncoding("utf8").on("data", (part: string) => (text += part));
      response.on("end", () => resolve(text));
    }).on("error", reject);
  });
}

/** CPU over the same seconds, memory at their end. */
async function watch(children: readonly Child[], seconds: number): Promise<Cost[]> {
  const before = children.map(({ pid }) => cpuSecondsOf(pid));
  const startMs = performance.now();
  await sleep(seconds * 1000);
  const elapsedS = (performance.now() - startMs) / 1000;
  return children.map(({ pid }, index) => ({
    cpu: (cpuSecondsOf(pid) - before[index]!) / elapsedS,
    ...memoryOf(pid),
  }));
}

function report({ print }: BenchOptions, [ours, rival]: readonly Cost[], seconds: number): Figures {
  print(row(`agent, 1 s, ${seconds} s`, "CPU of a core", "   RSS MiB   PSS MiB   anonymous MiB"));
  const line = (name: string, { cpu, rssMb, pssMb, anonymousMb }: Cost): void => {
    const memory = [
      rssMb.toFixed(1).padStart(10),
      pssMb.toFixed(1).padStart(10),
      anonymousMb.toFixed(1).padStart(16),
    ];
    print(row(name, `${(cpu * 100).toFixed(2)} %`, memory.join("")));
  };
  line("causeway agent", ours!);
  const figures = prefixed("agent", ours!);
  if (rival === undefined) return figures;
  line("node_exporter", rival);
  const cpuRatio = ours!.cpu / rival.cpu;
  const anonymousRatio = ours!.anonymousMb / rival.anonymousMb;
  const note = `load ${loadAverage()}  node ${process.version}`;
  print(row("ratio", `${shown(cpuRatio)} x CPU`, `${shown(anonymousRatio)} x anonymous memory   ${note}`));
  return {
    ...figures,
    ...prefixed("agent.node_exporter", rival),
    "agent.cpu_ratio": cpuRatio,
    "agent.anonymous_ratio": anonymousRatio,
  };
}

function prefixed(prefix: string, { cpu, rssMb, pssMb, anonymousMb }: Cost): Figures {
  return {
    [`${prefix}.cpu_share`]: cpu,
    [`${prefix}.rss_mb`]: rssMb,
    [`${prefix}.pss_mb`]: pssMb,
    [`${prefix}.anonymous_mb`]: anonymousMb,
  };
}
