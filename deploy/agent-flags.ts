/**
 * How Node is started for the agent: the one place for `deploy/systemd`, the containers, the start script and the benchmark.
 */
export const agentFlags: readonly string[] = [
  "--jitless",
  "--max-semi-space-size=1",
  "--single-threaded",
  "--v8-pool-size=0",
];
export const agentEnvironment: Readonly<Record<string, string>> = {
  UV_THREADPOOL_SIZE: "1",
  MALLOC_ARENA_MAX: "1",
};
