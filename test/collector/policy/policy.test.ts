import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { collectorSchema } from "#collector/config.ts";
import { createCalendar } from "#collector/detect/calendar.ts";
import { usualPolicy } from "#collector/detect/detect.ts";
import { detectPolicyOf, policyHash } from "#collector/policy/policy.ts";
import { readConfig } from "#shared/config-file.ts";
import { ConfigError } from "#shared/errors.ts";

async function policyOf(detect: string) {
  const config = await readConfig(`{"detect": ${detect}}`, "c.json", collectorSchema);
  return detectPolicyOf(config.detect);
}

async function problems(detect: string): Promise<readonly string[]> {
  try {
    await policyOf(detect);
    return [];
  } catch (error) {
    assert.ok(error instanceof ConfigError);
    return error.problems.map((problem) => problem.replace("detect.", ""));
  }
}

test("without settings the policy is the usual one", async () => {
  assert.deepEqual(await policyOf("{}"), usualPolicy);
});

test("rules, calendar and windows are read as they are written", async () => {
  const policy = await policyOf(`{
    "rules": [{
      "match": {"metric": "system.cpu.*", "host": ["pay-*", "core-?"], "service.name": "ledger"},
      "set": {"smallestDeviation": "5%", "smallestShare": "10%", "bound": 0.9, "direction": "both", "sensitivity": 2,
              "range": [0, "100%"], "kind": "utilisation", "role": "symptom", "judge": true, "interval": "1m"}
    }],
    "calendar": {"zone": "Asia/Shanghai", "weekend": ["sun"], "holidays": ["2026-10-01..2026-10-07"], "monthEnd": 1,
                 "classes": [{"name": "salary", "days": ["*-*-15"]}],
                 "batches": [{"name": "night", "on": "salary", "from": "22:00", "to": "02:00"}]},
    "maintenance": [
      {"match": {}, "from": "2026-11-14T01:00", "to": "2026-11-14T05:00", "reason": "x"},
      {"match": {"host": "a"}, "from": "2026-11-14T01:00Z", "to": "2026-11-14T05:00+00:00"},
      {"match": {"host": "b"}, "days": ["mon", "sun"], "from": "23:00", "to": "01:00"}
    ]
  }`);
  assert.deepEqual(policy.rules, [
    {
      match: [
        ["metric", ["system.cpu.*"]],
        ["host", ["pay-*", "core-?"]],
        ["service.name", ["ledger"]],
      ],
      set: {
        kind: "utilisation",
        role: "symptom",
        direction: "both",
        smallestDeviation: { value: 0.05, unit: "1" },
        smallestShare: 0.1,
        bound: { value: 0.9, unit: "" },
        range: [
          { value: 0, unit: "" },
          { value: 1, unit: "1" },
        ],
        sensitivity: 2,
        judge: true,
        intervalMs: 60_000,
      },
    },
  ]);
  assert.deepEqual(policy.calendar.weekend, [0]);
  assert.equal(createCalendar(policy.calendar).slotOfDay(0), 480);
  assert.deepEqual(
    policy.maintenance.map(({ when, reason }) => [when, reason]),
    [
      [{ fromMs: Date.parse("2026-11-13T17:00Z"), toMs: Date.parse("2026-11-13T21:00Z") }, "x"],
      [{ fromMs: Date.parse("2026-11-14T01:00Z"), toMs: Date.parse("2026-11-14T05:00Z") }, ""],
      [{ days: [0, 1], fromMinute: 1380, toMinute: 60 }, ""],
    ],
  );
});

test("how long a host may be silent before it counts as gone is the operator's to say, within reason", async () => {
  assert.equal((await policyOf('{"hostGoneAfter": "30d"}')).hostGoneMs, 30 * 86_400_000);
  assert.deepEqual(await problems('{"hostGoneAfter": "10m"}').then((all) => all.length), 1);
});

