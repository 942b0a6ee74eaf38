/** Nothing is swallowed: whatever opens, ends, merges, flaps or comes back, every open symptom is in an incident that is open. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { createCorrelate, rerankMs } from "#collector/correlate/correlate.ts";
import { createIncidents } from "#collector/incident/incident.ts";
import { createTopology } from "#collector/topology/topology.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import { type Incident, isOver } from "#shared/contract/incident.ts";
import { anomaly, cpuBusy, startMs } from "#test/collector/anomalies.ts";

const hosts = ["a", "b", "c"] as const;
const host = fc.constantFrom(...hosts);
const step = fc.record({
  host,
  what: fc.constantFrom("cpu", "memory", "silence", "transactions"),
  waitS: fc.oneof(fc.nat(20), fc.nat(150), fc.nat(600)),
  ends: fc.boolean(),
});
const edges = fc.array(fc.tuple(host, host), { maxLength: 3 });

function begun(what: string, on: string, atS: number): Anomaly {
  if (what === "cpu") return cpuBusy(on, atS);
  if (what === "memory") return anomaly(on, "system.memory.utilization", atS);
  if (what === "transactions")
    return anomaly(on, "pay_transactions", atS, { detector: "counts", role: "symptom", resource: "none" });
  const entity = { kind: "host", host: on, name: "" } as const;
  return anomaly(on, "", atS, {
    id: `${on}|silence|${atS}`,
    entity,
    series: "",
    detector: "absence",
    kind: "state",
    resource: "agent",
    role: "symptom",
  });
}

test("every open symptom is in an incident that is open and names its host; merged ones lead to one that is known", () => {
  fc.assert(
    fc.property(edges, fc.array(step, { minLength: 30, maxLength: 60 }), (pairs, steps) => {
      const topology = createTopology();
      for (const [caller, callee] of pairs) topology.declare(caller, callee);
      const correlate = createCorrelate({ topology });
      let incidents = createIncidents();
      const last = new Map<string, Incident>();
      const open = new Map<string, Anomaly>();
      let nowMs = startMs;
      const hear = (all: readonly Anomaly[]): void => {
        for (const one of incidents.apply(correlate.add(all, nowMs), nowMs)) {
          const before = last.get(one.id);
          assert.equal(one.revision, (before?.revision ?? 0) + 1);
          assert.notEqual(before?.state, "merged", "nothing more is said of what was merged");
          last.set(one.id, one);
        }
      };
      const pass = (byMs: number): void => {
        for (const untilMs = nowMs + byMs; nowMs < untilMs;) {
          nowMs = Math.min(untilMs, nowMs + 10_000);
          hear([]);
        }
      };
      for (const { host: on, what, waitS, ends } of steps) {
        pass(waitS * 1000);
        const key = `${on} ${what}`;
        const before = open.get(key);
        const lastMs = nowMs;
        const fresh = begun(what, on, (nowMs - startMs) / 1000);
        const next = before === undefined ? { ...fresh, lastMs } : { ...before, lastMs, ended: ends };
        if (next.ended) open.delete(key);
        else open.set(key, next);
        hear([next]);
        incidents = createIncidents(JSON.parse(JSON.stringify(incidents.snapshot())));
        pass(2 * rerankMs);
        const living = incidents.snapshot().entries.filter(({ incident }) => !isOver(incident));
        for (const symptom of open.values())
          assert.ok(
            living.some(({ active, openHosts }) => active && openHosts.includes(symptom.host)),
            `${symptom.id} is in none of ${living.map(({ incident }) => incident.id).join(", ")}`,
          );
        for (const { id, mergedInto } of last.values())
          if (mergedInto !== null) assert.ok(last.has(mergedInto) && mergedInto !== id);
      }
      for (const one of open.values()) hear([{ ...one, ended: true, lastMs: nowMs }]);
      pass(3_600_000);
      assert.deepEqual(incidents.open(), [], "all of it ends");
    }),
    { seed: 12, numRuns: 100 },
  );
});
