/** What every adapter of the journal must do. `open` gives an empty journal whose disk can be filled and freed. */
import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import {
  jsonEntry,
  type Journal,
  type JournalEntry,
  type JournalRecord,
} from "#collector/journal/journal.ts";
import { StorageError } from "#shared/errors.ts";
import { settle, type SimClock } from "#test/sim/sim-clock.ts";

export interface JournalUnderTest {
  readonly journal: Journal;
  readonly clock: SimClock;
  /** Lets the disk take no more, or as much as it likes. */
  setDisk(full: boolean): void;
  /** Closes without a goodbye and opens again. */
  reopen(): Promise<JournalUnderTest>;
}

export function frameEntry(sequence: number, more: Partial<JournalEntry> = {}): JournalEntry {
  return {
    kind: "frame",
    stream: "a",
    epoch: 1,
    sequence,
    key: sequence % 5 === 0,
    firstMs: sequence * 1000,
    lastMs: sequence * 1000,
    samples: 3,
    series: 3,
    skewMs: 0,
    bytes: Uint8Array.of(sequence % 256, 1, 2),
    ...more,
  };
}

export function journalContract(
  name: string,
  open: (limits?: { journalBytesMax?: number; journalAgeMsMax?: number }) => Promise<JournalUnderTest>,
): void {
  const append = async (under: JournalUnderTest, entries: JournalEntry[]) => {
    const all = Promise.all(entries.map((entry) => under.journal.append(entry)));
    await under.clock.advance(100);
    return all;
  };

  test(`${name}: an append resolves only when it is durable, and survives a sudden end`, async () => {
    const under = await open();
    let resolved = false;
    const appended = under.journal.append(frameEntry(0)).then(() => (resolved = true));
    await settle();
    assert.equal(resolved, false, "resolved before the group was committed");
    await under.clock.advance(100);
    await appended;
    const again = await under.reopen();
    assert.deepEqual(again.journal.last("a"), { epoch: 1, sequence: 0 });
    await again.journal.close();
  });

  test(`${name}: positions grow in the order of the calls, and a repeated frame gets none`, async () => {
    const under = await open();
    const positions = await append(under, [
      frameEntry(0),
      jsonEntry("tick", "", 5, {}),
      frameEntry(0),
      frameEntry(1),
    ]);
    assert.equal(positions[2], null);
    const given = positions.filter((position) => position !== null);
    assert.deepEqual(
      given,
      [...given].sort((a, b) => a - b),
    );
    assert.equal(new Set(given).size, 3);
    assert.equal(under.journal.has("a", { epoch: 1, sequence: 1 }), true);
    assert.equal(under.journal.has("a", { epoch: 2, sequence: 1 }), false);
    assert.equal(under.journal.last("b"), null);
    await under.journal.close();
  });

  test(`${name}: a reader gets what is stored and then what comes, without a gap or a repeat`, async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.oneof(fc.nat(40), fc.constant("read" as const), fc.constant("wait" as const)), {
          maxLength: 25,
        }),
        fc.boolean(),
        async (steps, slow) => {
          const under = await open();
          const seen: JournalRecord[][] = [];
          let sequence = 0;
          for (const step of [...steps, "read" as const, 7]) {
            if (step === "read") {
              const records: JournalRecord[] = [];
              seen.push(records);
              under.journal.consume(0, async (record) => {
                if (slow) await new Promise((resolve) => setImmediate(resolve));
                records.push(record);
              });
            } else if (step === "wait") {
              await under.clock.advance(50);
            } else {
              for (let count = 0; count < step; count += 1) void under.journal.append(frameEntry(sequence++));
            }
          }
          await under.clock.advance(1000);
          while (seen.some((records) => records.length < sequence)) await settle();
          for (const records of seen) {
            assert.deepEqual(
              records.map((record) => record.sequence),
              Array.from({ length: sequence }, (_, index) => index),
            );
          }
          await under.journal.close();
        },
      ),
      { numRuns: 25 },
    );
  });

  test(`${name}: a reader goes on behind a position`, async () => {
    const under = await open();
    const positions = await append(under, [frameEntry(0), frameEntry(1), frameEntry(2)]);
    const seen: (number | null)[] = [];
    const reading = under.journal.consume(positions[1]!, (record) => void seen.push(record.sequence));
    await reading.caughtUp;
    await append(under, [frameEntry(3)]);
    assert.deepEqual(seen, [2, 3]);
    reading.stop();
    await reading.done;
    await under.journal.close();
  });

  test(`${name}: a reader that fails is told so and gets no more`, async () => {
    const under = await open();
    await append(under, [frameEntry(0), frameEntry(1)]);
    let calls = 0;
    const reading = under.journal.consume(0, () => {
      calls += 1;
      throw new Error("cannot digest");
    });
    await assert.rejects(reading.done, /cannot digest/);
    await append(under, [frameEntry(2)]);
    assert.equal(calls, 1);
    await under.journal.close();
  });

  test(`${name}: a live frame comes with what the door has decoded`, async () => {
    const under = await open();
    const decoded = { header: null as never, resource: null, definitions: [], ticks: [], losses: [] };
    const seen: JournalRecord[] = [];
    await under.journal.consume(0, (record) => void seen.push(record)).caughtUp;
    void under.journal.append(frameEntry(0), decoded);
    await under.clock.advance(100);
    assert.equal(seen[0]?.decoded, decoded);
    await under.journal.close();
  });

  test(`${name}: a full disk stops the acknowledgements, loses nothing, and passes`, async () => {
    let under = await open();
    await append(under, [frameEntry(0)]);
    under.setDisk(true);
    const order: number[] = [];
    const waiting = Array.from({ length: 60 }, (_, index) =>
      under.journal
        .append(frameEntry(index + 1, { bytes: new Uint8Array(4000) }))
        .then(() => order.push(index + 1)),
    );
    await under.clock.advance(5_000);
    assert.equal(under.journal.stats().state, "full");
    assert.deepEqual(order, []);
    assert.ok(under.journal.stats().waitingBytes >= 60 * 4000);
    under.setDisk(false);
    await under.clock.advance(5_000);
    await Promise.all(waiting);
    assert.equal(under.journal.stats().state, "ok");
    assert.equal(under.journal.stats().waitingBytes, 0);
    assert.deepEqual(
      order,
      Array.from({ length: 60 }, (_, index) => index + 1),
    );
    under = await under.reopen();
    assert.deepEqual(under.journal.last("a"), { epoch: 1, sequence: 60 });
    await under.journal.close();
  });

  test(`${name}: closing on a full disk says what was not taken`, async () => {
    const under = await open();
    under.setDisk(true);
    const waiting = Array.from({ length: 60 }, (_, index) =>
      under.journal.append(frameEntry(index, { bytes: new Uint8Array(4000) })),
    );
    const outcomes = Promise.allSettled(waiting);
    await under.clock.advance(100);
    await under.journal.close();
    for (const outcome of await outcomes) assert.equal(outcome.status, "rejected");
    await assert.rejects(under.journal.append(frameEntry(99)), StorageError);
  });

  test(`${name}: a range begins at its key frame and ends with the segment that holds its end`, async () => {
    const under = await open();
    await append(
      under,
      Array.from({ length: 20 }, (_, index) => [
        frameEntry(index),
        frameEntry(index, { stream: "b" }),
      ]).flat(),
    );
    const read = async (fromMs: number, toMs: number) => {
      const sequences: (number | null)[] = [];
      for await (const record of under.journal.read({ stream: "a", fromMs, toMs })) {
        assert.equal(record.stream, "a");
        sequences.push(record.sequence);
      }
      return sequences;
    };
    assert.deepEqual(await read(7000, 8000), [5, 6, 7, 8, 9]);
    assert.deepEqual(await read(-5, 2000), [0, 1, 2, 3, 4]);
    assert.deepEqual(await read(17_000, 99_000), [15, 16, 17, 18, 19]);
    assert.deepEqual(
      under.journal.segmentUpTo("a", { epoch: 1, sequence: 12 }).map((record) => record.sequence),
      [10, 11, 12],
    );
    assert.deepEqual(under.journal.segmentUpTo("a", { epoch: 3, sequence: 12 }), []);
    await under.journal.close();
  });

  test(`${name}: age removes whole oldest segments, and the rest can still be read from a key frame`, async () => {
    const under = await open({ journalAgeMsMax: 10_000 });
    under.clock.wallMs = 0;
    await append(under, [
      jsonEntry("presence", "a", 0, {}),
      ...Array.from({ length: 20 }, (_, index) => frameEntry(index)),
    ]);
    under.clock.wallMs = 22_500 - under.clock.monotonicMs();
    under.journal.trim();
    const seen: (number | null)[] = [];
    await under.journal.consume(0, (record) => void seen.push(record.sequence)).caughtUp;
    assert.deepEqual(seen, [10, 11, 12, 13, 14, 15, 16, 17, 18, 19]);
    await under.journal.close();
  });

  test(`${name}: size removes the oldest, but never the last segment of an agent`, async () => {
    const under = await open({ journalBytesMax: 200_000 });
    under.clock.wallMs = 0;
    await append(under, [frameEntry(0, { stream: "gone", firstMs: 5, lastMs: 5 })]);
    for (let sequence = 0; sequence < 100; sequence += 1) {
      await append(under, [frameEntry(sequence, { bytes: new Uint8Array(8000) })]);
    }
    under.journal.trim();
    assert.ok(under.journal.stats().sizeBytes <= 240_000, `${under.journal.stats().sizeBytes} bytes`);
    assert.deepEqual(under.journal.last("gone"), { epoch: 1, sequence: 0 });
    const kept: JournalRecord[] = [];
    await under.journal.consume(0, (record) => void kept.push(record)).caughtUp;
    assert.equal(kept.find((record) => record.stream === "a")?.key, true);
    assert.equal(kept.at(-1)?.sequence, 99);
    await under.journal.close();
  });

  test(`${name}: stored samples are counted once, by stream and time`, async () => {
    const under = await open();
    const minuteMs = 60_000;
    const at = (sequence: number, minute: number, stream: string) =>
      frameEntry(sequence, {
        stream,
        firstMs: minute * minuteMs,
        lastMs: minute * minuteMs,
        samples: 10 + sequence,
      });
    await append(under, [at(0, 0, "a"), at(1, 9, "a"), at(2, 25, "a"), at(0, 25, "b"), at(1, 9, "a")]);
    assert.equal(under.journal.samples("a", {}), 33);
    assert.equal(under.journal.samples(undefined, {}), 43);
    assert.equal(under.journal.samples("a", { fromMs: 0, toMs: 12 * minuteMs }), 21);
    assert.equal(under.journal.samples(undefined, { fromMs: 23 * minuteMs }), 22);
    assert.equal(under.journal.samples("nobody", {}), 0);
    await under.journal.close();
  });

  test(`${name}: what a reader has not seen is not removed`, async () => {
    const under = await open({ journalAgeMsMax: 1 });
    await append(
      under,
      Array.from({ length: 20 }, (_, index) => frameEntry(index)),
    );
    const hold = Promise.withResolvers<void>();
    const seen: (number | null)[] = [];
    const reading = under.journal.consume(0, (record) => {
      seen.push(record.sequence);
      return record.sequence === 7 ? hold.promise : undefined;
    });
    await settle();
    under.journal.trim();
    hold.resolve();
    await reading.caughtUp;
    assert.equal(seen.length, 20);
    await under.journal.close();
  });
}
