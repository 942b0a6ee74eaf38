/** A slow way between two hosts: what accounts asks of the ledger takes 400 ms longer, though both ends are well. */
import type { Fault } from "./fault.ts";

export const fault: Fault = {
  name: "edge-latency",
  does: {
    en: "each call from accounts to the ledger takes 400 ms longer on the way",
    zh: "账户服务到账务服务的每次调用在途中多耗时 400 毫秒",
  },
  cause: { kind: "service", name: "accounts", host: "app-01", resource: "network" },
  seconds: 180,
  start: (bank) => bank.turn("accounts", { delayTo: { service: "ledger", ms: 400 } }),
  stop: (bank) => bank.restore(),
};
