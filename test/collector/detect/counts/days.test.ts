import assert from "node:assert/strict";
import { test } from "node:test";
import type { Anomaly } from "#shared/anomaly.ts";
import {
  dayMs,
  hourMs,
  minuteMs,
  payments,
  Random,
  type Service,
  startMs,
  type Tick,
  ticksOf,
  Watched,
} from "./flow-days.ts";

const noonMs = startMs + 2 * dayMs + 12 * hourMs;
const nightMs = startMs + 2 * dayMs + 3.5 * hourMs;

/** Two and a half days of a service, of which something happens to the ticks of one stretch. */
function days(
  fromMs: number,
  forMs: number,
  happens: (tick: Tick, random: Random) => Tick,
  service: Service = payments,
): { begun: Anomaly[]; told: Anomaly[] } {
  const watched = new Watched();
  const random = new Random(11);
  for (const tick of ticksOf(service, 2.75, 3)) {
    const within = tick.timeMs > fromMs && tick.timeMs <= fromMs + forMs;
    watched.tick(within ? happens(tick, random) : tick);
  }
  return { begun: watched.begun(), told: watched.told };
}

const failing = (share: number) => (tick: Tick, random: Random) => ({
  ...tick,
  failures: random.binomial(tick.events, share),
});
const nothing = ({ timeMs }: Tick): Tick => ({ timeMs, events: 0, failures: 0 });

function only(begun: readonly Anomaly[], fromMs: number, withinMs: number): Anomaly {
  const [first, ...others] = begun;
  assert.ok(first !== undefined, "nothing was told");
  assert.deepEqual(
    others.map(({ id }) => id),
    [],
  );
  assert.ok(first.lastMs <= fromMs + withinMs, `told after ${(first.lastMs - fromMs) / 1000} s`);
  return first;
}

test("two of three that fail at night are no outage", () => {
  const three = (tick: Tick): Tick =>
    tick.timeMs % minuteMs === 0 ? { ...tick, events: 3, failures: 2 } : nothing(tick);
  assert.deepEqual(days(nightMs, minuteMs, three).begun, []);
});

test("30 of 1,000 that fail by day where 3 are usual are told within three minutes, and over when they are", () => {
  const { begun, told } = days(noonMs, 30 * minuteMs, failing(0.03));
  const first = only(begun, noonMs, 3 * minuteMs);
  assert.ok(first.startedMs >= noonMs, `${first.startedMs - noonMs}`);
  assert.equal(first.reasons[0]?.key, "reason.failed");
  const usual = Number(first.reasons[0]?.args["usual"]);
  assert.ok(usual > 0.002 && usual < 0.004, `${usual}`);
  const end = told.find(({ id, ended }) => id === first.id && ended);
  assert.ok(end !== undefined && end.lastMs <= noonMs + 35 * minuteMs);
});

test("all that fail at one a minute are told once there is evidence, and stay told for as long as they fail", () => {
  const { begun, told } = days(nightMs, 45 * minuteMs, failing(1));
  const first = only(begun, nightMs, 10 * minuteMs);
  const end = told.find(({ id, ended }) => id === first.id && ended);
  assert.ok(end !== undefined && end.lastMs > nightMs + 45 * minuteMs);
});

test("no requests by day are told within two minutes; at night nobody misses them", () => {
  const first = only(days(noonMs, 20 * minuteMs, nothing).begun, noonMs, 2 * minuteMs);
  assert.equal(first.reasons[0]?.key, "reason.volume");
  assert.equal(first.direction, "down");
  assert.equal(first.startedMs, noonMs + 10_000);
  assert.deepEqual(days(nightMs, 40 * minuteMs, nothing).begun, []);
});

test("a third of the usual requests is less than usual, but not none", () => {
  const third = (tick: Tick): Tick => ({ ...tick, events: Math.round(tick.events / 3), failures: 0 });
  assert.deepEqual(days(noonMs, 30 * minuteMs, third).begun, []);
});

test("most that fail stay an anomaly for as long as they do; a few more are how it is after two hours", () => {
  const most = days(noonMs, 4 * hourMs, failing(0.8));
  assert.deepEqual(
    most.told
      .filter(({ detector, ended }) => detector === "counts" && ended)
      .map(({ lastMs }) => lastMs >= noonMs + 4 * hourMs),
    [true],
  );
  const few = days(noonMs, 4 * hourMs, failing(0.04));
  const end = few.told.find(({ detector, ended }) => detector === "counts" && ended);
  assert.ok(end !== undefined && Math.abs(end.lastMs - noonMs - 2 * hourMs) <= 10 * minuteMs);
  assert.equal(few.begun.length, 1);
});

test("a hundred quiet days, from two to 20,000 requests a minute, bring one false alarm at most", () => {
  const begun: Anomaly[] = [];
  for (const [index, perMinute] of [2, 20, 200, 2_000, 20_000].entries()) {
    for (const share of [0.0005, 0.003, 0.03, 0.2]) {
      const watched = new Watched(30_000);
      // Shares that vary by two fifths of themselves from one five minutes to the next.
      const service = { ...payments, perMinute, share, bursty: 0.16 * share };
      for (const tick of ticksOf(service, 5, index + share * 1e4, 30_000)) watched.tick(tick);
      begun.push(...watched.begun());
    }
  }
  assert.ok(begun.length <= 1, JSON.stringify(begun.map(({ reasons }) => reasons[0])));
});

test("what stops every day or every hour is not told for stopping", () => {
  const isOpen: Record<string, (timeMs: number) => boolean> = {
    "a shop": (timeMs) => (timeMs / hourMs) % 24 >= 9.3 && (timeMs / hourMs) % 24 < 17.8,
    "a batch of half an hour": (timeMs) => (timeMs / minuteMs) % 60 < 30,
    "a batch of ten minutes": (timeMs) => (timeMs / minuteMs) % 15 < 10,
    "a burst": (timeMs) => (timeMs / minuteMs) % 5 < 1,
  };
  for (const [name, open] of Object.entries(isOpen)) {
    const watched = new Watched(30_000);
    for (const tick of ticksOf({ ...payments, nightShare: 1 }, 4, 9, 30_000))
      watched.tick(open(tick.timeMs) ? tick : nothing(tick));
    assert.deepEqual(watched.begun(), [], name);
  }
});
