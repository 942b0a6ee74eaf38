/** Which change speaks for which cause: by time and nearness, and never without evidence. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { createChanges } from "#collector/changes/changes.ts";
import { createCorrelate, rerankMs } from "#collector/correlate/correlate.ts";
import { RelatedChanges } from "#collector/correlate/related-changes.ts";
import { createTopology } from "#collector/topology/topology.ts";
import type { Anomaly } from "#shared/anomaly.ts";
import type { Change } from "#shared/contract/change.ts";
import type { Entity } from "#shared/entity.ts";
import type { Suspicion } from "#shared/suspicion.ts";
import { languages, renderText } from "#shared/text/text.ts";
import { anomaly, cpuBusy, processCpu, startMs } from "#test/collector/anomalies.ts";

function change(id: string, target: Change["target"], atS: number): Change {
  return {
    id,
    kind: "release",
    atMs: startMs + atS * 1000,
    title: `title of ${id}`,
    target,
    by: "",
    link: "",
  };
}

const service: Entity = { kind: "service", host: "pay-01", name: "pay.service" };
const at = (of: Change["target"]["of"], name: string): Change["target"] => ({ of, name });

function bonusOf(target: Change["target"], beforeS: number, entity = service): number {
  const changes = createChanges();
  changes.add([change("c", target, -beforeS)], startMs);
  const topology = createTopology();
  topology.declare("pay-01", "db-01");
  topology.declare("web-01", "pay-01");
  const bonus = new RelatedChanges(changes, topology).bonus(entity, startMs)?.bonus ?? 0;
  return Math.round(bonus * 1000) / 1000;
}

test("the bonus fades with a time constant of a quarter of an hour, and is gone after an hour and before its time", () => {
  const same = at("service", "pay");
  assert.equal(bonusOf(same, 0), 1);
  assert.equal(bonusOf(same, 900), 0.368);
  assert.equal(bonusOf(same, 3_600), 0.018);
  assert.equal(bonusOf(same, 3_601), 0);
  assert.equal(bonusOf(same, -1), 0);
});

test("the same entity or service counts whole, what it calls half, its host three tenths, anything else nothing", () => {
  assert.equal(bonusOf(at("entity", "service:pay-01/pay.service"), 0), 1);
  assert.equal(bonusOf(at("host", "db-01"), 0), 0.5);
  assert.equal(bonusOf(at("host", "pay-01"), 0), 0.3);
  assert.equal(bonusOf(at("entity", "service:pay-01/other.service"), 0), 0, "another's, beside it");
  assert.equal(bonusOf(at("host", "web-01"), 0), 0, "a caller");
  assert.equal(bonusOf(at("host", "elsewhere"), 0), 0);
  assert.equal(bonusOf(at("service", "payroll"), 0), 0, "a name that only begins the same");
});

/** What is told last, with these changes known. */
function told(changes: readonly Change[], edges: readonly [string, string][], ...all: Anomaly[]): Suspicion {
  const history = createChanges();
  history.add(changes, startMs);
  const topology = createTopology();
  for (const [caller, callee] of edges) topology.declare(caller, callee);
  const correlate = createCorrelate({ topology, changes: history });
  const lastMs = Math.max(...all.map((one) => one.lastMs));
  return [...correlate.add(all, lastMs), ...correlate.add([], lastMs + rerankMs)].at(-1)!;
}

const serviceCpu = (name: string, share: number, atS = 0): Anomaly =>
  anomaly("pay-01", "causeway.service.cpu.time", atS, {
    labels: [["service.name", `${name}.service`]],
    hostShare: share,
  });

test("of two that explain about as much, the one that was just released comes first and names the release", () => {
  const all = [serviceCpu("log", 0.3), serviceCpu("pay", 0.18), cpuBusy("pay-01", 5)];
  const without = told([], [], ...all);
  assert.equal(without.causes[0]?.entity, "service:pay-01/log.service");
  const release = change("r1", at("service", "pay"), -60);
  const [first] = told([release], [], ...all).causes;
  assert.deepEqual([first?.entity, first?.action], ["service:pay-01/pay.service", "r1"]);
});

