/**
 * The TCP sockets of one network namespace, out of the bytes of /proc/net/tcp and /proc/net/tcp6 (proc_pid_net(5)).
 *
 * One line a socket; addresses are words in the machine's byte order, ports are plain hexadecimal:
 * `0: 0100007F:1538 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 12345 1 ...`
 * The visitor gets one object that is filled anew for each socket. An IPv4 peer of an IPv6 socket (::ffff:a.b.c.d) is
 * told as IPv4: it is the same peer. Pure.
 */
import type { Cursor } from "./cursor.ts";
import { type Address, emptyAddress, unmap } from "./ip-address.ts";

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
  readonly local: Address;
  localPort: number;
  readonly peer: Address;
  peerPort: number;
  state: number;
  /** How often what is sent now was sent again: of SYN_SENT, attempts that nobody answered. */
  retransmits: number;
  /** 0 for a socket that belongs to no process any more, or not yet. */
  inode: number;
}

export function emptySocket(): Socket {
  const [local, peer] = [emptyAddress(), emptyAddress()];
  return { local, localPort: 0, peer, peerPort: 0, state: 0, retransmits: 0, inode: 0 };
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
  parseAddress(cursor, socket.local);
  socket.localPort = parsePort(cursor);
  cursor.skipSpaces();
  parseAddress(cursor, socket.peer);
  socket.peerPort = parsePort(cursor);
  cursor.skipSpaces();
  socket.state = cursor.hex();
  cursor.skipWords(2);
  cursor.skipSpaces();
  socket.retransmits = cursor.hex();
  cursor.skipWords(2);
  socket.inode = cursor.number();
  const { localPort, peerPort, state, retransmits, inode } = socket;
  return Number.isFinite(localPort + peerPort + state + retransmits + inode);
}

function parseAddress(cursor: Cursor, address: Address): void {
  const { words } = address;
  let count = 0;
  for (; count < 4 && cursor.peek() !== colon; count += 1) words[count] = cursor.hex();
  address.isV4 = count === 1;
  if (count === 4) unmap(address);
}

function parsePort(cursor: Cursor): number {
  if (cursor.peek() !== colon) return Number.NaN;
  cursor.at += 1;
  return cursor.hex();
}
