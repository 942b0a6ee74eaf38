/**
 * The guilty process of a drill: `node worker.ts KIND ARGUMENT SECONDS`. Its name is `drill-KIND`, so that an incident that
 * blames it can be seen to be right. It ends by itself after SECONDS, and when whoever started it is gone.
 */
import fs from "node:fs";
import { createServer } from "node:http";
import { systemClock } from "#shared/clock.ts";

const [kind = "", argument = "", seconds = "0"] = process.argv.slice(2);
process.title = `drill-${kind}`;
process.stdin.resume().on("end", () => process.exit(0));
systemClock.after(Number(seconds) * 1000, () => process.exit(0), { keepAlive: true });

/** Work in slices, so that the end is noticed. */
const sliceMs = 50;
const chunk = Buffer.alloc(1024 * 1024, 0x5a);
const held: Buffer[] = [];

function burn(): void {
  const untilMs = systemClock.monotonicMs() + sliceMs;
  while (systemClock.monotonicMs() < untilMs);
  setImmediate(burn);
}

/** Grows to `argument` bytes over about ten seconds, and holds them. */
function grow(): void {
  const stepBytes = Math.ceil(Number(argument) / 100);
  if (held.length < 100) held.push(Buffer.alloc(stepBytes, 1));
  systemClock.after(100, grow);
}

/** Rewrites the file `argument` (64 MiB) with an fsync after each megabyte: busy with the disk and nothing else. */
function write(): void {
  const file = fs.openSync(argument, "w");
  let at = 0;
  const step = (): void => {
    const untilMs = systemClock.monotonicMs() + sliceMs;
    while (systemClock.monotonicMs() < untilMs) {
      fs.writeSync(file, chunk, 0, chunk.length, at);
      fs.fsyncSync(file);
      at = (at + chunk.length) % (64 * chunk.length);
    }
    setImmediate(step);
  };
  step();
}

function listen(): void {
  createServer((_, response) => response.end("well\n")).listen(Number(argument), "127.0.0.1", () => {
    process.stdout.write("listening\n");
  });
}

const kinds = new Map([
  ["cpu", burn],
  ["memory", grow],
  ["io", write],
  ["service", listen],
]);
kinds.get(kind)?.();
