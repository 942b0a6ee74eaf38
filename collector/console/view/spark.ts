/** A curve as an SVG path of a few hundred characters, for the list, where a canvas for each row would be too much. */
import type { ValueRange } from "./chart-data.ts";

/** A gap lifts the pen. Empty when there is nothing to draw. */
export function sparkPath(
  values: readonly (number | null)[],
  range: ValueRange,
  width: number,
  height: number,
): string {
  if (values.length < 2) return "";
  const span = range.max - range.min || 1;
  let path = "";
  let pen = "M";
  for (const [i, value] of values.entries()) {
    if (value === null) {
      pen = "M";
      continue;
    }
    const x = (i / (values.length - 1)) * width;
    const y = height - ((value - range.min) / span) * height;
    path += `${pen}${x.toFixed(1)} ${y.toFixed(1)}`;
    pen = "L";
  }
  return path;
}

/** At most `pointsMax` values, each bucket by the value that lies farthest from the middle of `range`: peaks stay. */
export function thin(
  values: readonly (number | null)[],
  range: ValueRange,
  pointsMax: number,
): (number | null)[] {
  if (values.length <= pointsMax) return [...values];
  const middle = (range.min + range.max) / 2;
  const size = values.length / pointsMax;
  return Array.from({ length: pointsMax }, (_, bucket) => {
    const known = values
      .slice(Math.floor(bucket * size), Math.floor((bucket + 1) * size))
      .filter((value) => value !== null);
    if (known.length === 0) return null;
    return known.reduce((far, value) => (Math.abs(value - middle) > Math.abs(far - middle) ? value : far));
  });
}
