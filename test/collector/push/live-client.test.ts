import assert from "node:assert/strict";
import test from "node:test";
import { History } from "#collector/push/history.ts";
import { LiveClient } from "#collector/push/live-client.ts";
import type { LiveSocket } from "#collector/push/live-client.ts";
import { openSqliteStore } from "#collector/store/sqlite.ts";
import { limits as usual } from "#shared/limits.ts";
import { silentLog } from "#shared/log.ts";
import { sampleIncident } from "../store/samples.ts";

const limits = { ...usual, liveSlowBytes: 100, liveTooSlowBytes: 1_000, liveTooSlowMs: 5_000 };

/** A socket whose line takes bytes only when the test says so. */
class Line implements LiveSocket {
  readonly sent: string[] = [];
  #inSocket: { sizeBytes: number; done: () => void }[] = [];
  ended: number | undefined;

  get bufferedAmount(): number {
    return this.#inSocket.reduce((sum, { sizeBytes }) => sum + sizeBytes, 0);
  }
  send(data: Buffer, _options: { binary: false }, done: () => void): void {
    this.sent.push(data.toString());
    this.#inSocket.push({ sizeBytes: data.length, done });
  }
  /** The line takes the oldest frame. */
  drain(): boolean {
    const first = this.#inSocket.shift();
    first?.done();
    return first !== undefined;
  }
  ping(): void {}
  close(code: number): void {
    this.ended = code;
  }
  terminate(): void {}
}

function makeClient(lost = () => {}): { line: Line; client: LiveClient } {
  const line = new Line();
  return { line, client: new LiveClient(line, { limits, nowMs: 0, lost }) };
}

const frame = (name: string, sizeBytes = 60) => Buffer.from(name.padEnd(sizeBytes, "."));
const names = (line: Line) => line.sent.map((text) => text.replace(/\.+$/, ""));

test("frames wait outside the socket once it holds enough, and leave in order", () => {
  const { line, client } = makeClient();
  client.sendPast(
    "incidents",
    ["s1", "s2", "s3"].map((name) => frame(name)),
  );
  client.send("incidents", frame("p1"));
  client.send(undefined, frame("hb"));
  assert.deepEqual(names(line), ["s1", "s2"]);
  assert.equal(client.slow, true);
  while (line.drain());
  assert.deepEqual(names(line), ["s1", "s2", "s3", "p1", "hb"]);
  assert.equal(client.slow, false);
});

test("only new frames make a reader too slow, and only after the time it has", () => {
  const { line, client } = makeClient();
  client.sendPast(
    "incidents",
    Array.from({ length: 100 }, () => frame("s")),
  );
  assert.equal(client.tooSlow(0), false, "a large snapshot may take its time");
  for (let n = 0; n < 20; n += 1) client.send("incidents", frame("p"));
  assert.equal(client.tooSlow(1_000), false);
  assert.equal(client.tooSlow(5_999), false);
  assert.equal(client.tooSlow(6_000), true);
  while (line.drain());
  assert.equal(client.tooSlow(7_000), false);
  assert.equal(client.tooSlow(20_000), false, "the time begins anew");
});

test("what a reader no longer wants is not sent", () => {
  const { line, client } = makeClient();
  client.subscribed.add("incidents");
  client.sendPast("incidents", [frame("s1"), frame("s2"), frame("s3")]);
  client.send("incidents", frame("p1"));
  client.send("hosts", frame("h1"));
  client.unsubscribe("incidents");
  while (line.drain());
  assert.deepEqual(names(line), ["s1", "s2", "h1"]);
  assert.equal(client.tooSlow(0), false);
});

test("a replay is read piece by piece when its turn comes, and closes the socket when it is gone by then", () => {
  const store = openSqliteStore({
    path: ":memory:",
    epoch: "e",
    limits: { ...limits, liveRingMax: 150 },
    log: silentLog,
  });
  const commit = (n: number) => store.commit({ position: n, incidents: [sampleIncident("a")], losses: [] });
  for (let n = 1; n <= 150; n += 1) commit(n);
  const history = new History(store, limits);
  let lost = 0;
  const { line, client } = makeClient(() => {
    lost += 1;
    client.close(4508, "");
  });
  const start = history.begin({ epoch: "e", seq: 0 });
  assert.equal(start.kind, "resumed");
  client.sendPast("incidents", start.frames);
  const seqs = () => line.sent.slice(1).map((text) => (JSON.parse(text) as { seq: number }).seq);
  while (seqs().length < 64) line.drain();
  for (let n = 151; n <= 250; n += 1) commit(n);
  while (line.drain());
  assert.equal(lost, 1);
  assert.equal(line.ended, 4508);
  assert.deepEqual(
    seqs(),
    seqs().map((_, index) => index + 1),
    "no hole before the close",
  );
  assert.ok(seqs().length < 150);
  store.close();
});

test("after a close nothing more is sent", () => {
  const { line, client } = makeClient();
  for (let n = 0; n < 5; n += 1) client.send("incidents", frame(`p${n}`));
  client.close(1012, "", frame("bye"));
  client.send("incidents", frame("late"));
  while (line.drain());
  assert.deepEqual(names(line), ["p0", "p1", "bye"]);
});

test("more than a console ever says in a minute is refused, and the next minute is a new one", () => {
  const { client } = makeClient();
  const asked = Array.from({ length: 121 }, () => client.mayAsk(10));
  assert.deepEqual([asked.filter(Boolean).length, asked.at(-1)], [120, false]);
  assert.equal(client.mayAsk(60_000), true);
});
