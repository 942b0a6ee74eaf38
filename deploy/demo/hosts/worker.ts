/**
 * A process beside the services that takes what they need: `node worker.ts KIND NAME FILE`. It lives as long as its standard input,
 * which is a pipe from the host's first process.
 */
import fs from "node:fs";
import { systemClock } from "#shared/clock.ts";

const [kind = "", name = "", file = ""] = process.argv.slice(2);
process.title = name;
process.stdin.resume().on("end", () => process.exit(0));

const mebibyte = 1024 * 1024;
const fileMebibytes = 64;
/** Work in slices, so that the end is noticed. */
const sliceMs = 50;
const chunk = Buffer.alloc(mebibyte, 0x5a);

function inSlices(step: () => void): void {
  const untilMs = systemClock.monotonicMs() + sliceMs;
  while (systemClock.monotonicMs() < untilMs) step();
  setImmediate(() => inSlices(step));
}

if (kind === "write") {
  const descriptor = fs.openSync(file, "w", 0o600);
  process.once("exit", () => fs.rmSync(file, { force: true }));
  let at = 0;
  // Durable after each mebibyte, over and over in the same 64: busy with the disk, and bounded.
  inSlices(() => {
    fs.writeSync(descriptor, chunk, 0, mebibyte, at * mebibyte);
    fs.fsyncSync(descriptor);
    at = (at + 1) % fileMebibytes;
  });
} else {
  inSlices(() => {});
}
