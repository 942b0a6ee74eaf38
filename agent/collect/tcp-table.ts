/**
 * The TCP sockets of one network namespace, out of the bytes of /proc/net/tcp and /proc/net/tcp6 (proc_pid_net(5)).
 *
 * One line a socket; addresses are words in the machine's byte order, ports are plain hexadecimal:
 * `0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 12345 1 ...`
 * The visitor gets one object that is filled anew for each socket. An IPv4 peer of an IPv6 socket (::ffff:a.b.c.d) is
 * told as IPv4: it is the same peer. Pure.
 */
import type { Cursor } from "./cursor.ts";

/** By the kernel's number of the state (include/net/tcp_states.h); the names are OpenTelemetry's. */
export const tcpStates = [
  "",
  "established",
  "syn_sent",
  "syn_received",
  "fin_wait_1",
  "fin_wait_2",
  "time_wait",
  "closed",
  "close_wait",
  "last_ack",
  "listen",
  "closing",
  // NEW_SYN_RECV: the same as syn_received, without a full socket.
  "syn_received",
] as const;

export const tcpState = { established: 1, synSent: 2, timeWait: 6, listen: 10 } as const;

export interface Socket {
  localPort: number;
  peerPort: number;
  state: number;
  /** 0 for a socket that belongs to no process any more, or not yet. */
  inode: number;
  /** The peer's address as the four words of the file; of IPv4 only the first counts. */
  readonly peer: Uint32Array;
  peerIsV4: boolean;
}

export function emptySocket(): Socket {
  return { localPort: 0, peerPort: 0, state: 0, inode: 0, peer: new Uint32Array(4), peerIsV4: true };
}

/**
 * Calls `visit` for each socket, with the same object each time. A line of another form is left out and counted:
 * returned.
 */
export function parseTcpTable(cursor: Cursor, socket: Socket, visit: (socket: Socket) => void): number {
  let malformed = 0;
  cursor.nextLine();
  for (; !cursor.done; cursor.nextLine()) {
    if (parseSocket(cursor, socket)) visit(socket);
    else malformed += 1;
  }
  return malformed;
}

const colon = 58;

function parseSocket(cursor: Cursor, socket: Socket): boolean {
  if (!cursor.word()) return false;
  cursor.skipSpaces();
  parseAddress(cursor, socket);
  socket.localPort = parsePort(cursor);
  cursor.skipSpaces();
  parseAddress(cursor, socket);
  socket.peerPort = parsePort(cursor);
  cursor.skipSpaces();
  socket.state = cursor.hex();
  cursor.skipWords(5);
  socket.inode = cursor.number();
  return Number.isFinite(socket.localPort + socket.peerPort + socket.state + socket.inode);
}

function parseAddress(cursor: Cursor, socket: Socket): void {
  const { peer } = socket;
  let words = 0;
  for (; words < 4 && cursor.peek() !== colon; words += 1) peer[words] = cursor.hex();
  socket.peerIsV4 = words === 1;
  if (words !== 4 || peer[0] !== 0 || peer[1] !== 0) return;
  // ::ffff:a.b.c.d, the third word in the machine's (little) byte order.
  if (peer[2] !== 0xffff0000) return;
  peer[0] = peer[3]!;
  socket.peerIsV4 = true;
}

function parsePort(cursor: Cursor): number {
  if (cursor.peek() !== colon) return Number.NaN;
  cursor.at += 1;
  return cursor.hex();
}

/** The peer's address as people write it: "10.0.0.7", "2001:db8::1". */
export function peerAddress({ peer, peerIsV4 }: Pick<Socket, "peer" | "peerIsV4">): string {
  const bytes: number[] = [];
  for (const word of peerIsV4 ? peer.subarray(0, 1) : peer) {
    bytes.push(word & 255, (word >>> 8) & 255, (word >>> 16) & 255, word >>> 24);
  }
  return peerIsV4 ? bytes.join(".") : formatV6(bytes);
}

/** RFC 5952: lower case, no leading zeros, the first of the longest runs of two or more zero groups as "::". */
function formatV6(bytes: readonly number[]): string {
  const groups = Array.from({ length: 8 }, (_, index) => (bytes[index * 2]! << 8) | bytes[index * 2 + 1]!);
  let best = { start: -1, length: 1 };
  for (let start = 0; start < 8; start += 1) {
    let length = 0;
    while (start + length < 8 && groups[start + length] === 0) length += 1;
    if (length > best.length) best = { start, length };
  }
  const hex = (from: number, to: number) =>
    groups
      .slice(from, to)
      .map((group) => group.toString(16))
      .join(":");
  return best.start < 0 ? hex(0, 8) : `${hex(0, best.start)}::${hex(best.start + best.length, 8)}`;
}
