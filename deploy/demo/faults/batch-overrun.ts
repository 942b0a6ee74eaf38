/** The batch does not come to an end, and nothing is settled meanwhile: no customer sees an error, the queue grows in silence. */
import type { Fault } from "./fault.ts";

export const fault: Fault = {
  name: "batch-overrun",
  does: {
    en: "the settlement batch does not end; transfers pile up in its queue and no error is seen",
    zh: "清算批处理一直不结束，转账在队列中堆积，但看不到任何错误",
  },
  cause: { kind: "service", name: "settlement", host: "core-01", resource: "none" },
  seconds: 240,
  start: (bank) => bank.turn("settlement", { batchEndless: true }),
  stop: (bank) => bank.restore(),
};
