/** The books: writes entries, reads them back, marks them as settled. One payment in fifty exceeds what the account has. */
import { refused } from "../kit/message.ts";
import type { Service, ServiceParts } from "../kit/service.ts";

/** In cents; with the load's amounts one in fifty is larger. */
const amountMax = 150_000;

export function makeLedger({ call }: ServiceParts): Service {
  return {
    routes: {
      "/book": (txn) => (txn.amount > amountMax ? refused("B51") : call("database", "/book", txn)),
      "/entries": (txn) => call("database", "/history", txn),
      "/settle": (txn) => call("database", "/settle", txn),
    },
  };
}
