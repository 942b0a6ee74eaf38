/** What is read is never let go: the accounts service grows by 3 MB a second, up to 256 MiB. */
import type { Fault } from "./fault.ts";

export const fault: Fault = {
  name: "memory-leak",
  does: {
    en: "the accounts service keeps 3 MB more every second, up to 256 MiB",
    zh: "账户服务每秒多占用 3 MB 内存且不释放，最多 256 MiB",
  },
  cause: { kind: "service", name: "accounts", host: "app-01", resource: "memory" },
  seconds: 180,
  start: (bank) => bank.turn("accounts", { leakBytesPerSecond: 3_000_000 }),
  stop: (bank) => bank.restore(),
};
