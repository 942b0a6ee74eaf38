// What the console decides before it draws: order, words, ranges.
import assert from "node:assert/strict";
import { describe, test } from "node:test";
import * as fc from "fast-check";
import { badge } from "#collector/console/view/badge.ts";
import { curve, incidentCharts, incidentRange, valueRange } from "#collector/console/view/chart-data.ts";
import { confidencePercent, confidenceWord, rankCauses } from "#collector/console/view/confidence.ts";
import { detectionBehindMs, freshness } from "#collector/console/view/freshness.ts";
import { arrangeHosts, warmupShares } from "#collector/console/view/hosts.ts";
import { arrange, countBySeverity, hold, neighbour } from "#collector/console/view/incident-list.ts";
import { type KeyState, pressKey } from "#collector/console/view/keys.ts";
import { inWords, metricsInWords } from "#shared/text/metric-words.ts";
import { parseRoute, type Route, routePath } from "#collector/console/view/route.ts";
import { searchSeries, startingSeries } from "#collector/console/view/series-search.ts";
import { sparkPath, thin } from "#collector/console/view/spark.ts";
import { causeConfidenceMin, type Incident, severities } from "#shared/contract/incident.ts";
import {
  cpuIncident,
  hosts,
  resolvedIncident,
  seriesList,
  silentIncident,
  system,
  unidentifiedIncident,
} from "./mock-data.ts";

const nowMs = 1_790_000_400_000;
const startMs = nowMs - 380_000;
const base = cpuIncident(startMs, nowMs);

function incident(id: string, changes: Partial<Incident> = {}): Incident {
  return { ...base, id, ...changes };
}

const ids = (list: readonly Incident[]): string[] => list.map(({ id }) => id);

describe("the list of incidents", () => {
  test("stands worst first, then what still hurts, then newest", () => {
    const { open, resolved } = arrange([
      incident("old-major", { severity: "major", startedMs: 1 }),
      incident("new-major", { severity: "major", startedMs: 9 }),
      incident("info", { severity: "info", startedMs: 99 }),
      incident("gone", { state: "resolved", resolvedMs: 50 }),
      incident("gone-later", { state: "resolved", resolvedMs: 60 }),
      incident("easing", { severity: "critical", state: "recovering", startedMs: 100 }),
      incident("critical", { severity: "critical", startedMs: 1 }),
      incident("on-a-dead-host", { severity: "critical", startedMs: 200, suppressedBy: "new-major" }),
      incident("merged", { state: "merged", resolvedMs: 40, mergedInto: "critical" }),
      incident("expired", { state: "expired", resolvedMs: 70 }),
    ]);
    assert.deepEqual(ids(open), ["critical", "easing", "new-major", "old-major", "info", "on-a-dead-host"]);
    assert.deepEqual(ids(resolved), ["expired", "gone-later", "gone", "merged"]);
  });

  test("has one order for the same incidents, whatever the order in which they came", () => {
    const one = fc.record({
      id: fc.string({ minLength: 1, maxLength: 2 }),
      severity: fc.constantFrom(...severities),
      startedMs: fc.integer({ min: 0, max: 3 }),
    });
    fc.assert(
      fc.property(fc.uniqueArray(one, { selector: ({ id }) => id, maxLength: 8 }), fc.nat(), (list, turn) => {
        const all = list.map(({ id, ...rest }) => incident(id, rest));
        const turned = [...all.slice(turn % (all.length + 1)), ...all.slice(0, turn % (all.length + 1))];
        assert.deepEqual(ids(arrange(turned).open), ids(arrange(all).open));
      }),
    );
  });

  test("does not move while it is held: newcomers wait, rows change in place", () => {
    const arranged = arrange([
      incident("newcomer", { severity: "critical" }),
      incident("a", { severity: "major", revision: 9 }),
      incident("b", { severity: "critical" }),
      incident("c", { state: "resolved", resolvedMs: 3 }),
    ]);
    const { shown, waiting } = hold(["a", "b", "c", "vanished"], arranged);
    assert.deepEqual(ids(shown), ["a", "b", "c"]);
    assert.equal(shown[0]?.revision, 9);
    assert.deepEqual(ids(waiting), ["newcomer"]);
  });

  test("moves freely when nobody is at it", () => {
    const arranged = arrange([incident("a")]);
    assert.deepEqual(hold(null, arranged), { shown: arranged.open, waiting: [] });
  });

  test("is counted by severity, worst first, without the severities that have none", () => {
    const open = [incident("a", { severity: "info" }), incident("b"), incident("c", { severity: "info" })];
    assert.deepEqual(countBySeverity(open), [
      { severity: "critical", count: 1 },
      { severity: "info", count: 2 },
    ]);
  });

  test("is walked through with the keyboard and stops at its ends", () => {
    const list = ["a", "b", "c"];
    assert.equal(neighbour(list, null, 1), "a");
    assert.equal(neighbour(list, "a", 1), "b");
    assert.equal(neighbour(list, "c", 1), "c");
    assert.equal(neighbour(list, "a", -1), "a");
    assert.equal(neighbour(list, "not there", 1), "a");
    assert.equal(neighbour([], "a", 1), null);
  });
});

