/** The bank's front door: sends each product to whoever does it, and counts every transaction as the customer saw it. */
import type { Product, Txn } from "../kit/message.ts";
import type { Service, ServiceParts } from "../kit/service.ts";
import type { ServiceName } from "../layout.ts";

const ways: Readonly<Record<Product, readonly [ServiceName, string]>> = {
  login: ["login", "/sign-in"],
  balance: ["accounts", "/balance"],
  statement: ["accounts", "/statement"],
  transfer: ["payments", "/transfer"],
  card: ["payments", "/card"],
};

export function makeGateway({ clock, telemetry, call }: ServiceParts): Service {
  const count = telemetry.count("bank_txn_total", "{transaction}", "Transactions by how they ended");
  const measure = telemetry.measure(
    "bank_txn_duration_seconds",
    "s",
    "Duration of transactions at the front door",
  );
  return {
    routes: {
      async "/txn"(txn: Txn) {
        const startedMs = clock.monotonicMs();
        const [service, route] = ways[txn.product];
        const reply = await call(service, route, txn);
        const { channel, product, region } = txn;
        count(1, { channel, product, region, result: reply.result, code: reply.code });
        measure((clock.monotonicMs() - startedMs) / 1000, { channel, product, region });
        return reply;
      },
    },
  };
}
