// Acknowledging and answering an incident that changes all the time, while others may be faster.
import assert from "node:assert/strict";
import { test } from "node:test";
import {
  type CommandDoor,
  isOffered,
  runCommand,
  sameCause,
  sameFeedback,
} from "#collector/console/state/command.ts";
import type { Incident } from "#shared/contract/incident.ts";
import { cpuIncident } from "./mock-data.ts";
import { acknowledged, answered, explained } from "./mock-server.ts";

const seen = cpuIncident(1_790_000_000_000, 1_790_000_100_000);
const request = { by: "Wang Fang" };

class Refusal extends Error {
  readonly status: number;
  constructor(status: number) {
    super(`status ${status}`);
    this.status = status;
  }
}

/** A collector that compares revisions; `now` is the incident as it has it. */
class Door implements CommandDoor {
  now: Incident;
  readonly keys: string[] = [];
  #made = 0;

  constructor(now: Incident) {
    this.now = now;
  }

  send(incident: Incident, { by }: { by: string }, key: string): Promise<Incident> {
    this.keys.push(key);
    if (incident.revision !== this.now.revision) return Promise.reject(new Refusal(412));
    this.now = acknowledged(this.now, this.now.revision + 1, by, "", 0);
    return Promise.resolve(this.now);
  }

  fetch(): Promise<Incident> {
    return Promise.resolve(this.now);
  }

  newKey(): string {
    this.#made += 1;
    return `new-${this.#made}`;
  }
}

test("an acknowledgement counts once and makes its sender the owner", async () => {
  const door = new Door(seen);
  const outcome = await runCommand(door, seen, request, "k");
  assert.equal(outcome.kind, "done");
  assert.equal(door.now.owner, "Wang Fang");
  assert.deepEqual(door.keys, ["k"]);
});

test("an incident whose evidence merely grew is acknowledged all the same", async () => {
  const door = new Door({ ...seen, revision: seen.revision + 3 });
  const outcome = await runCommand(door, seen, request, "k");
  assert.equal(outcome.kind, "done");
  assert.deepEqual(door.keys, ["k", "new-1"], "another revision is another request and needs another key");
});

test("who was faster is shown, not overwritten", async () => {
  const door = new Door(acknowledged(seen, seen.revision + 1, "Li Na", "on it", 5));
  const outcome = await runCommand(door, seen, request, "k");
  assert.equal(outcome.kind, "conflict");
  assert.equal(outcome.kind === "conflict" && outcome.incident.owner, "Li Na");
  assert.equal(door.now.owner, "Li Na");
});

test("an incident that resolved meanwhile is a conflict", async () => {
  const door = new Door({ ...seen, revision: seen.revision + 1, state: "resolved", resolvedMs: 7 });
  assert.equal((await runCommand(door, seen, request, "k")).kind, "conflict");
});

test("an incident that changes faster than it can be acknowledged ends in a plain failure", async () => {
  const door = new Door({ ...seen, revision: seen.revision + 1 });
  door.fetch = () => {
    door.now = { ...door.now, revision: door.now.revision + 1 };
    return Promise.resolve({ ...door.now, revision: door.now.revision - 1 });
  };
  const outcome = await runCommand(door, seen, request, "k");
  assert.deepEqual(outcome, { kind: "failed", status: 412, message: "status 412" });
  assert.equal(door.keys.length, 4);
});

test("an answer does not mind who acknowledged, only who answered", async () => {
  const revision = seen.revision + 1;
  const owned = new Door(acknowledged(seen, revision, "Li Na", "on it", 5));
  assert.equal((await runCommand(owned, seen, request, "k", sameFeedback)).kind, "done");
  const said = new Door(answered(seen, revision, "useful", "Li Na", "", 5));
  const outcome = await runCommand(said, seen, request, "k", sameFeedback);
  assert.equal(outcome.kind === "conflict" && outcome.incident.feedback?.verdict, "useful");
});

test("only what would change something is offered", () => {
  const offered = (incident: Incident): string[] =>
    (["acknowledge", "resolve", "useful", "noise", "withdraw"] as const).filter((kind) =>
      isOffered(kind, incident),
    );
  assert.deepEqual(offered(seen), ["acknowledge", "resolve", "useful", "noise"]);
  const resolved: Incident = { ...seen, state: "resolved", resolvedMs: 7 };
  assert.deepEqual(offered(resolved), ["useful", "noise"]);
  assert.deepEqual(offered(answered(resolved, 9, "noise", "Li Na", "", 8)), ["useful", "withdraw"]);
});

test("without an answer the command fails with status 0, so that it can be repeated under its key", async () => {
  const door = new Door(seen);
  door.send = () => Promise.reject(new Refusal(0));
  assert.deepEqual(await runCommand(door, seen, request, "k"), {
    kind: "failed",
    status: 0,
    message: "status 0",
  });
});

test("a cause that somebody else said meanwhile is a conflict, and can be withdrawn only when there is one", () => {
  assert.deepEqual([isOffered("cause", seen), isOffered("uncause", seen)], [true, false]);
  const said = explained(seen, 7, "disk:a/sda", "Li Na", "", 5);
  assert.equal(isOffered("uncause", said), true);
  assert.equal(sameCause(seen, said), false);
  assert.equal(sameCause(said, { ...said, revision: 9 }), true);
  assert.equal(sameCause(said, explained(said, 8, null, "Li Na", "", 6)), false);
});

test("what was merged or has expired is neither acknowledged nor resolved", () => {
  for (const state of ["resolved", "merged", "expired"] as const)
    for (const kind of ["acknowledge", "resolve"] as const)
      assert.equal(isOffered(kind, { ...seen, state }), false);
});
