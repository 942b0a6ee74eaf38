/** What a drill's fault is: something really wrong on this machine, bounded in size and time, that cleans up after itself. */
import type { Cause } from "#shared/contract/incident.ts";

export interface FaultContext {
  /** Scratch directory of this drill; removed afterwards. */
  readonly scratch: string;
  /** Process ids of a running `npm start`, by program; empty when there is none. */
  readonly pids: Readonly<Record<string, number>>;
  readonly say: (text: string) => void;
}

export interface RunningFault {
  /** What was done, for the report. */
  readonly what: string;
  /** Whether a cause names what was really done. */
  isRight(cause: Cause): boolean;
  /** Ends the fault; called once, also when the drill fails. */
  stop(): Promise<void>;
}

export interface Fault {
  readonly name: string;
  readonly describe: string;
  /** Something that must be there and be learned before it can go wrong; 0 when nothing. */
  readonly prepareMs: number;
  /** Called `prepareMs` before `start`. */
  prepare?(context: FaultContext): Promise<void>;
  /** Begins the fault; throws an Error that says why when it cannot be had on this machine. */
  start(context: FaultContext): Promise<RunningFault>;
}
