/** `POST /api/v1/changes`: what is read, what is refused and how that is said, and webhooks by mapping. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import type { ChangesResult } from "#collector/push/api.ts";
import { Refusal } from "#collector/push/answer.ts";
import { readChanges } from "#collector/push/change-request.ts";
import { apiErrorSchema } from "#shared/contract/api.ts";
import { type Change, changeListSchema, changesTakenSchema } from "#shared/contract/change.ts";
import { limits } from "#shared/limits.ts";
import { inRoom } from "./room.ts";

const nowMs = Date.UTC(2026, 0, 5, 2, 0);
const read = (body: unknown, query = ""): Change[] =>
  readChanges(new URLSearchParams(query), body, nowMs, limits);

const good = { kind: "release", time: "2026-01-05T10:00:00+08:00", title: "pay 4.2.0", service: "pay" };

test("one change, or a list of them, is read; who, where to read on and an id are optional", () => {
  const want = { id: `release service:pay ${nowMs}`, kind: "release", atMs: nowMs, title: "pay 4.2.0" };
  const target = { of: "service", name: "pay" };
  assert.deepEqual(read(good), [{ ...want, target, by: "", link: "" }]);
  const all = { ...good, id: "r-1", by: "li", link: "https://ci.bank.example/1" };
  assert.deepEqual(read({ changes: [all, { ...good, time: nowMs }] }), [
    { ...want, id: "r-1", target, by: "li", link: "https://ci.bank.example/1" },
    { ...want, target, by: "", link: "" },
  ]);
  assert.equal(read([{ ...good, service: undefined, host: "pay-01" }])[0]?.target.of, "host");
  const entity = "service:pay-01/pay.service";
  assert.deepEqual(read([{ ...good, service: undefined, entity }])[0]?.target, {
    of: "entity",
    name: entity,
  });
});

test("any other program's JSON is read by a mapping in the query", () => {
  const body = {
    event: "finished",
    items: [
      {
        project: { name: "pay" },
        at: { end: "2026-01-05T02:00:00Z" },
        commits: [{ title: "pool of 5" }],
        no: 7,
      },
    ],
  };
  const query =
    "items=$.items&kind=configuration&service=$.project.name&time=$.at.end&title=$.commits.0.title&id=$.no&by=$.nobody";
  assert.deepEqual(read(body, query), [
    {
      id: "7",
      kind: "configuration",
      atMs: nowMs,
      title: "pool of 5",
      target: { of: "service", name: "pay" },
      by: "",
      link: "",
    },
  ]);
  assert.throws(() => read(body, "kind=release&service=$.project.name&time=$.at.end&title=x"), /time: want/);
});

const wrong: readonly (readonly [string, unknown, RegExp])[] = [
  ["nothing", undefined, /body: want an object, got nothing/],
  ["an empty list", [], /want 1 to 100 changes, got 0/],
  ["too many", Array.from({ length: 101 }, () => good), /want 1 to 100 changes, got 101/],
  ["another kind", { ...good, kind: "deploy" }, /kind: want release, configuration, .*got "deploy"/],
  ["no zone", { ...good, time: "2026-01-05T10:00:00" }, /time: want ISO 8601 with a zone/],
  ["no such day", { ...good, time: "2026-13-45T10:00:00Z" }, /time: want/],
  ["seconds", { ...good, time: Math.round(nowMs / 1000) }, /in milliseconds if it is a number/],
  ["long ago", { ...good, time: "2025-01-05T10:00:00Z" }, /within a week of now/],
  ["no title", { ...good, title: " " }, /title: want 1 to 200 characters/],
  ["no target", { ...good, service: undefined }, /service, host or entity: want one of them, got none/],
  ["two targets", { ...good, host: "a" }, /want one of them, got service and host/],
  ["no id of an entity", { ...good, service: undefined, entity: "pay" }, /entity: want an id such as/],
  ["a script", { ...good, link: "javascript:alert(1)" }, /link: want an address that begins with http/],
  ["a slip", { ...good, hots: "a" }, /"hots": there is no such field/],
  ["the second of two", [good, { ...good, kind: 7 }], /changes\[1\]\.kind: want/],
];

for (const [name, body, message] of wrong) {
  test(`a request with ${name} is refused, and it is said what is wrong with it`, () => {
    assert.throws(
      () => read(body),
      (error) => error instanceof Refusal && error.status === 400 && message.test(error.message),
    );
  });
}

test("whatever is sent is read or refused, and what is read can be stored", () => {
  const field = fc.constantFrom(
    "id",
    "kind",
    "time",
    "title",
    "service",
    "host",
    "entity",
    "by",
    "link",
    "items",
  );
  const query = fc.dictionary(field, fc.constantFrom("$.a", "$.a.b", "$", "$.__proto__", "release", "x"));
  fc.assert(
    fc.property(fc.jsonValue(), query, (body, mapping) => {
      try {
        for (const { title, atMs } of read(body, new URLSearchParams(mapping).toString()))
          assert.ok(title !== "" && Number.isSafeInteger(atMs));
      } catch (error) {
        assert.ok(error instanceof Refusal, String(error));
      }
    }),
    { seed: 2, numRuns: 300 },
  );
});

function post(port: number, body: unknown, contentType = "application/json"): Promise<Response> {
  return fetch(`http://127.0.0.1:${port}/api/v1/changes`, {
    method: "POST",
    headers: { "Content-Type": contentType },
    body: JSON.stringify(body),
  });
}

test("what was taken is answered, an id that is another change's is a conflict, and all of it is listed", async () => {
  const known: Change[] = [];
  const takeChanges = (changes: readonly Change[]): Promise<ChangesResult> => {
    const conflict = known.find((one) =>
      changes.some(({ id, title }) => one.id === id && one.title !== title),
    );
    if (conflict !== undefined) return Promise.resolve({ outcome: "id_reused", known: conflict });
    const fresh = changes.filter(({ id }) => !known.some((one) => one.id === id));
    known.push(...fresh);
    return Promise.resolve({ outcome: "done", taken: { added: fresh.length, changes: [...changes] } });
  };
  const asked: object[] = [];
  const changes = (range: object): readonly Change[] => {
    asked.push(range);
    return known;
  };
  await inRoom({ api: { takeChanges, changes, nowMs: () => nowMs } }, async ({ port }) => {
    const first = await post(port, { ...good, id: "r-1" });
    assert.equal(first.status, 200);
    assert.equal(changesTakenSchema.parse(await first.json()).added, 1);
    const again = await post(port, { ...good, id: "r-1" });
    assert.equal(changesTakenSchema.parse(await again.json()).added, 0);
    const other = await post(port, { ...good, id: "r-1", title: "another" });
    assert.equal(other.status, 409);
    const { error } = apiErrorSchema.parse(await other.json());
    assert.equal(error.code, "id_reused");
    assert.match(error.message, /"r-1" is known.*release of service:pay, "pay 4\.2\.0"/);
    const list = await fetch(`http://127.0.0.1:${port}/api/v1/changes?from=1&to=2`);
    assert.deepEqual(changeListSchema.parse(await list.json()).changes, known);
    assert.equal((await post(port, good, "text/plain")).status, 415);
    assert.equal((await post(port, { ...good, title: "x".repeat(300_000) })).status, 413);
  });
  assert.deepEqual(asked, [{ fromMs: 1, toMs: 2 }]);
});
