/** A process grows: memory fills, bounded by what is free. */
import os from "node:os";
import { formatValue } from "#shared/units.ts";
import { parseEntity } from "../entity.ts";
import type { Fault } from "../fault.ts";
import { spawnWorker } from "../spawn-worker.ts";

/** A tenth of all memory is well beyond the five points that matter, and never more than a third of what is free. */
const shareOfAll = 0.1;
const shareOfFree = 1 / 3;

export const memory: Fault = {
  name: "memory",
  describe: "a process grows by a tenth of the machine's memory",
  prepareMs: 0,
  start() {
    const sizeBytes = Math.floor(os.totalmem() * shareOfAll);
    if (sizeBytes > os.freemem() * shareOfFree) {
      const free = formatValue(os.freemem(), "By");
      throw new Error(
        `cannot take ${formatValue(sizeBytes, "By")}: only ${free} are free, and a third is the most`,
      );
    }
    const worker = spawnWorker("memory", sizeBytes);
    return Promise.resolve({
      what: `process ${worker.pid} (drill-memory) grows to ${formatValue(sizeBytes, "By")}`,
      isRight: ({ entity }) => parseEntity(entity).isProcess(worker.pid),
      stop: () => worker.stop(),
    });
  },
};
