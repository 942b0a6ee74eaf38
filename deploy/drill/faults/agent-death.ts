/** The agent is killed: its host falls silent, and the connection says that the host itself still answers. */
import { readlinkSync, realpathSync } from "node:fs";
import { parseEntity } from "../entity.ts";
import type { Fault } from "../fault.ts";

export const agentDeath: Fault = {
  name: "agent-death",
  describe: "the agent is killed; npm start brings it back after a minute",
  prepareMs: 0,
  start({ pids }) {
    const pid = pids["agent"];
    if (pid === undefined || pid === 0) {
      throw new Error("no agent of npm start was found; this drill kills one, so it needs to know which");
    }
    if (readlinkSync(`/proc/${pid}/exe`) !== realpathSync(process.execPath)) {
      throw new Error(`process ${pid} is no longer the agent; wait until npm start has brought it back`);
    }
    process.kill(pid, "SIGKILL");
    return Promise.resolve({
      what: `the agent, process ${pid}, was killed`,
      isRight: ({ entity }) => parseEntity(entity).kind === "agent",
      stop: () => Promise.resolve(),
    });
  },
};
