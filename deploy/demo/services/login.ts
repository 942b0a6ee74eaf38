/** Signs customers in: one look at the account; one in forty types a wrong password. */
import { done, refused } from "../kit/message.ts";
import type { Service, ServiceParts } from "../kit/service.ts";

const wrongPasswordShare = 0.025;

export function makeLogin({ call }: ServiceParts): Service {
  return {
    routes: {
      async "/sign-in"(txn) {
        const account = await call("database", "/account", txn);
        if (account.result !== "ok") return account;
        return txn.chance < wrongPasswordShare ? refused("B01") : done;
      },
    },
  };
}
