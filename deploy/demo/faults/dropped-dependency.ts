/** Somebody else's system is gone: the card network refuses connections, and only card payments fail. */
import type { Fault } from "./fault.ts";

export const fault: Fault = {
  name: "dropped-dependency",
  does: {
    en: "the card network cannot be reached, so card payments fail",
    zh: "外部卡组织网络无法连接，卡支付失败",
  },
  cause: { kind: "service", name: "cards", host: "ext-01", resource: "network" },
  seconds: 180,
  start: (bank) => bank.turn("cards", { unreachable: true }),
  stop: (bank) => bank.restore(),
};
