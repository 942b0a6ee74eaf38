/** A process that traces one batch, for `tracing.test.ts`. Argument: the receiver's address. */
import { noTracer } from "#collector/self/tracer.ts";
import { startTracing } from "#collector/self/tracing.ts";
import { systemClock } from "#shared/clock.ts";

const [endpoint] = process.argv.slice(2);
const tracer =
  endpoint === undefined ? noTracer : startTracing({ endpoint, version: "1.2.3", clock: systemClock });
const batch = tracer.batch({ host: "web-01", samples: 600 });
const admitted = batch.stage("admit", () => 7);
const appended = await batch.stage("append", () => Promise.resolve("durable"));
let thrown = "";
try {
  batch.stage("commit", () => {
    throw new Error("the disk is full");
  });
} catch (error) {
  thrown = String(error);
}
await batch
  .stage("push", () => Promise.reject(new Error("gone")))
  .catch((error: unknown) => (thrown += String(error)));
batch.end();
await tracer.close();
const listening = process.getActiveResourcesInfo().filter((name) => name === "TCPServerWrap").length;
process.stdout.write(JSON.stringify({ admitted, appended, thrown, listening }));
