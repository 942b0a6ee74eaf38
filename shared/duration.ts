/** "15m" <-> milliseconds. Windows are set in time, never in samples. */
import { ConfigError } from "./errors.ts";

const unitsMs: readonly (readonly [string, number])[] = [
  ["d", 86_400_000],
  ["h", 3_600_000],
  ["m", 60_000],
  ["s", 1_000],
  ["ms", 1],
];

/** Parses "90s", "1h30m", "250ms". Throws `ConfigError` for anything else; `what` names the setting in the message. */
export function parseDuration(text: string, what = "duration"): number {
  const parts = [...text.matchAll(/(\d+)(ms|[dhms])/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join("") !== text) {
    throw new ConfigError([`${what}: want a duration like "15m" or "1h30m", got ${JSON.stringify(text)}`]);
  }
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitMs(unit), 0);
}

function unitMs(unit: string | undefined): number {
  return unitsMs.find(([name]) => name === unit)?.[1] ?? 0;
}

/** The two largest units: 5400000 -> "1h30m", 250 -> "250ms", 0 -> "0s". Rounds down. */
export function formatDuration(durationMs: number): string {
  let restMs = Math.max(0, Math.floor(durationMs));
  const parts: string[] = [];
  for (const [name, sizeMs] of unitsMs) {
    const count = Math.floor(restMs / sizeMs);
    if (count > 0 && (name !== "ms" || parts.length === 0)) parts.push(`${count}${name}`);
    restMs -= count * sizeMs;
    if (parts.length === 2) break;
  }
  return parts.join("") || "0s";
}

/** As people say an estimate: to 1 min below 20 min, 5 min below 2 h, 30 min below 12 h, 1 h below 3 d, else half a day. */
export function roundDuration(durationMs: number): number {
  const [, stepMs] = roundings.find(([belowMs]) => Math.abs(durationMs) < belowMs) ?? [0, 12 * 3_600_000];
  return Math.round(durationMs / stepMs) * stepMs;
}

const roundings: readonly (readonly [belowMs: number, stepMs: number])[] = [
  [20 * 60_000, 60_000],
  [2 * 3_600_000, 5 * 60_000],
  [12 * 3_600_000, 30 * 60_000],
  [3 * 86_400_000, 3_600_000],
];
