/**
 * How Node is started for the collector: the one place for `deploy/systemd`, the container, the start script and the benchmark.
 */
export const collectorFlags: readonly string[] = [
  // Room for what lives for a moment. Left to itself V8 keeps 128 MiB: a million series take 560 MB of memory with that and 460 MB
  // with this, at the same cost of a sample (`npm run bench -- detect --million`).
  "--max-semi-space-size=16",
];
