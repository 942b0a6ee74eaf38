import assert from "node:assert/strict";
import { test } from "node:test";
import { type Measured, Rarity } from "#collector/correlate/rarity.ts";
import { limits } from "#shared/limits.ts";

const hourMs = 3_600_000;
const startMs = Date.UTC(2026, 0, 5);
const measured = (series: string, host = "pay-01", process = ""): Measured => {
  const entity = { kind: process === "" ? "service" : "process", host, name: process } as const;
  return { host, series, metric: "busy", entity };
};
const stretch = (series: string, fromMs: number, ms: number) => ({
  ...measured(series),
  startedMs: fromMs,
  lastMs: fromMs + ms,
});

test("a series is the rarer abnormal, the less of the time it was; nobody knows before an hour was seen", () => {
  const rarity = new Rarity();
  rarity.advance(startMs);
  rarity.add(stretch("often", startMs, hourMs / 2));
  rarity.advance(startMs + hourMs / 2);
  assert.equal(rarity.of(measured("often")), undefined);
  rarity.add(stretch("once", startMs + hourMs / 2, 60_000));
  rarity.advance(startMs + 10 * hourMs);
  const [often, once, never] = ["often", "once", "never"].map((series) => rarity.of(measured(series))!);
  assert.ok(Math.abs(Math.exp(-often!) - 0.05) < 0.002, `a twentieth, got ${Math.exp(-often!)}`);
  assert.ok(often! < once! && once! < never!, `${often} ${once} ${never}`);
});

test("what was long ago fades, and a snapshot forgets nothing", () => {
  const rarity = new Rarity();
  rarity.advance(startMs);
  rarity.add(stretch("busy", startMs, 10 * hourMs));
  rarity.advance(startMs + 24 * hourMs);
  const before = rarity.of(measured("busy"))!;
  const again = new Rarity(JSON.parse(JSON.stringify(rarity.state())) as ReturnType<Rarity["state"]>);
  assert.equal(again.of(measured("busy")), before);
  again.advance(startMs + 30 * 24 * hourMs);
  assert.ok(again.of(measured("busy"))! > before + 2);
});

test("of too many series the one that was abnormal longest ago is forgotten", () => {
  const rarity = new Rarity();
  rarity.advance(startMs);
  for (let number = 0; number <= limits.rarityKeptMax; number += 1)
    rarity.add(stretch(`series ${number}`, startMs + number, hourMs));
  rarity.advance(startMs + 5 * hourMs);
  assert.equal(rarity.state().abnormal.length, limits.rarityKeptMax);
  assert.equal(rarity.of(measured("series 0")), rarity.of(measured("never")));
  assert.notEqual(rarity.of(measured("series 1")), rarity.of(measured("never")));
});

test("a process is known by its program, and of a host that is gone nothing is kept", () => {
  const rarity = new Rarity();
  rarity.advance(startMs);
  const process = (pid: number) => measured(`busy{pid="${pid}"}`, "pay-01", `${pid}/backup`);
  rarity.add({ ...process(7), startedMs: startMs, lastMs: startMs + hourMs });
  rarity.advance(startMs + 2 * hourMs);
  assert.equal(rarity.of(process(8)), rarity.of(process(7)));
  const before = rarity.of(process(8))!;
  rarity.forget("pay-0");
  assert.equal(rarity.of(process(8)), before);
  rarity.forget("pay-01");
  assert.ok(rarity.of(process(8))! > before);
});