describe("causes", () => {
  test("below the confidence of a cause are candidates, and none is identified", () => {
    const { identified, candidates } = rankCauses(unidentifiedIncident(startMs, nowMs));
    assert.deepEqual(identified, []);
    assert.equal(candidates.length, 2);
  });

  test("are three at most, surest first", () => {
    const causes = [0.5, 0.9, 0.41, 0.7].map((confidence) => ({ ...base.causes[0]!, confidence }));
    assert.deepEqual(
      rankCauses({ causes }).identified.map(({ confidence }) => confidence),
      [0.9, 0.7, 0.5],
    );
  });

  test("have a word that changes where the number does", () => {
    assert.equal(confidenceWord(0.9), "veryLikely");
    assert.equal(confidenceWord(0.7), "likely");
    assert.equal(confidenceWord(causeConfidenceMin), "possible");
    assert.equal(confidenceWord(causeConfidenceMin - 0.01), "guess");
  });

  test("are never shown as certain", () => {
    assert.equal(confidencePercent(1), "99 %");
    assert.equal(confidencePercent(0), "1 %");
    assert.equal(confidencePercent(0.876), "88 %");
  });
});

describe("freshness", () => {
  test("turns from live to stale after two and a half heartbeats, and to lost after a minute", () => {
    assert.deepEqual(freshness(1000, 0, 1400), { state: "live", ageMs: 400 });
    assert.equal(freshness(1000, 0, 25_999).state, "live");
    assert.equal(freshness(1000, 0, 26_000).state, "stale");
    assert.equal(freshness(1000, 0, 61_000).state, "lost");
  });

  test("of a page that never heard anything is connecting, then stale, never live", () => {
    assert.equal(freshness(null, 0, 10_000).state, "connecting");
    assert.equal(freshness(null, 0, 25_000).state, "stale");
  });

  test("includes how far detection is behind, while there is something to detect", () => {
    const state = system("incident", nowMs);
    assert.equal(detectionBehindMs(state), null);
    assert.equal(detectionBehindMs({ ...state, watermarkMs: nowMs - 120_000 }), 120_000);
    assert.equal(detectionBehindMs({ ...state, watermarkMs: nowMs - 120_000, hostsUp: 0 }), null);
  });

  test("shows in the window's title: the count is not vouched for when nothing is heard", () => {
    const counts = [{ severity: "critical", count: 1 } as const, { severity: "info", count: 1 } as const];
    const live = { state: "live", ageMs: 0 } as const;
    assert.deepEqual(badge(counts, live, ""), { title: "(2) ✕ Causeway", icon: "critical" });
    assert.deepEqual(badge([], live, "Hosts"), { title: "Hosts · Causeway", icon: "calm" });
    assert.deepEqual(badge(counts, { state: "stale", ageMs: 0 }, ""), { title: "? Causeway", icon: "stale" });
  });
});

