/**
 * Time zones: from an IANA name to the instants at which its offset changes, which is all that the calendar knows of it.
 *
 * The rules come with Node's ICU, so a zone that a government changes needs a newer Node; the table is part of the policy, and
 * a changed one shows as another policy. Cost: about 2,000 questions to ICU at start.
 */
import type { OffsetTable } from "#collector/detect/calendar.ts";

const fromMs = Date.UTC(2020, 0, 1);
const toMs = Date.UTC(2041, 0, 1);
/** No zone has changed its offset and changed it back within a week. */
const stepMs = 7 * 86_400_000;
const grainMs = 60_000;

export function isTimeZone(zone: string): boolean {
  try {
    return new Intl.DateTimeFormat("en", { timeZone: zone }).resolvedOptions().timeZone !== "";
  } catch (error) {
    if (error instanceof RangeError) return false;
    throw error;
  }
}

/** From 2020 to 2040; before and after, the nearest offset holds. Throws RangeError for a zone that ICU does not know. */
export function offsetTable(zone: string): OffsetTable {
  const format = new Intl.DateTimeFormat("en", { timeZone: zone, timeZoneName: "longOffset" });
  const minutesAt = (timeMs: number): number => {
    const name = format.formatToParts(timeMs).find(({ type }) => type === "timeZoneName")?.value ?? "";
    const [, sign, hours = "0", minutes = "0"] = /^GMT(?:([+-])(\d{2}):(\d{2}))?/.exec(name) ?? [];
    return (sign === "-" ? -1 : 1) * (Number(hours) * 60 + Number(minutes));
  };
  const sinceMs = [fromMs];
  const minutes = [minutesAt(fromMs)];
  for (let atMs = fromMs; atMs < toMs; atMs += stepMs) {
    const after = minutesAt(atMs + stepMs);
    if (after === minutes.at(-1)) continue;
    let low = atMs;
    let high = atMs + stepMs;
    while (high - low > grainMs) {
      const middle = low + Math.floor((high - low) / 2 / grainMs) * grainMs;
      if (minutesAt(middle) === after) high = middle;
      else low = middle;
    }
    sinceMs.push(high);
    minutes.push(after);
  }
  return { sinceMs, minutes };
}
