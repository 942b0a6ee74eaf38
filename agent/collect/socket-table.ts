/**
 * What `ss -Htine` prints of each connection: both ends, the socket's inode, the round-trip time, what was sent again.
 *
 * Two lines a connection, as iproute2 4 to 6 write them (ss(8)):
 * `0 0 10.0.0.2:40000 10.0.0.9:5432 ino:4936 sk:1 cgroup:/ <->`
 * `    ts sack cubic rto:204 rtt:0.384/0.751 ... lastack:516 ... retrans:0/4 ...`
 * Fields come and go with versions and with what a connection did, so each is looked for by its name. The text arrives in
 * pieces of any length. Pure. Cost: 7 us a connection, interpreted as the
 * agent is.
 */
import { parseAddress } from "./ip-address.ts";
import { emptySocket, tcpState, type Socket } from "./tcp-table.ts";

export interface Timing {
  /** The connection that is spoken of, the same object each time; its inode is 0 if it is not told. */
  readonly socket: Socket;
  /** Smoothed round-trip time; NaN if there is none. */
  rttSeconds: number;
  /** Since the last acknowledgement, whose round trip was measured; 0 is now. */
  lastAckMs: number;
  /** Segments that were sent again, in the whole life of the connection. */
  retransmits: number;
}

/** No line of ss is as long; a longer one is no line of ss. */
const lineCharactersMax = 8192;

export class SocketTable {
  /** Connections so far, with and without a line that says something of them. */
  listed = 0;
  readonly #visit: (timing: Timing) => void;
  readonly #timing: Timing = { socket: emptySocket(), rttSeconds: 0, lastAckMs: 0, retransmits: 0 };
  #rest = "";
  /** The last line named a connection, and nothing was said of it yet. */
  #named = false;

  constructor(visit: (timing: Timing) => void) {
    this.#visit = visit;
  }

  add(text: string): void {
    const lines = (this.#rest + text).split("\n");
    const rest = lines.pop() ?? "";
    this.#rest = rest.length > lineCharactersMax ? "" : rest;
    for (const line of lines) this.#take(line);
  }

  #take(line: string): void {
    const first = line.charCodeAt(0);
    // A tab, or spaces in some versions: what is said of the connection above.
    if (first === 9 || first === 32) {
      if (!this.#named) return;
      this.#named = false;
      this.#timing.rttSeconds = numberAfter(line, " rtt:") / 1000;
      this.#timing.lastAckMs = numberAfter(line, " lastack:") || 0;
      this.#timing.retransmits = numberAfter(line, " retrans:", "/") || 0;
      this.#visit(this.#timing);
      return;
    }
    this.#named = this.#parseEnds(line);
    if (this.#named) this.listed += 1;
  }

  /** Columns: received and sent queue, local end, peer; some versions put the state in front. */
  #parseEnds(line: string): boolean {
    const { socket } = this.#timing;
    const words = line.split(" ").filter((word) => word !== "");
    const at = /^\d/.test(words[0] ?? "") ? 2 : 3;
    const [local = "", peer = ""] = words.slice(at, at + 2);
    socket.localPort = parseEnd(local, socket.local);
    socket.peerPort = parseEnd(peer, socket.peer);
    socket.state = tcpState.established;
    socket.inode = numberAfter(line, " ino:") || 0;
    return Number.isFinite(socket.localPort + socket.peerPort);
  }
}

/** The port, NaN if this is no end: "10.0.0.2:80", "[2001:db8::1]:443", "[fe80::1]%eth0:443". */
function parseEnd(text: string, address: Socket["local"]): number {
  const colon = text.lastIndexOf(":");
  const host = text
    .slice(0, colon)
    .replace(/%[^\]]*$/, "")
    .replace(/^\[([^%\]]*)(?:%[^\]]*)?\]$/, "$1");
  if (colon < 0 || !parseAddress(host, address)) return Number.NaN;
  const port = text.slice(colon + 1);
  return /^\d{1,5}$/.test(port) ? Number(port) : Number.NaN;
}

/** The number that follows `name`, or what follows `separator` behind it; NaN if there is none. */
function numberAfter(line: string, name: string, separator?: string): number {
  const found = line.indexOf(name);
  if (found < 0) return Number.NaN;
  let at = found + name.length;
  if (separator !== undefined) at = line.indexOf(separator, at) + 1;
  return at === 0 ? Number.NaN : Number.parseFloat(line.slice(at, at + 24));
}