describe("charts", () => {
  test("cover half an hour before the incident, and five minutes after it or now", () => {
    assert.deepEqual(incidentRange(base, nowMs), { fromMs: startMs - 1_800_000, toMs: nowMs });
    const past = resolvedIncident(nowMs);
    assert.equal(incidentRange(past, nowMs).toMs, past.resolvedMs! + 300_000);
  });

  test("show the first cause, the symptoms, then other candidates, each series once", () => {
    const charts = incidentCharts(base);
    assert.deepEqual(
      charts.map(({ metric, role }) => [metric, role]),
      [
        ["process.cpu.utilization", "cause"],
        ["causeway.service.cpu.time", "cause"],
        ["system.linux.load_1m", "cause"],
        ["system.cpu.utilization", "symptom"],
        ["system.pressure.stall.time", "candidate"],
      ],
    );
    const doubled = { ...base, symptoms: [...base.symptoms, base.causes[0]!.evidence[0]!] };
    assert.equal(incidentCharts(doubled).length, charts.length);
  });

  test("of a silence do not exist", () => {
    assert.deepEqual(incidentCharts(silentIncident(startMs, nowMs)), []);
  });

  test("mark the abnormal stretch and keep gaps", () => {
    const stretch = { ...base.symptoms[0]!, startedMs: 20, lastMs: 30, ended: true };
    const points = { host: "h", series: "s", unit: "1", timesMs: [10, 20, 30, 40], values: [1, null, 3, 4] };
    const drawn = curve(points, [stretch], { fromMs: 0, toMs: 50 });
    assert.deepEqual(drawn.abnormal, [null, null, 3, null]);
    assert.deepEqual(drawn.values, [1, null, 3, 4]);
    const lasting = curve(points, [{ ...stretch, ended: false }], { fromMs: 0, toMs: 50 });
    assert.deepEqual(lasting.abnormal, [null, null, 3, 4]);
  });

  test("leave room for curve and band, whatever the values", () => {
    const value = fc.oneof(fc.constant(null), fc.double({ noNaN: true, min: -1e12, max: 1e12 }));
    const band = fc.tuple(
      fc.double({ noNaN: true, min: 0, max: 1e9 }),
      fc.double({ noNaN: true, min: 0, max: 1e9 }),
    );
    fc.assert(
      fc.property(fc.array(value, { maxLength: 20 }), band, (values, [a, b]) => {
        const expected = { expectedLow: Math.min(a, b), expectedHigh: Math.max(a, b) };
        const { min, max } = valueRange(values, expected);
        assert.ok(min < max, `${min} to ${max}`);
        for (const one of [...values, a, b]) if (one !== null) assert.ok(min <= one && one <= max);
      }),
    );
  });

  test("do not blow up the noise of a flat curve, nor go below nothing", () => {
    const { min, max } = valueRange([0.6201, 0.62], undefined);
    assert.ok(max - min >= 0.06, `${min} to ${max}`);
    assert.deepEqual(valueRange([0, 0], undefined), { min: 0, max: 1 });
    assert.deepEqual(valueRange([null], undefined), { min: 0, max: 1 });
  });

  test("in the list lift the pen at a gap and keep the peaks", () => {
    assert.equal(
      sparkPath([0, 1, null, 1, 0], { min: 0, max: 1 }, 40, 10),
      "M0.0 10.0L10.0 0.0M30.0 0.0L40.0 10.0",
    );
    assert.equal(sparkPath([1], { min: 0, max: 1 }, 40, 10), "");
    const peak = Array.from({ length: 100 }, (_, i) => (i === 37 ? 9 : 1));
    const thinned = thin(peak, { min: 0, max: 2 }, 10);
    assert.equal(thinned.length, 10);
    assert.ok(thinned.includes(9));
  });
});

describe("hosts", () => {
  const all = hosts("incident", nowMs);

  test("that need a look stand first, the rest by name as people count", () => {
    const names = arrangeHosts(all, "").map(({ host }) => host);
    assert.deepEqual(names.slice(0, 4), ["web-h5-07", "core-db-03", "batch-01", "core-db-01"]);
    const numbered = ["n-10", "n-9"].map((host) => ({ ...all[0]!, host }));
    assert.deepEqual(
      arrangeHosts(numbered, "").map(({ host }) => host),
      ["n-9", "n-10"],
    );
  });

  test("that are gone stand last, whatever their name", () => {
    const states = (["gone", "up", "stopped", "silent"] as const).map((state, index) => ({
      ...all[0]!,
      anomalies: 0,
      host: `${index}`,
      state,
    }));
    assert.deepEqual(
      arrangeHosts(states, "").map(({ state }) => state),
      ["silent", "stopped", "up", "gone"],
    );
  });

  test("are found by every word, in any order", () => {
    assert.deepEqual(
      arrangeHosts(all, "DB core 02").map(({ host }) => host),
      ["core-db-02"],
    );
    assert.deepEqual(
      arrangeHosts(all, "silent").map(({ host }) => host),
      ["web-h5-07"],
    );
    assert.deepEqual(arrangeHosts(all, "nowhere"), []);
  });

  test("that judge nothing have an empty bar, not a broken one", () => {
    assert.deepEqual(warmupShares({ collecting: 0, provisional: 0, ready: 0 }), {
      collecting: 0,
      provisional: 0,
      ready: 0,
    });
    assert.deepEqual(warmupShares({ collecting: 1, provisional: 1, ready: 2 }), {
      collecting: 0.25,
      provisional: 0.25,
      ready: 0.5,
    });
  });

  test("begin with the charts of their symptoms, and find series by name in the reader's language", () => {
    const { series } = seriesList("core-db-03");
    assert.deepEqual(startingSeries(series).slice(0, 2), [
      "system.cpu.utilization",
      "system.memory.utilization",
    ]);
    const found = searchSeries(series, "负载", (metric) =>
      metric === "system.linux.load_1m" ? "1 分钟负载" : metric,
    );
    assert.deepEqual(
      found.map(({ id }) => id),
      ["system.linux.load_1m"],
    );
    const first = searchSeries(series, "cpu", (metric) => metric)[0];
    assert.equal(first?.id, "system.cpu.utilization", "the whole host stands first");
  });
});

