import assert from "node:assert/strict";
import { test } from "node:test";
import { isTimeZone, offsetTable } from "#collector/policy/time-zone.ts";

test("a zone's table has each change of its offset to the minute", () => {
  const newYork = offsetTable("America/New_York");
  assert.deepEqual(newYork.minutes.slice(0, 3), [-300, -240, -300]);
  assert.equal(newYork.sinceMs[1], Date.parse("2020-03-08T07:00Z"));
  assert.equal(newYork.sinceMs[2], Date.parse("2020-11-01T06:00Z"));
  assert.equal(newYork.minutes.length, 43, "twice a year for 21 years");
  const lordHowe = offsetTable("Australia/Lord_Howe");
  assert.deepEqual(lordHowe.minutes.slice(0, 2), [660, 630], "half an hour of daylight saving");
  assert.deepEqual(offsetTable("Asia/Kathmandu").minutes, [345]);
  assert.deepEqual(offsetTable("Asia/Shanghai").minutes, [480]);
});

test("names that are no zone are told apart from those that are", () => {
  for (const zone of ["UTC", "Asia/Shanghai", "Europe/London"]) assert.ok(isTimeZone(zone), zone);
  for (const zone of ["Asia/Peking", "Beijing", "", "CST+8"]) assert.ok(!isTimeZone(zone), zone);
});
