/** `npm run replay FILE`: plays a scenario through the chain, prints what operators would have been told, checks what it expects. */
import fs from "node:fs";
import { formatDuration } from "#shared/duration.ts";
import { renderText } from "#shared/text/text.ts";
import { parseScenario, play, unmet } from "./scenario.ts";

const [file] = process.argv.slice(2);
if (file === undefined) {
  process.stderr.write("want a scenario: npm run replay test/scenarios/runaway-process.txt\n");
  process.exit(2);
}
const scenario = parseScenario(fs.readFileSync(file, "utf8"));
const played = play(scenario);
for (const { atMs, incident } of played.told) {
  const { id, severity, state, title } = incident;
  process.stdout.write(
    `${formatDuration(atMs).padStart(8)}  ${id}  ${severity.padEnd(8)} ${state.padEnd(10)} ${renderText(title, "en")}\n`,
  );
}
const problems = unmet(scenario, played);
for (const problem of problems) process.stdout.write(`not met: ${problem}\n`);
process.stdout.write(
  `${scenario.expectations.length - problems.length} of ${scenario.expectations.length} expectations met\n`,
);
process.exitCode = problems.length === 0 ? 0 : 1;
