/** Transfers and card payments: the account, the risk, for a card its network, the booking; settlement follows by itself. */
import { done } from "../kit/message.ts";
import type { Service, ServiceParts } from "../kit/service.ts";
import type { Reply, Txn } from "../kit/message.ts";

export function makePayments({ call }: ServiceParts): Service {
  /** Asks one after another, until one says no. */
  const inTurn = async (...steps: (() => Promise<Reply>)[]): Promise<Reply> => {
    for (const step of steps) {
      const reply = await step();
      if (reply.result !== "ok") return reply;
    }
    return done;
  };
  const checked = (txn: Txn) => [() => call("database", "/account", txn), () => call("risk", "/check", txn)];
  return {
    routes: {
      "/transfer": (txn) =>
        inTurn(
          ...checked(txn),
          () => call("ledger", "/book", txn),
          () => call("settlement", "/enqueue", txn),
        ),
      "/card": (txn) =>
        inTurn(
          ...checked(txn),
          () => call("cards", "/authorise", txn),
          () => call("ledger", "/book", txn),
        ),
    },
  };
}
