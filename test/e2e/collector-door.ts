/** The collector's way in, alone: HTTP, the agents' door, the journal. Arguments: port, journal file. */
import http from "node:http";
import { createAgentSocket } from "#collector/ingest/ingest.ts";
import { openSqliteJournal } from "#collector/journal/sqlite.ts";
import { systemClock } from "#shared/clock.ts";
import { createLog } from "#shared/log.ts";
import { countNothing } from "#test/collector/ingest/counters.ts";

const [port = "0", file = ""] = process.argv.slice(2);
const clock = systemClock;
const log = createLog({ clock, write: (line) => process.stderr.write(line) });
const journal = openSqliteJournal({ path: file, clock, log });
const door = createAgentSocket({ clock, journal, log, counters: countNothing });
const server = http.createServer((_, response) => response.writeHead(404).end());
server.on("upgrade", (request, socket, head) => door.handleUpgrade(request, socket, head));
server.listen(Number(port), "127.0.0.1", () => process.stdout.write("listening\n"));
process.on("SIGTERM", () => {
  void door
    .close()
    .then(() => journal.close())
    .then(() => process.exit(0));
});
