/** Single metrics with labels: `index.json`, per series `<id>.val.f64` (or `.f32`) and `<id>.lab.u8`, training half first. */
import { join } from "node:path";
import { DataError, numberOf, readEither, readIndex, readLabels } from "./read.ts";
import { type LabelledSeries, regularTimes } from "./series.ts";

export function loadUnivariate(folder: string): LabelledSeries[] {
  const index = join(folder, "index.json");
  return readIndex(index).series.map((entry) => {
    const id = entry["id"] as string;
    const rows = numberOf(index, entry, "n", 1);
    const trainRows = numberOf(index, entry, "nTrain", 0);
    if (trainRows > rows) {
      throw new DataError(`${index}: series ${id}: want "nTrain" of at most "n" ${rows}, got ${trainRows}`);
    }
    const intervalMs = 1000 * numberOf(index, entry, "intervalSec", 0.001, false);
    const firstMs = 1000 * numberOf(index, entry, "t0", 0, false);
    return {
      id,
      timesMs: regularTimes(firstMs, intervalMs, rows),
      values: readEither(join(folder, `${id}.val`), rows),
      intervalMs,
      labels: readLabels(join(folder, `${id}.lab.u8`), rows),
      trainRows,
    };
  });
}
