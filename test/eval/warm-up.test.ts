/** How loud and how quick the first ten minutes are, on what is simulated: quiet, and quick where it matters most. */
import assert from "node:assert/strict";
import { test } from "node:test";
import { simulatedServices } from "./priors/services.ts";
import { runEval } from "./eval.ts";
import { Recording } from "./warm-up/starts.ts";
import { serviceFaults, warmUpFigures } from "./warm-up.ts";

test("24 services, begun anew every five minutes: no false symptom, and half of the calls failing is found in half a minute", () => {
  const recording = new Recording();
  for (const event of simulatedServices()) recording.hear(event);
  const ratio = serviceFaults.filter(({ metric }) => metric === "gateway_success_ratio");
  const figures = warmUpFigures("services", recording, ratio);
  assert.equal(figures["services.starts"], 22);
  assert.equal(figures["services.symptoms"], 0);
  assert.ok(figures["services.success_50_found"]! > 0.98, `${figures["services.success_50_found"]}`);
  assert.equal(figures["services.success_50_delay_s"], 20);
  assert.equal(figures["services.success_40_at_once_found"], 1);
});

test("it says what it wants when no folder is named", async () => {
  const errors: string[] = [];
  const code = await runEval(
    ["warm-up"],
    () => {},
    (line) => void errors.push(line),
  );
  assert.equal(code, 2);
  assert.match(errors[0]!, /say where a collector's data are/);
});
