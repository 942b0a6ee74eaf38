/** A file takes a part of the filesystem: it is fuller than ever, bounded by what is free. */
import { execFile } from "node:child_process";
import fs from "node:fs";
import { join } from "node:path";
import { promisify } from "node:util";
import { formatValue } from "#shared/units.ts";
import { parseEntity } from "../entity.ts";
import type { Fault } from "../fault.ts";

/** Of what the filesystem has for users; twice what matters. Never more than a quarter of what is free. */
const shareOfAll = 0.06;
const shareOfFree = 0.25;
const run = promisify(execFile);

export const disk: Fault = {
  name: "disk",
  describe: "a file takes six hundredths of the filesystem at once",
  prepareMs: 0,
  async start({ scratch }) {
    const { bsize, blocks, bfree, bavail } = fs.statfsSync(scratch);
    const usableBytes = (blocks - bfree + bavail) * bsize;
    const sizeBytes = Math.floor(usableBytes * shareOfAll);
    const freeBytes = bavail * bsize;
    if (sizeBytes > freeBytes * shareOfFree) {
      throw new Error(
        `cannot fill ${scratch}: it takes ${formatValue(sizeBytes, "By")}, and a quarter of the ${formatValue(freeBytes, "By")} free is the most`,
      );
    }
    const file = join(scratch, "full");
    // Reserved, not written: fills the filesystem without wearing the disk.
    await run("fallocate", ["-l", String(sizeBytes), file]);
    return {
      what: `${file} takes ${formatValue(sizeBytes, "By")}`,
      isRight: ({ entity }) =>
        parseEntity(entity).kind === "filesystem" && scratch.startsWith(parseEntity(entity).name),
      stop: () => Promise.resolve(fs.rmSync(file, { force: true })),
    };
  },
};
