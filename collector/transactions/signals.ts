/**
 * The four golden signals of each service in a cube: volume, business success, system success, latency.
 *
 * Over the last five whole minutes. A service is what a label says that names one; leaves without are told as "". Business success is what
 * came to the end that the customer wished, of all that was tried; system success is all but what the system failed. Latency is
 * the mean: the counter of seconds divided by the number that took them.
 */
import { type Cube, minute, minuteOf } from "./cube.ts";

export interface ServiceSignals {
  readonly service: string;
  readonly attemptsPerMinute: number;
  readonly usualPerMinute: number;
  /** Shares of the attempts; null when there were none. */
  readonly businessSuccess: number | null;
  readonly systemSuccess: number | null;
  /** Mean; null when nothing tells it. */
  readonly latencySeconds: number | null;
}

const serviceLabels = ["service.name", "service", "system", "app", "application"];
const windowMinutes = 5;

/** `timed` is the cube whose counters of seconds tell the latency: the same, or that of the durations. */
export function signalsOf(cube: Cube, timed: Cube, timeMs: number): ServiceSignals[] {
  const to = minuteOf(timeMs) - 1;
  const from = to - windowMinutes + 1;
  const attempts = byService(cube, cube.sums(minute.attempts, from, to));
  const business = byService(cube, cube.sums(minute.business, from, to));
  const system = byService(cube, cube.sums(minute.system, from, to));
  const usual = byService(cube, cube.level(from));
  const seconds = byService(timed, timed.sums(minute.seconds, from, to));
  const answered = byService(timed, timed.sums(minute.attempts, from, to));
  return [...attempts]
    .map(([service, tried]) => {
      const failed = system.get(service) ?? 0;
      const share = (good: number): number | null => (tried > 0 ? good / tried : null);
      const [took, count] = [seconds.get(service) ?? 0, answered.get(service) ?? 0];
      return {
        service,
        attemptsPerMinute: tried / windowMinutes,
        usualPerMinute: usual.get(service) ?? 0,
        businessSuccess: share(tried - failed - (business.get(service) ?? 0)),
        systemSuccess: share(tried - failed),
        latencySeconds: took > 0 && count > 0 ? took / count : null,
      };
    })
    .filter(({ attemptsPerMinute, usualPerMinute }) => attemptsPerMinute > 0 || usualPerMinute > 0)
    .sort((a, b) => (a.service < b.service ? -1 : 1));
}

function byService(cube: Cube, column: Float64Array): Map<string, number> {
  const { attributes, values, codes, size } = cube.leaves();
  const label = serviceLabels.map((name) => attributes.indexOf(name)).find((dimension) => dimension !== -1);
  const sums = new Map<string, number>();
  for (let leaf = 0; leaf < size; leaf += 1) {
    const service = label === undefined ? "" : values[label]![codes[label]![leaf]!]!;
    sums.set(service, (sums.get(service) ?? 0) + column[leaf]!);
  }
  return sums;
}
