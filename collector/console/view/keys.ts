/**
 * Single keys as commands. Pure: the listener is in `main.tsx`. "g i" is two keys within a second and a half. Keys with
 * Ctrl, Alt or Meta belong to the browser; keys typed into a field belong to the field.
 */
export type Command =
  | "next"
  | "previous"
  | "open"
  | "back"
  | "acknowledge"
  | "useful"
  | "noise"
  | "withdraw"
  | "cause"
  | "help"
  | "goIncidents"
  | "goHosts"
  | "goFeedback"
  | "search";

export interface KeyPress {
  readonly key: string;
  readonly atMs: number;
  readonly modified: boolean;
  readonly typing: boolean;
}

/** When `g` was pressed, or null. */
export type KeyState = number | null;

const sequenceMs = 1500;

const single: ReadonlyMap<string, Command> = new Map([
  ["j", "next"],
  ["k", "previous"],
  ["Enter", "open"],
  ["Escape", "back"],
  ["a", "acknowledge"],
  ["u", "useful"],
  ["n", "noise"],
  ["w", "withdraw"],
  ["e", "cause"],
  ["?", "help"],
  ["/", "search"],
]);

const afterG: ReadonlyMap<string, Command> = new Map([
  ["i", "goIncidents"],
  ["h", "goHosts"],
  ["f", "goFeedback"],
]);

export function pressKey(state: KeyState, press: KeyPress): { state: KeyState; command: Command | null } {
  if (press.modified || press.typing) return { state: null, command: null };
  const pending = state !== null && press.atMs - state <= sequenceMs;
  if (pending) return { state: null, command: afterG.get(press.key) ?? null };
  if (press.key === "g") return { state: press.atMs, command: null };
  return { state: null, command: single.get(press.key) ?? null };
}
