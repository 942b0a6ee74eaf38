/**
 * The product's agent with one extra eye: every tick that it has read is written to a file before it is encoded, in a way
 * that survives kill -9. Arguments: collector's URL, data directory, oracle file, interval in ms, number of series.
 */
import { randomUUID } from "node:crypto";
import fs from "node:fs";
import { createAgent } from "#agent/agent.ts";
import type { Probe } from "#agent/collect/probe.ts";
import { connectSocket } from "#agent/send/socket.ts";
import { systemClock } from "#shared/clock.ts";
import { createLog } from "#shared/log.ts";

const [url = "", dataDir = "", oracleFile = "", interval = "20", count = "50"] = process.argv.slice(2);
const intervalMs = Number(interval);
const log = createLog({ clock: systemClock, write: (line) => process.stderr.write(line) });
const oracle = fs.openSync(oracleFile, "a");

const pause = new Int32Array(new SharedArrayBuffer(4));

const series = Array.from({ length: Number(count) }, (_, index) => ({
  metric: "test.load",
  unit: "1",
  instrument: "gauge" as const,
  decimals: 2,
  labels: [["index", String(index)]] as const,
}));

const load: Probe = {
  name: "load",
  shedRank: 0,
  read: (_, recorder) => {
    for (const one of series)
      if (Math.random() < 0.7) recorder.set(recorder.column(one), Math.random() * 1000);
    return undefined;
  },
  close: () => {},
};

const agent = createAgent({
  clock: systemClock,
  log,
  dataDir,
  intervalMs,
  host: "under-load",
  version: "test",
  resource: [["host.name", "under-load"]],
  budget: { maxCpuShare: 1, maxRssBytes: 1 << 30 },
  spoolLimits: { segmentFramesMax: 40 },
  connect: (events) => connectSocket(url, events),
  probes: () => ({ probes: [load], cost: () => ({ cpuSeconds: 0, rssBytes: 0 }) }),
  random: () => Math.random() * 0.2,
  newUuid: randomUUID,
  onTick: (timeMs, { values, columns }) => {
    const present = values.subarray(0, columns).filter((value) => !Number.isNaN(value));
    const sum = present.reduce((total, value) => total + value, 0);
    fs.writeSync(oracle, `${agent.epoch} ${timeMs} ${present.length} ${sum}\n`);
    // Some deaths must come between reading a tick and spooling it.
    Atomics.wait(pause, 0, 0, 5);
  },
});
agent.start();
process.on("SIGTERM", () => void agent.stop().then(() => process.exit(0)));
