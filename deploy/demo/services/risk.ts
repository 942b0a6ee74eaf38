/** Is this payment like the customer's others? Reads the account's last entries, and declines one in a hundred. */
import { done, refused } from "../kit/message.ts";
import type { Service, ServiceParts } from "../kit/service.ts";

const declinedShare = 0.01;

export function makeRisk({ call }: ServiceParts): Service {
  return {
    routes: {
      async "/check"(txn) {
        const history = await call("database", "/history", txn);
        if (history.result !== "ok") return history;
        return txn.chance > 1 - declinedShare ? refused("B05") : done;
      },
    },
  };
}
