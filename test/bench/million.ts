/**
 * What a thousand hosts of a thousand series hold in memory, Node itself included, and what their ticks cost. Run in a process of its
 * own by `detect.ts`; prints figures as JSON.
 */
import { createDetect } from "#collector/detect/detect.ts";
import { createLoad, hostName } from "./load.ts";

const hosts = 1000;
const seriesPerHost = 1000;
const intervalMs = 10_000;
const startMs = 1_790_000_000_000;
/** Past the warm-up; the ticks after it, two steps of a minute, are timed. */
const warmTicks = 20;
const timedTicks = 12;

const detect = createDetect();
for (let host = 0; host < hosts; host += 1) {
  const [series] = createLoad({ hosts: 1, series: seriesPerHost, seed: host }).series;
  for (const [number, one] of series!.entries()) detect.define(hostName(host), number, one);
}
// All hosts are fed from one, or the load would be most of what is measured.
const load = createLoad({ hosts: 1, series: seriesPerHost, seed: 1 });
const numbers = Uint32Array.from({ length: seriesPerHost }, (_, index) => index);
let cpuUs = 0;
for (let tick = 0; tick < warmTicks + timedTicks; tick += 1) {
  const [values] = load.next();
  const timeMs = startMs + tick * intervalMs;
  const before = process.cpuUsage();
  for (let host = 0; host < hosts; host += 1)
    detect.judge({ host: hostName(host), timeMs, intervalMs, series: numbers, values: values! });
  const { user, system } = process.cpuUsage(before);
  if (tick >= warmTicks) cpuUs += user + system;
}
(globalThis as unknown as { gc: () => void }).gc();
const figures = {
  "detect.million_rss_mb": process.memoryUsage().rss / 1e6,
  "detect.million_ns_per_sample": (cpuUs * 1000) / (hosts * seriesPerHost * timedTicks),
};
process.stdout.write(JSON.stringify(figures));
