/**
 * All probes, in the order in which they are asked: what others build on first, the agent's own last.
 *
 * Each stands in its own file. What two of them share (the read buffer, the services, the host's counts) is made here
 * and passed to both.
 */
import type { Clock } from "#shared/clock.ts";
import { createCgroups } from "./cgroups.ts";
import type { CollectStats } from "./collect-stats.ts";
import { ChildCpu } from "./child-cpu.ts";
import { createConnections } from "./connections.ts";
import { createEdgeTimings } from "./edge-timings.ts";
import { createHostCpu } from "./host-cpu.ts";
import { createHostDisk } from "./host-disk.ts";
import { createHostFacts } from "./host-facts.ts";
import { createHostFilesystem } from "./host-filesystem.ts";
import { createHostMemory } from "./host-memory.ts";
import { createHostNetwork } from "./host-network.ts";
import { type Address, emptyAddress, parseAddress } from "./ip-address.ts";
import { filesToKeepOpen, readKernel } from "./kernel.ts";
import { createPressure } from "./pressure.ts";
import type { Probe } from "./probe.ts";
import { ProcReader } from "./proc-file.ts";
import { createProcesses } from "./processes.ts";
import { ProcessTree } from "./process-tree.ts";
import { createSelf, type AgentStats, type SelfProbe } from "./self.ts";
import { Services } from "./services.ts";
import { socketStatistics, ssPaths } from "./socket-statistics.ts";

export interface ProbesConfig {
  readonly intervalMs: number;
  /** Where the host's /proc, /sys and / are seen; "/host/proc" and so on in a container. */
  readonly procRoot: string;
  readonly sysRoot: string;
  readonly fsRoot: string;
  /** One series of CPU use per core as well. */
  readonly perCore: boolean;
  /** Of the host, where that is known otherwise than from its interfaces. */
  readonly addresses: readonly string[];
  /** Only these processes and those that they start; empty: all. Then nothing is said of the machine as a whole. */
  readonly processesOf: readonly number[];
  /** Round-trip times and retransmits of connections, by `ss`. */
  readonly edgeTimings: boolean;
}

export const usualProbes: Omit<ProbesConfig, "intervalMs"> = {
  procRoot: "/proc",
  sysRoot: "/sys",
  fsRoot: "/",
  perCore: false,
  addresses: [],
  processesOf: [],
  edgeTimings: true,
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
  const { procRoot, sysRoot, fsRoot, perCore, intervalMs, processesOf } = config;
  const reader = new ProcReader(filesToKeepOpen(procRoot));
  const kernel = readKernel(procRoot);
  const facts = createHostFacts();
  const services = new Services(kernel);
  // A quarter of the interval; `collect.ts` gives up at half of it.
  const patienceMs = intervalMs / 4;
  const tree = processesOf.length === 0 ? undefined : new ProcessTree(procRoot, processesOf);
  const only = tree === undefined ? undefined : { addresses: config.addresses.flatMap(addressOf) };
  const connections = createConnections({ reader, procRoot, services, only });
  const run = config.edgeTimings ? socketStatistics(ssPaths) : undefined;
  const timings = config.edgeTimings ? [createEdgeTimings({ clock, connections, run, patienceMs })] : [];
  const children = new ChildCpu(procRoot, kernel);
  const self = createSelf({
    reader,
    procRoot,
    kernel,
    collect: stats,
    agent,
    // What `ss` used is the agent's cost, too.
    cpuSeconds: run === undefined ? cpuSeconds : () => cpuSeconds() + children.seconds(),
  });
  // Several agents on one machine would each say the same of it.
  const ofTheMachine =
    tree === undefined
      ? [
          createHostCpu({ reader, procRoot, kernel, perCore, facts }),
          createHostMemory({ reader, procRoot }),
          createPressure({ reader, procRoot }),
          createHostDisk({ reader, procRoot, sysRoot }),
          createHostNetwork({ reader, procRoot }),
          createHostFilesystem({ clock, reader, procRoot, fsRoot, patienceMs }),
        ]
      : [];
  const all = [
    ...ofTheMachine,
    createProcesses({ reader, procRoot, kernel, facts, services, tree }),
    connections,
    ...timings,
    ...(tree === undefined ? [createCgroups({ reader, sysRoot })] : []),
    self,
  ];
  return { all, self };
}

function addressOf(text: string): Address[] {
  const address = emptyAddress();
  return parseAddress(text, address) ? [address] : [];
}
