/** A check that has become dear: the risk service burns most of its one thread, and every payment waits for it. */
import type { Fault } from "./fault.ts";

export const fault: Fault = {
  name: "cpu-hog",
  does: {
    en: "the risk service burns 85 % of a core, so payments wait for their check",
    zh: "风控服务占用 85% 的一个 CPU 核，支付都在等待风控检查",
  },
  cause: { kind: "service", name: "risk", host: "app-02", resource: "cpu" },
  seconds: 180,
  start: (bank) => bank.turn("risk", { burnShare: 0.85 }),
  stop: (bank) => bank.restore(),
};
