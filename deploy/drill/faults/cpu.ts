/** A process burns one core: the host gets busy, and one process accounts for all of it. */
import { parseEntity } from "../entity.ts";
import type { Fault } from "../fault.ts";
import { spawnWorker } from "../spawn-worker.ts";

export const cpu: Fault = {
  name: "cpu",
  describe: "a process burns one core",
  prepareMs: 0,
  start() {
    const worker = spawnWorker("cpu", "");
    return Promise.resolve({
      what: `process ${worker.pid} (drill-cpu) burns one core`,
      isRight: ({ entity }) => parseEntity(entity).isProcess(worker.pid),
      stop: () => worker.stop(),
    });
  },
};
