/** An index is gone: every look at an account's entries reads the whole table, and the database has one thread. */
import type { Fault } from "./fault.ts";

export const fault: Fault = {
  name: "slow-query",
  does: {
    en: "the index of the entries is dropped, so that each history reads the whole table",
    zh: "流水表的索引被删除，每次查询流水都要全表扫描",
  },
  cause: { kind: "service", name: "database", host: "db-01", resource: "cpu" },
  seconds: 180,
  start: (bank) => bank.turn("database", { indexDropped: true }),
  stop: (bank) => bank.restore(),
};
