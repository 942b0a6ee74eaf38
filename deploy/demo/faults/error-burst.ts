/** One combination fails: two of three transfers in the mobile channel; all else of payments works. */
import type { Fault } from "./fault.ts";

export const fault: Fault = {
  name: "error-burst",
  does: {
    en: "two of three mobile transfers fail in payments; other channels and products work",
    zh: "手机渠道的转账在支付服务中有三分之二失败，其他渠道和产品正常",
  },
  cause: { kind: "service", name: "payments", host: "app-02", resource: "none" },
  seconds: 180,
  start: (bank) =>
    bank.turn("payments", {
      failing: { share: 0.66, code: "S500", channel: "mobile", product: "transfer" },
    }),
  stop: (bank) => bank.restore(),
};
