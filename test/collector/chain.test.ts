// Operators' feedback, the causes that they confirm, and changes on their way through the chain: what follows from them is a function of
// the journal, like everything else.
import assert from "node:assert/strict";
import { before, test } from "node:test";
import { type Chain, type ChainEvent, createChain } from "#collector/chain.ts";
import type { Incident } from "#shared/contract/incident.ts";
import type { Series } from "#shared/series.ts";
import { mulberry32 } from "#test/sim/scenario.ts";

const startMs = Date.UTC(2026, 0, 5);
const intervalMs = 10_000;
const hosts = ["pay-01", "pay-02", "pay-03", "pay-04"];
const cpu: Series = {
  metric: "system.cpu.utilization",
  unit: "1",
  instrument: "gauge",
  decimals: 3,
  labels: [],
};

/** Five minutes of load in every hour, a host after the other; between them nothing. */
function busy(tick: number, host: number): boolean {
  return tick > 90 && (tick + 90 * host) % 360 >= 330;
}

/** Four hours of four hosts; each new incident is answered a minute after it opened, `verdictOf` says how. */
function eventsOf(verdictOf: (opened: number) => "useful" | "noise" | "none"): ChainEvent[] {
  const chain = createChain();
  const random = mulberry32(11);
  const events: ChainEvent[] = [];
  const due: { tick: number; incident: string; verdict: "useful" | "noise" | "none" }[] = [];
  const known = new Set<string>();
  const say = (event: ChainEvent, tick: number): void => {
    events.push(event);
    for (const { id } of chain.apply(event).incidents) {
      if (known.has(id)) continue;
      known.add(id);
      due.push({ tick: tick + 6, incident: id, verdict: verdictOf(known.size) });
    }
  };
  for (const host of hosts) say({ kind: "define", host, number: 0, series: cpu }, 0);
  for (let tick = 0; tick < 1440; tick += 1) {
    const timeMs = startMs + tick * intervalMs;
    for (const [index, host] of hosts.entries()) {
      const value = (busy(tick, index) ? 0.62 : 0.1) + 0.02 * (2 * random() - 1);
      const batch = { host, timeMs, intervalMs, series: Uint32Array.of(0), values: Float64Array.of(value) };
      say({ kind: "batch", batch }, tick);
    }
    for (const { incident, verdict } of due.filter((one) => one.tick === tick)) {
      const command = { kind: "feedback", incident, verdict, by: "Wang Fang", comment: "" } as const;
      say({ kind: "command", command, nowMs: timeMs }, tick);
      const entity = verdict === "none" ? null : "batch:report";
      const cause = { kind: "cause", incident, entity, by: "Li Na", comment: "as yesterday" } as const;
      say({ kind: "command", command: cause, nowMs: timeMs }, tick);
    }
    if (tick % 100 === 90) {
      const target = { of: "host", name: hosts[tick % 4]! } as const;
      const change = { id: `c${tick % 400}`, kind: "batch", atMs: timeMs - 60_000, title: "report" } as const;
      say({ kind: "changes", changes: [{ ...change, target, by: "", link: "" }], nowMs: timeMs }, tick);
    }
    say({ kind: "tick", nowMs: timeMs + 1 }, tick);
  }
  return events;
}

function told(chain: Chain, events: readonly ChainEvent[]): Incident[] {
  return events.flatMap((event) => chain.apply(event).incidents);
}

let events: ChainEvent[] = [];
before(() => {
  // The third time that it is asked nobody answers; the fifth was worth it.
  events = eventsOf((opened) => (opened % 3 === 0 ? "none" : opened % 5 === 0 ? "useful" : "noise"));
});

test("feedback is in the incident, in its timeline and in the thresholds", () => {
  const chain = createChain();
  const incidents = told(chain, events);
  const [first] = incidents.filter(({ feedback }) => feedback !== null);
  assert.deepEqual(first?.feedback, {
    verdict: "noise",
    by: "Wang Fang",
    atMs: first?.updatedMs,
    comment: "",
  });
  assert.deepEqual(first?.timeline.at(-1)?.text, {
    key: "timeline.feedback_noise",
    args: { by: "Wang Fang" },
  });
  const { given, factors } = chain.detect.feedback();
  assert.ok(given.length > 2, `${given.length} answers in force`);
  assert.ok(
    factors.series.some(({ factor }) => factor > 1),
    "something was raised",
  );
  const later = incidents.flatMap(({ symptoms }) => symptoms).flatMap(({ reasons }) => reasons);
  assert.ok(later.some(({ key }) => key === "reason.feedback"));
});

test("changes and confirmed causes are in the incidents that they belong to, and in those that are like them", () => {
  const incidents = told(createChain(), events);
  assert.ok(incidents.some(({ changes }) => changes.length > 0));
  assert.ok(incidents.some(({ confirmedCause }) => confirmedCause?.entity === "batch:report"));
  assert.ok(incidents.some(({ similar }) => similar.some(({ cause }) => cause?.confirmed === true)));
});

test("the same journal gives the same incidents and the same state, byte for byte", () => {
  const [left, right] = [createChain(), createChain()];
  assert.deepEqual(told(left, events), told(right, events));
  assert.deepEqual(left.snapshot(), right.snapshot());
});

test("a restart at any moment changes nothing that follows", () => {
  const whole = createChain();
  const incidents = told(whole, events);
  const random = mulberry32(12);
  const answers = events.flatMap(({ kind }, index) => (kind === "command" ? [index, index + 1] : []));
  const anywhere = Array.from({ length: 8 }, () => Math.floor(random() * events.length));
  for (const at of [...answers, ...anywhere]) {
    const before = createChain();
    const earlier = told(before, events.slice(0, at));
    const after = createChain({ snapshot: before.snapshot() });
    assert.deepEqual([...earlier, ...told(after, events.slice(at))], incidents, `restarted at ${at}`);
    assert.deepEqual(after.snapshot(), whole.snapshot(), `restarted at ${at}`);
  }
});

test("when everything is withdrawn, thresholds are as if nobody had ever said anything", () => {
  const chain = createChain();
  told(chain, events);
  const nowMs = chain.nowMs();
  for (const { incident } of chain.detect.feedback().given) {
    // Most are forgotten by now, and come back with the command.
    const recalled = told(createChain(), events).findLast(({ id }) => id === incident);
    const command = {
      kind: "feedback",
      incident,
      verdict: "none",
      by: "Li Na",
      comment: "",
      recalled,
    } as const;
    const [answered] = chain.apply({ kind: "command", command, nowMs }).incidents;
    assert.equal(answered?.feedback, null);
    assert.equal(answered.revision, recalled!.revision + 1);
    assert.equal(answered.timeline.at(-1)?.text.key, "timeline.feedback_withdrawn");
  }
  const { given, factors } = chain.detect.feedback();
  assert.deepEqual([given, factors.series, factors.kinds], [[], [], []]);
});
