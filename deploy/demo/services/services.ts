/** All services of the bank by name. */
import type { Service, ServiceParts } from "../kit/service.ts";
import type { ServiceName } from "../layout.ts";
import { makeAccounts } from "./accounts.ts";
import { makeCards } from "./cards.ts";
import { makeDatabase } from "./database.ts";
import { makeGateway } from "./gateway.ts";
import { makeLedger } from "./ledger.ts";
import { makeLogin } from "./login.ts";
import { makePayments } from "./payments.ts";
import { makeRisk } from "./risk.ts";
import { makeSettlement } from "./settlement.ts";

export const makers: Readonly<Record<ServiceName, (parts: ServiceParts) => Service>> = {
  gateway: makeGateway,
  login: makeLogin,
  accounts: makeAccounts,
  payments: makePayments,
  risk: makeRisk,
  ledger: makeLedger,
  settlement: makeSettlement,
  database: makeDatabase,
  cards: makeCards,
};
