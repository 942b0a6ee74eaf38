/** What a customer has: the balance from the database, the statement from the ledger. */
import type { Service, ServiceParts } from "../kit/service.ts";

export function makeAccounts({ call }: ServiceParts): Service {
  return {
    routes: {
      "/balance": (txn) => call("database", "/account", txn),
      async "/statement"(txn) {
        const account = await call("database", "/account", txn);
        return account.result === "ok" ? call("ledger", "/entries", txn) : account;
      },
    },
  };
}
