/** Somebody's open session sits on the ledger's lock for 700 ms at a time: bookings queue, and nothing is busy. */
import type { Fault } from "./fault.ts";

export const fault: Fault = {
  name: "lock-contention",
  does: {
    en: "a session holds the ledger's lock for 700 ms again and again; bookings queue behind it",
    zh: "某个会话反复占用账务锁 700 毫秒，记账请求排队等待",
  },
  cause: { kind: "service", name: "database", host: "db-01", resource: "none" },
  seconds: 180,
  start: (bank) => bank.turn("database", { lockHeldMs: 700 }),
  stop: (bank) => bank.restore(),
};
