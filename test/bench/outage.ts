/**
 * A data centre of made-up hosts with six series each, as their agents tell them: usual for a while, then an outage that reaches every
 * host within four ticks and lifts all six series at once. Values are the same at every run; all hosts stand in one zone.
 */
import { canonicalLabels, type Series } from "#shared/series.ts";
import { frameMaker } from "./agents-wire.ts";
import { seeded } from "./report.ts";

const reachTicks = 4;
const zone = "dc-2";

interface Sign {
  readonly series: Series;
  readonly usual: number;
  readonly abnormal: number;
}

function sign(
  metric: string,
  unit: string,
  [usual, abnormal]: readonly [number, number],
  { labels = [], counter = false }: { labels?: readonly [string, string][]; counter?: boolean } = {},
): Sign {
  const instrument = counter ? "counter" : "gauge";
  const series = {
    metric,
    unit,
    instrument,
    decimals: counter ? 0 : 3,
    labels: canonicalLabels(labels),
  } as const;
  return { series, usual, abnormal };
}

/** A counter's values are a second's. */
const signs: readonly Sign[] = [
  sign("system.cpu.utilization", "1", [0.22, 0.985]),
  sign("system.memory.utilization", "1", [0.5, 0.975]),
  sign("system.linux.load_1m", "{thread}", [1.5, 60]),
  sign("http_request_duration_seconds", "s", [0.08, 4], { labels: [["quantile", "0.99"]] }),
  sign("system.filesystem.utilization", "1", [0.4, 0.99], {
    labels: [["system.filesystem.mountpoint", "/var"]],
  }),
  sign("system.network.tcp.retransmits", "{segment}", [4, 900], { counter: true }),
];

export const seriesPerHost = signs.length;

/** What the hosts do, as their names say. */
const roles = [
  "web",
  "gateway",
  "login",
  "payments",
  "cards",
  "ledger",
  "core-db",
  "cache",
  "mq",
  "report",
] as const;

export function hostNames(hosts: number): string[] {
  return Array.from({ length: hosts }, (_, host) => {
    const number = 1 + Math.floor(host / roles.length);
    return `${roles[host % roles.length]}-${String(number).padStart(3, "0")}`;
  });
}

/** The next frame of every host, by host, at `timeMs`; `outageTick` counts from 0 when the outage begins, and is negative before. */
export type NextFrames = (timeMs: number, outageTick: number) => Uint8Array[];

export function createOutage(names: readonly string[], intervalMs: number): NextFrames {
  const random = seeded(11);
  const series = signs.map((one) => one.series);
  const all = names.map((name, host) => ({
    make: frameMaker(host, series, intervalMs, [
      ["cloud.availability_zone", zone],
      ["host.name", name],
      ["host.ip", `10.2.${host >> 8}.${host & 255}`],
      ["os.description", "Made-up Linux 1"],
      ["service.version", "0.1.0"],
    ]),
    reachedAt: host % reachTicks,
    totals: signs.map(() => 0),
  }));
  return (timeMs, outageTick) =>
    all.map(({ make, reachedAt, totals }) => {
      const values = signs.map(({ series: { instrument }, usual, abnormal }, column) => {
        const level = outageTick >= reachedAt ? abnormal : usual;
        // Five in a hundred to both sides, but no share goes beyond 1.
        const value = level * (level === abnormal ? 1 - 0.01 * random() : 0.95 + 0.1 * random());
        if (instrument === "gauge") return Math.round(value * 1000) / 1000;
        totals[column]! += Math.round((value * intervalMs) / 1000);
        return totals[column]!;
      });
      return make(timeMs, Float64Array.from(values));
    });
}
