/** `npm run changes -- add ...`: tells the collector what was changed, from a release script or by hand. */
import { systemClock } from "#shared/clock.ts";
import { runChanges } from "./command.ts";

const { code, output } = await runChanges(process.argv.slice(2), systemClock.nowMs());
(code === 0 ? process.stdout : process.stderr).write(output);
process.exitCode = code;
