/** A moment or an age, as text that a machine can read too. */
import { nowMs } from "../state/store.ts";
import { language, timeStyle } from "../state/settings.ts";
import { formatAge, formatDayTime, formatMoment } from "../view/time.ts";

/** "03:12:41 GMT+8". Without `zone` only where the zone is printed once for all. */
export function Moment({ atMs, zone = true }: { atMs: number; zone?: boolean }) {
  const text = (zone ? formatMoment : formatDayTime)(atMs, nowMs.value, timeStyle.value);
  return (
    <time dateTime={new Date(atMs).toISOString()} class="nowrap">
      {text}
    </time>
  );
}

/** How long ago `atMs` was, in words of the reader; redrawn with the clock. */
export function ageSince(atMs: number): string {
  return formatAge(nowMs.value - atMs, language.value);
}
