/** Starts a drill's worker, and ends it by its process id. */
import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";

/** No fault lasts longer, whatever becomes of the drill. */
export const faultSecondsMax = 300;

export interface Worker {
  readonly pid: number;
  readonly child: ChildProcess;
  stop(signal?: NodeJS.Signals): Promise<void>;
}

export function spawnWorker(kind: string, argument: string | number, seconds = faultSecondsMax): Worker {
  const file = fileURLToPath(new URL("worker.ts", import.meta.url));
  // Its standard input is a pipe from here: when this process is gone it ends too.
  const child = spawn(process.execPath, [file, kind, String(argument), String(seconds)], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  const ended = new Promise<void>((resolve) => child.once("exit", () => resolve()));
  return {
    pid: child.pid ?? 0,
    child,
    async stop(signal = "SIGTERM") {
      if (child.exitCode === null && child.signalCode === null) child.kill(signal);
      await ended;
    },
  };
}