describe("addresses", () => {
  test("lead back to the screen they were made from, whatever the name", () => {
    const name = fc.string({ minLength: 1 }).filter((text) => text.isWellFormed());
    const routes: fc.Arbitrary<Route> = fc.oneof(
      fc.constant<Route>({ screen: "incidents" }),
      fc.constant<Route>({ screen: "hosts" }),
      fc.constant<Route>({ screen: "feedback" }),
      name.map((id) => ({ screen: "incident" as const, id })),
      name.map((host) => ({ screen: "host" as const, host })),
    );
    fc.assert(fc.property(routes, (route) => assert.deepEqual(parseRoute(routePath(route)), route)));
  });

  test("that are none show the incidents", () => {
    for (const path of ["/", "/incidents", "/nowhere", "/incidents/%E0%A4%A", "/hosts/a/b", "/feedback/a"]) {
      assert.deepEqual(parseRoute(path), { screen: "incidents" }, path);
    }
  });
});

describe("keys", () => {
  const press = (keys: string, options: { gapMs?: number; typing?: boolean; modified?: boolean } = {}) => {
    let state: KeyState = null;
    let command = null;
    for (const [i, key] of keys.split(" ").entries()) {
      const { gapMs = 100, typing = false, modified = false } = options;
      ({ state, command } = pressKey(state, { key, atMs: i * gapMs, typing, modified }));
    }
    return command;
  };

  test("are commands, alone or after g", () => {
    assert.equal(press("j"), "next");
    assert.equal(press("a"), "acknowledge");
    assert.equal(press("g h"), "goHosts");
    assert.equal(press("g i"), "goIncidents");
    assert.equal(press("?"), "help");
    assert.deepEqual(
      ["u", "n", "w", "g f"].map((keys) => press(keys)),
      ["useful", "noise", "withdraw", "goFeedback"],
    );
  });

  test("belong to the field while typing, and to the browser with Ctrl", () => {
    assert.equal(press("a", { typing: true }), null);
    assert.equal(press("a", { modified: true }), null);
  });

  test("do not wait for ever after g, and what follows g is never a command of its own", () => {
    assert.equal(press("g h", { gapMs: 2000 }), null);
    assert.equal(press("g a"), null);
    assert.equal(press("g a a"), "acknowledge");
  });
});

describe("metrics in sentences", () => {
  const labels = ["system.cpu.utilization system", "system.disk.io write sda", "app.queue_length"];

  test("are in the reader's words, with what their labels say, and by their name where there is no word", () => {
    const said = (language: "en" | "zh-CN"): string => metricsInWords(labels, language);
    assert.equal(said("en"), "CPU busy system, Disk throughput write sda, app.queue_length");
    assert.equal(said("zh-CN"), "CPU 使用率 system、磁盘吞吐 write sda、app.queue_length");
  });

  test("are put into a text's list of metrics, and leave every other text as it is", () => {
    const text = { key: "reason.host_metrics", args: { metrics: labels.join(", ") } };
    assert.match(String(inWords(text, "en").args["metrics"]), /^CPU busy system, Disk/);
    const other = { key: "reason.level", args: { times: 2 } };
    assert.equal(inWords(other, "en"), other);
  });
});
