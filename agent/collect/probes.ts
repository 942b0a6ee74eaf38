/**
 * All probes, in the order in which they are asked: what others build on first, the agent's own last.
 *
 * Each stands in its own file. What two of them share (the read buffer, the services, the host's counts) is made here
 * and passed to both.
 */
import type { Clock } from "#shared/clock.ts";
import { createCgroups } from "./cgroups.ts";
import type { CollectStats } from "./collect-stats.ts";
import { createConnections } from "./connections.ts";
import { createHostCpu } from "./host-cpu.ts";
import { createHostDisk } from "./host-disk.ts";
import { createHostFacts } from "./host-facts.ts";
import { createHostFilesystem } from "./host-filesystem.ts";
import { createHostMemory } from "./host-memory.ts";
import { createHostNetwork } from "./host-network.ts";
import { filesToKeepOpen, readKernel } from "./kernel.ts";
import { createPressure } from "./pressure.ts";
import type { Probe } from "./probe.ts";
import { ProcReader } from "./proc-file.ts";
import { createProcesses } from "./processes.ts";
import { createSelf, type AgentStats, type SelfProbe } from "./self.ts";
import { Services } from "./services.ts";

export interface ProbesConfig {
  readonly intervalMs: number;
  /** Where the host's /proc, /sys and / are seen; "/host/proc" and so on in a container. */
  readonly procRoot: string;
  readonly sysRoot: string;
  readonly fsRoot: string;
  /** One series of CPU use per core as well. */
  readonly perCore: boolean;
}

export const usualProbes: Omit<ProbesConfig, "intervalMs"> = {
  procRoot: "/proc",
  sysRoot: "/sys",
  fsRoot: "/",
  perCore: false,
};

export interface ProbesParts {
  readonly clock: Clock;
  readonly config: ProbesConfig;
  readonly stats: CollectStats;
  readonly agent: () => AgentStats;
  readonly cpuSeconds: () => number;
}

export interface Probes {
  readonly all: readonly Probe[];
  /** The last of `all`; knows what the agent costs. */
  readonly self: SelfProbe;
}

export function createProbes({ clock, config, stats, agent, cpuSeconds }: ProbesParts): Probes {
  const { procRoot, sysRoot, fsRoot, perCore, intervalMs } = config;
  const reader = new ProcReader(filesToKeepOpen(procRoot));
  const kernel = readKernel(procRoot);
  const facts = createHostFacts();
  const services = new Services(kernel);
  // A quarter of the interval; `collect.ts` gives up at half of it.
  const patienceMs = intervalMs / 4;
  const self = createSelf({ reader, procRoot, kernel, collect: stats, agent, cpuSeconds });
  const all = [
    createHostCpu({ reader, procRoot, kernel, perCore, facts }),
    createHostMemory({ reader, procRoot }),
    createPressure({ reader, procRoot }),
    createHostDisk({ reader, procRoot, sysRoot }),
    createHostNetwork({ reader, procRoot }),
    createHostFilesystem({ clock, reader, procRoot, fsRoot, patienceMs }),
    createProcesses({ reader, procRoot, kernel, facts, services }),
    createConnections({ reader, procRoot, services }),
    createCgroups({ reader, sysRoot }),
    self,
  ];
  return { all, self };
}
