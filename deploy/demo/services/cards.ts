/** Stands for the card network, which is somebody else's: far away, and one card in sixty is declined. */
import { sleep } from "#shared/clock.ts";
import { done, refused } from "../kit/message.ts";
import type { Service, ServiceParts } from "../kit/service.ts";

const roundTripMs = 18;
const spreadMs = 12;
const declinedShare = 1 / 60;

export function makeCards({ clock }: ServiceParts): Service {
  return {
    routes: {
      async "/authorise"(txn) {
        await sleep(clock, roundTripMs + spreadMs * txn.chance);
        return txn.chance < declinedShare ? refused("B57") : done;
      },
    },
  };
}