test("the mistakes of one file are told together, each with its line", async () => {
  const text = `{
  "rules": [
    {
      "match": { "hosts": "pay-*" },
      "set": { "sensitivty": 2 }
    },
    {
      "match": { "host": "pay-[12]", "metric": "" },
      "set": {
        "range": [5, 3],
        "sensitivity": 9
      }
    },
    { "match": {}, "set": { "range": [0, 1],
      "bound": 2 } },
    { "match": {}, "set": {} },
    { "set": { "judge": false } }
  ],
  "calendar": {
    "zone": "Asia/Peking",
    "holidays": ["2026-10-01..2026-10-07",
      "2026-02-30"],
    "month_end": 1
  },
  "maintenance": [
    { "match": {},
      "from": "2026-11-14T05:00",
      "to": "2026-11-14T01:00" },
    { "match": {}, "from": "01:00",
      "to": "2026-11-14T01:00" },
    { "match": {}, "days": ["sat", "xmas"], "from": "01:00", "to": "02:00" },
    { "match": {}, "days": ["sat"], "from": "01:00",
      "to": "01:00" }
  ]
}`;
  const want = [
    'c.json:4: rules[0].match.hosts: did you mean "host"?',
    'c.json:5: rules[0].set.sensitivty: unknown key; did you mean "sensitivity"?',
    'c.json:8: rules[1].match.host: "pay-[12]" can never match: brackets have no meaning in a pattern; give a list of patterns, or write "\\\\[" for a bracket',
    'c.json:8: rules[1].match.metric: "" can never match: an empty pattern fits nothing; leave the key out to fit everything',
    "c.json:10: rules[1].set.range: its low end 5 is not below its high end 3",
    "c.json:11: rules[1].set.sensitivity: want a number from 0.25 to 2, got 9",
    "c.json:15: rules[2].set.bound: 2 is outside the range 0 to 1",
    "c.json:16: rules[3].set: changes nothing; known are kind, role, direction, smallestDeviation, smallestShare, bound, range, sensitivity, judge, interval",
    'c.json:17: rules[4].match: missing; {} is every series, {"host": "pay-*"} those of some hosts',
    'c.json:20: calendar.zone: want a time zone like "Asia/Shanghai", got "Asia/Peking"',
    'c.json:22: calendar.holidays[1]: want a day like "2026-10-01", "2026-10-01..2026-10-07", "*-11-11" or "*-*-15", got "2026-02-30"',
    'c.json:23: calendar.month_end: unknown key; did you mean "monthEnd"?',
    "c.json:28: maintenance[0].to: the window must end after it begins",
    'c.json:29: maintenance[1].from: want a moment like "2026-11-14T01:00" or "2026-11-14T01:00+08:00" (a time of day needs "days"), got "01:00"',
    'c.json:31: maintenance[2].days[1]: want one of sun, mon, tue, wed, thu, fri, sat, got "xmas"',
    'c.json:33: maintenance[3].to: it ends when it begins; a whole day is "00:00" to "24:00"',
  ];
  assert.deepEqual(await problems(text), want);
});

test("a calendar that contradicts itself is told where it does", async () => {
  const text = `{ "calendar": {
    "holidays": ["2026-10-01..2026-10-07", "2020-01-01..2030-01-01"],
    "workdays": [
      "2026-09-20"
    ]
  } }`;
  assert.match((await problems(text)).join(), /c\.json:2: calendar\.holidays\[1\]: .* is longer than a year/);
  const clash = text
    .replace(', "2020-01-01..2030-01-01"', "")
    .replace("2026-09-20", "2026-10-06..2026-10-10");
  assert.deepEqual(await problems(clash), [
    "c.json:4: calendar.workdays[0]: 2026-10-06 is a holiday as well; say it once",
  ]);
  const names = `{ "calendar": {
    "classes": [
      { "name": "workday", "days": ["*-*-15"] },
      { "name": "salary", "days": [] },
      { "name": "salary day", "days": ["*-*-15"] }
    ],
    "batches": [
      { "name": "night", "on": "salary dya", "from": "22:00", "to": "22:00" },
      { "name": "night", "on": "salary dya", "from": "22:00", "to": "23:00" }
    ]
  } }`;
  assert.deepEqual(await problems(names), [
    "c.json:4: calendar.classes[1].days: missing; a class without days is none",
    "c.json:8: calendar.batches[0].to: the window ends when it begins",
  ]);
  const later = names.replace('"days": []', '"days": ["*-*-01"]').replace('"to": "22:00"', '"to": "22:30"');
  assert.deepEqual(await problems(later), [
    'c.json:3: calendar.classes[0].name: "workday" is the name of another class',
    'c.json:8: calendar.batches[0].on: unknown class; did you mean "salary day"?',
    'c.json:9: calendar.batches[1].name: "night" is the name of another class',
    'c.json:9: calendar.batches[1].on: unknown class; did you mean "salary day"?',
  ]);
  const many = Array.from({ length: 14 }, (_, index) => `{"name": "c${index}", "days": ["*-*-15"]}`).join();
  assert.match((await problems(`{"calendar": {"classes": [${many}]}}`)).join(), /17 classes .*limit is 16/);
});