test("what was done to a callee counts a little and is not told as what caused it", () => {
  const all = [serviceCpu("log", 0.3), serviceCpu("pay", 0.29), cpuBusy("pay-01", 5)];
  const [without] = told([], [["pay-01", "db-01"]], ...all).causes;
  const [cause] = told([change("d", at("host", "db-01"), -60)], [["pay-01", "db-01"]], ...all).causes;
  assert.deepEqual([cause?.action, cause?.confidence], [undefined, without?.confidence]);
});

test("a release after the onset, elsewhere, or of what shows nothing changes neither the cause nor how sure it is", () => {
  const all = [processCpu("pay-01", "report", 0, 0.45), cpuBusy("pay-01", 5)];
  const [want] = told([], [], ...all).causes;
  const decoys: readonly (readonly [string, Change, string])[] = [
    ["after", change("d", at("entity", "process:pay-01/7/report"), 1), "ruled.change_late"],
    ["elsewhere", change("d", at("host", "intranet"), -60), "ruled.change_elsewhere"],
    ["nothing abnormal", change("d", at("host", "web-01"), -60), "ruled.change_calm"],
  ];
  for (const [name, decoy, why] of decoys) {
    const suspicion = told([decoy], [["web-01", "pay-01"]], ...all);
    assert.deepEqual(suspicion.causes[0], want, name);
    const ruledOut = suspicion.story.ruledOut.find(({ why: { args } }) => args["change"] === "title of d");
    assert.equal(ruledOut?.why.key, why, name);
  }
});

test("an incident shows what was changed nearby: how long before, how far away; not what was changed elsewhere", () => {
  const { changes } = told(
    [
      change("own", at("service", "pay"), -120),
      change("callee", at("host", "db-01"), -600),
      change("two-away", at("host", "san-01"), -30),
      change("mended", at("host", "pay-01"), 200),
      change("elsewhere", at("host", "intranet"), -10),
      change("yesterday", at("service", "pay"), -86_400),
    ],
    [
      ["pay-01", "db-01"],
      ["db-01", "san-01"],
    ],
    serviceCpu("pay", 0.45),
    cpuBusy("pay-01", 0),
  );
  assert.deepEqual(
    changes.map(({ id, beforeMs, hops, relation }) => [id, beforeMs / 1000, hops, relation]),
    [
      ["own", 120, 0, "same"],
      ["callee", 600, 1, "callee"],
      ["two-away", 30, 2, "near"],
      ["mended", -200, 0, "host"],
    ],
  );
});

test("the story says what it comes from, what failed first because of it, and what was ruled out, in both languages", () => {
  const slow = (host: string, atS: number): Anomaly => anomaly(host, "http_request_duration_seconds", atS);
  const { story } = told(
    [change("r1", at("host", "db"), -60)],
    [
      ["web", "pay"],
      ["pay", "db"],
    ],
    slow("db", 0),
    slow("pay", 20),
    slow("web", 10),
  );
  assert.deepEqual([story.cause?.kind, story.cause?.entity], ["change", "host:db"]);
  assert.deepEqual([story.failure?.entity, story.failure?.atMs], ["host:web", startMs + 10_000]);
  const texts = [story.cause!.text, story.failure!.text, ...story.ruledOut.map(({ why }) => why)];
  for (const language of languages)
    for (const text of texts) assert.doesNotMatch(renderText(text, language), /[{}]|^[a-z]+\.[a-z]/);
  assert.match(renderText(story.cause!.text, "en"), /1m after the change “title of r1” of host:db$/);
  const plain = told([], [["web", "db"]], slow("db", 0), slow("web", 10)).story;
  assert.equal(plain.cause?.kind, "dependency", "latency is what follows, not what it comes from");
});

test("where no cause is identified the story says so, and what was looked at", () => {
  const all = [anomaly("a", "process.memory.usage", 0, { labels: [["process.pid", "1"]] }), cpuBusy("a", 0)];
  const { story, causes } = told([change("d", at("host", "intranet"), -60)], [], ...all);
  assert.equal(story.cause, null);
  assert.ok(causes.length > 0);
  assert.deepEqual(
    story.ruledOut.map(({ what }) => what),
    [...causes.map(({ entity }) => entity), "host:intranet"],
  );
});
