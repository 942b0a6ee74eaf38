/** Connections that are never given back: payments has none left of six, while the database itself is well. */
import type { Fault } from "./fault.ts";

export const fault: Fault = {
  name: "pool-exhaustion",
  does: {
    en: "payments leaks all six of its connections to the database and finds none free",
    zh: "支付服务泄漏了全部六个数据库连接，再也取不到空闲连接",
  },
  cause: { kind: "service", name: "payments", host: "app-02", resource: "none" },
  seconds: 180,
  start: (bank) => bank.turn("payments", { connectionsHeld: 6 }),
  stop: (bank) => bank.restore(),
};