test("the hash names the policy: the same for the same settings in any spelling, another for any change", async () => {
  const one = `{"calendar": {"zone": "Asia/Shanghai", "monthEnd": 1}, "rules": [{"match": {"host": "a"}, "set": {"bound": 1, "judge": true}}]}`;
  const same = `{"rules": [{"set": {"judge": true, /* x */ "bound": 1.0}, "match": {"host": ["a"]}}], "calendar": {"monthEnd": 1, "zone": "Asia/Shanghai"}}`;
  const hash = async (text: string) => policyHash(await policyOf(text));
  assert.match(await hash(one), /^[0-9a-f]{64}$/);
  assert.equal(await hash(one), await hash(same));
  const others = [
    one.replace('"a"', '"b"'),
    one.replace("Shanghai", "Tokyo"),
    one.replace("true", "false"),
    "{}",
  ];
  const hashes = await Promise.all([one, ...others].map(hash));
  assert.equal(new Set(hashes).size, others.length + 1);
  assert.equal(await hash("{}"), policyHash(usualPolicy));
});

test("the example of a bank's calendar does what it says", async () => {
  const text = readFileSync(new URL("../../../deploy/config/detect.json", import.meta.url), "utf8");
  const policy = detectPolicyOf((await readConfig(text, "detect.json", collectorSchema)).detect);
  const calendar = createCalendar(policy.calendar);
  const named = (moment: string) => calendar.className(calendar.dayClass(Date.parse(`${moment}+08:00`)));
  assert.equal(named("2026-09-20T10:00"), "workday", "调休: a Sunday on which the bank works");
  assert.equal(named("2026-10-05T10:00"), "restday");
  assert.equal(named("2026-09-30T10:00"), "month_end");
  assert.equal(named("2026-09-29T21:00"), "month-end batch");
  assert.equal(named("2026-10-01T05:00"), "month-end batch", "it goes on into the holiday");
  assert.equal(named("2026-11-11T10:00"), "singles' day");
  assert.equal(named("2026-11-12T23:00"), "end-of-day batch");
  assert.ok(policy.rules.length > 0 && policy.maintenance.length > 0);
});

test("groups of hosts are read as they are written, and what can never be one is told with its line", async () => {
  const policy = await policyOf(
    '{"peerGroups": [{"name": "payments", "match": {"host": ["pay-*", "settle"]}}]}',
  );
  assert.deepEqual(policy.peerGroups, [{ name: "payments", match: [["host", ["pay-*", "settle"]]] }]);
  assert.deepEqual(
    await problems(`{"peerGroups": [
      {"match": {"host": "a"}},
      {"name": "b", "match": {}},
      {"name": "c", "match": {"host": "c", "metric": "x"}},
      {"name": "d", "hosts": "d-*"}
    ]}`),
    [
      "c.json:2: peerGroups[0].name: missing; incidents name the group",
      'c.json:3: peerGroups[1].match: missing; say which hosts: {"host": "pay-*"}',
      'c.json:4: peerGroups[2].match.metric: a group is of whole hosts; only "host" may be here',
      "c.json:5: peerGroups[3].hosts: unknown key; known are name, match",
    ],
  );
  assert.deepEqual(
    await problems(
      '{"peerGroups": [{"name": "a", "match": {"host": "a"}}, {"name": "a", "match": {"host": "b"}}]}',
    ),
    ['c.json:1: peerGroups: two groups are called "a"'],
  );
});
