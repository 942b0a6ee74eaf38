/** What services of the bank say to each other: a transaction, and how it ended. */
export const results = ["ok", "biz_fail", "sys_fail", "timeout"] as const;
export type Result = (typeof results)[number];

export const channels = ["mobile", "web", "branch", "atm"] as const;
export const products = ["login", "balance", "statement", "transfer", "card"] as const;
export const regions = ["north", "south", "east"] as const;
export type Channel = (typeof channels)[number];
export type Product = (typeof products)[number];
export type Region = (typeof regions)[number];

/** What a customer asked for. Everything by which a service decides travels with it, so that the same load has the same end. */
export interface Txn {
  readonly id: number;
  readonly channel: Channel;
  readonly product: Product;
  readonly region: Region;
  readonly account: number;
  readonly other: number;
  /** In cents. */
  readonly amount: number;
  /** Uniform in [0, 1): a wrong password, a suspicious pattern, a blocked card is what falls below a service's share. */
  readonly chance: number;
}

export interface Reply {
  readonly result: Result;
  /** "0000" is success; B.. business, S500 failed, C503 nobody listened, P503 no connection of the pool was free, T504 no answer in time. */
  readonly code: string;
  readonly value?: number;
}

export const done: Reply = { result: "ok", code: "0000" };

export function refused(code: string): Reply {
  return { result: "biz_fail", code };
}

export function failed(code: string): Reply {
  return { result: "sys_fail", code };
}

/** HTTP's words for an end: what the business refused is the customer's, the rest is ours. */
export function statusOf({ result }: Reply): number {
  switch (result) {
    case "ok":
      return 200;
    case "biz_fail":
      return 422;
    case "sys_fail":
      return 500;
    case "timeout":
      return 504;
  }
}
