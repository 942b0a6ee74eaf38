/**
 * What the kernel says about one process in /proc/<pid>/stat (proc_pid_stat(5)). Pure.
 *
 * The second field is the program's name in brackets, and the program chooses it: it may hold spaces, brackets and
 * line ends. Only the last closing bracket ends it; behind it stand nothing but numbers.
 */
import type { Cursor } from "./cursor.ts";

/**
 * What /proc/<pid>/stat says; CPU in ticks, memory in pages. `commStart` and `commEnd` are places in the cursor's
 * bytes.
 */
export interface ProcessStat {
  commStart: number;
  commEnd: number;
  /** The letter: R running, S sleeping, D blocked, Z defunct, T or t stopped, I idle kernel thread. */
  state: number;
  /** The number of the process that started it, or that took it over. */
  parent: number;
  flags: number;
  cpuTicks: number;
  /** Of children that ended and were waited for. */
  childCpuTicks: number;
  startTicks: number;
  rssPages: number;
}

export function emptyProcessStat(): ProcessStat {
  return {
    commStart: 0,
    commEnd: 0,
    state: 0,
    parent: 0,
    flags: 0,
    cpuTicks: 0,
    childCpuTicks: 0,
    startTicks: 0,
    rssPages: 0,
  };
}

const openBracket = 40;
const closeBracket = 41;
/**
 * A program may call itself anything, brackets and spaces included; the kernel cuts at 15 bytes, for its own threads
 * at 63.
 */
const commBytesMax = 80;

/** Pure. False if the bytes are not of this form. */
export function parseProcessStat(cursor: Cursor, stat: ProcessStat): boolean {
  cursor.number();
  cursor.skipSpaces();
  if (cursor.peek() !== openBracket) return false;
  stat.commStart = cursor.at + 1;
  let close = Math.min(cursor.end - 1, stat.commStart + commBytesMax);
  while (close >= stat.commStart && cursor.bytes[close] !== closeBracket) close -= 1;
  if (close < stat.commStart) return false;
  stat.commEnd = close;
  cursor.at = close + 1;
  cursor.skipSpaces();
  stat.state = cursor.peek();
  cursor.skipWords(1);
  stat.parent = cursor.number();
  cursor.skipWords(4);
  stat.flags = cursor.number();
  cursor.skipWords(4);
  stat.cpuTicks = cursor.number() + cursor.number();
  stat.childCpuTicks = cursor.number() + cursor.number();
  cursor.skipWords(4);
  stat.startTicks = cursor.number();
  cursor.skipWords(1);
  stat.rssPages = cursor.number();
  return Number.isFinite(stat.rssPages);
}
