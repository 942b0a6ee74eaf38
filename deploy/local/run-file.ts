/** `.causeway/run.json`: who runs on this machine and where, for a second start and for drills. */
import fs from "node:fs";
import { join } from "node:path";

export interface Run {
  /** The process of `npm start`. */
  readonly pid: number;
  readonly url: string;
  /** Of the programs, by name. */
  readonly pids: Readonly<Record<string, number>>;
}

/** Null when nothing runs; a file that a killed process left behind counts as nothing. */
export async function readRun(data: string): Promise<Run | null> {
  let run: Run;
  try {
    run = JSON.parse(fs.readFileSync(join(data, "run.json"), "utf8")) as Run;
  } catch {
    return null;
  }
  const answer = await fetch(`${run.url}/-/healthy`).catch(() => null);
  return answer?.ok === true || isAlive(run.pid) ? run : null;
}

export function writeRun(data: string, run: Run): void {
  fs.writeFileSync(join(data, "run.json"), JSON.stringify(run), { mode: 0o600 });
}

export function removeRun(data: string): void {
  fs.rmSync(join(data, "run.json"), { force: true });
}

function isAlive(pid: number): boolean {
  try {
    // A reused number is not ours: the command must be this one.
    return (
      fs.readFileSync(`/proc/${pid}/comm`, "utf8").trim() !== "" &&
      fs.readlinkSync(`/proc/${pid}/exe`) === fs.realpathSync(process.execPath)
    );
  } catch {
    return false;
  }
}
