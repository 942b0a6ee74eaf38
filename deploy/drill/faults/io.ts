/** A process writes and syncs without end: the disk is busy, bounded to 64 MiB of scratch file. */
import { join } from "node:path";
import { parseEntity } from "../entity.ts";
import type { Fault } from "../fault.ts";
import { spawnWorker } from "../spawn-worker.ts";

export const io: Fault = {
  name: "io",
  describe: "a process keeps the disk busy with small durable writes",
  prepareMs: 0,
  start({ scratch }) {
    const worker = spawnWorker("io", join(scratch, "io"));
    return Promise.resolve({
      what: `process ${worker.pid} (drill-io) writes and syncs ${scratch}/io`,
      isRight: ({ entity }) => parseEntity(entity).isProcess(worker.pid),
      stop: () => worker.stop(),
    });
  },
};
