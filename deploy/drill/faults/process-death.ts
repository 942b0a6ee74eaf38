/** A service that was learned is killed: its port is no longer listened on. */
import { createServer } from "node:net";
import { parseEntity } from "../entity.ts";
import type { Fault } from "../fault.ts";
import { faultSecondsMax, spawnWorker, type Worker } from "../spawn-worker.ts";

/** A service must have been there for the warm-up before its absence means anything. */
const learnMs = 240_000;

let victim: { worker: Worker; port: number } | null = null;

export const processDeath: Fault = {
  name: "process-death",
  describe: "a service that listened on a port is killed",
  prepareMs: learnMs,
  async prepare({ say }) {
    const port = await freePort();
    const worker = spawnWorker("service", port, learnMs / 1000 + faultSecondsMax);
    await new Promise((resolve) => worker.child.stdout?.once("data", resolve));
    victim = { worker, port };
    say(`service drill-service (process ${worker.pid}) listens on port ${port}; letting it be learned`);
  },
  async start() {
    if (victim === null) throw new Error("the service was not started");
    const { worker, port } = victim;
    await worker.stop("SIGKILL");
    return {
      what: `process ${worker.pid}, which listened on port ${port}, was killed`,
      isRight: ({ entity }) =>
        parseEntity(entity).kind === "port" && parseEntity(entity).name.endsWith(`/${port}`),
      stop: () => Promise.resolve(),
    };
  },
};

/** Below the ports that the kernel gives out by chance: the agent does not watch those for minutes. */
async function freePort(): Promise<number> {
  for (let port = 7440; port < 7500; port += 1) if (await isFree(port)) return port;
  throw new Error("no port from 7440 to 7499 is free");
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer().once("error", () => resolve(false));
    server.listen(port, "127.0.0.1", () => server.close(() => resolve(true)));
  });
}
