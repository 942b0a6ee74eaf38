/** What is believed of one host's series, for those who ask: also what is too far away to be told. */
import { limits } from "#shared/limits.ts";
import type { RunsOut } from "#shared/runs-out.ts";
import type { Meaning } from "#shared/semantics.ts";
import { spanOfExpiry } from "./expiry.ts";
import type { Watch } from "./watch.ts";

export interface Forecast extends RunsOut {
  readonly series: string;
  readonly metric: string;
  readonly meaning: Meaning;
  readonly value: number;
  /** It is near enough to have been told. */
  readonly told: boolean;
}

/** Soonest first, at most `limits.forecastsListedMax`. */
export function listingOf(watches: Iterable<Watch>): Forecast[] {
  const all = Array.from(watches).flatMap((watch) => forecastOf(watch) ?? []);
  const order = (a: Forecast, b: Forecast) => a.likelyMs - b.likelyMs || (a.series < b.series ? -1 : 1);
  return all.sort(order).slice(0, limits.forecastsListedMax);
}

function forecastOf({ subject, value, outlook, expiry }: Watch): Forecast | undefined {
  const { id: series, metric, meaning } = subject;
  const common = { series, metric, meaning, value };
  if (expiry !== null && expiry.told !== null)
    return { ...common, what: "expiry", ...spanOfExpiry(expiry), told: true };
  const { believed, told } = outlook;
  if (believed === null) return undefined;
  const { likelyMs, earliestMs, latestMs } = believed;
  return { ...common, what: "full", likelyMs, earliestMs, latestMs, told: told !== null };
}
