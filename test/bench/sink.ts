/**
 * A collector that does nothing but take, for the agent's benchmark: the real door and the real journal, in memory, in a process
 * of its own, so that its cost is not the agent's. Prints its port.
 */
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { IngestCounters } from "#collector/ingest/counters.ts";
import { createAgentSocket } from "#collector/ingest/agent-socket.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import { systemClock } from "#shared/clock.ts";
import { createLog } from "#shared/log.ts";

const clock = systemClock;
const log = createLog({ clock, write: (line) => process.stderr.write(line), level: "warn" });
const journal = openSqliteJournal({ path: ":memory:", clock, log });
let samples = 0;
const counters: IngestCounters = {
  agents: () => {},
  inFlight: () => {},
  received: () => {},
  admitted: (count) => void (samples += count),
  repeated: () => {},
  gap: () => {},
  refusedFrame: () => {},
  refusedConnection: () => {},
  lost: () => {},
  otlpSources: () => {},
  refusedRequest: () => {},
  repeatedPoints: () => {},
};
const socket = createAgentSocket({ clock, journal, log, counters });
const server = createServer((_, response) => response.end(`${samples}\n`));
server.on("upgrade", (request, stream, head) => socket.handleUpgrade(request, stream, head));
server.listen(0, "127.0.0.1", () => {
  process.stdout.write(`port ${(server.address() as AddressInfo).port}\n`);
});
process.on("SIGTERM", () => process.exit(0));
