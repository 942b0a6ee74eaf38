/**
 * Who talks to whom: connections summed up by service, direction and peer.
 *
 * The client's port of a connection is of chance and is summed away: an edge out is (service, local address, peer
 * address, peer port), an edge in is (service, local address, local port, peer address). Both ends of a connection are
 * then told in words that can be matched: the caller's peer is the listener's local end. A connection in TIME_WAIT
 * proves the edge though it carries nothing any more: short calls are seen by it, a poll alone would miss nine of ten.
 * So does one that is being opened (SYN_SENT); when nobody has answered its first attempt, the peer is unreachable. Of
 * each direction the `limits.edgesPerDirectionMax` largest are told, the rest is summed up under the peer `other`.
 */
import { limits } from "#shared/limits.ts";
import { gauge, type Column, type LabelPairs } from "./column.ts";
import { type Address, addressText, copyOf, sameAddress } from "./ip-address.ts";
import type { Namespace } from "./namespaces.ts";
import type { Recorder } from "./recorder.ts";
import { tcpState, type Socket } from "./tcp-table.ts";
import { Sticky, Top } from "./top.ts";

export type Direction = "in" | "out";

/** Of a connection whose process could not be found. */
export const unknownService = "unknown";
/** Edges known in each direction, so that the largest can be told: ten times those, 300 bytes each. */
const knownMax = 10 * limits.edgesPerDirectionMax;
/** Passes for which an edge without connections is told as 0; then it is forgotten. */
const emptyPassesMax = 60;
/** IPv6 peers remembered by number; their addresses do not fit into one. */
const v6PeersMax = 10_000;
/** More than any number of connections: an unreachable peer is told before the largest edge. */
const unreachableLoad = 1e9;

export interface Edge {
  readonly service: string;
  readonly namespace: Namespace;
  readonly local: Address;
  /** What names it, as labels: service, direction, both ends. */
  readonly labels: LabelPairs;
  live: number;
  waiting: number;
  unanswered: number;
  emptyPasses: number;
}

export class Edges {
  readonly #in = new DirectedEdges("in");
  readonly #out = new DirectedEdges("out");
  readonly #v6 = new Map<string, number>();
  readonly #skipped = gauge("causeway.agent.edges.skipped", "{edge}", 0);

  /** A connection from `socket.peer` to our `socket.localPort`. */
  addIn(socket: Socket, namespace: Namespace, service: string): void {
    this.#in.add(this.#key(socket, socket.localPort), socket, namespace, service);
  }

  addOut(socket: Socket, namespace: Namespace, service: string): void {
    this.#out.add(this.#key(socket, socket.peerPort), socket, namespace, service);
  }

  /** The edge of a connection that came in to `service`, if it is known. */
  findIn(socket: Socket, namespace: Namespace, service: string): Edge | undefined {
    return this.#in.find(this.#key(socket, socket.localPort), socket, namespace, service);
  }

  /** The edge of a connection that goes out; of `service`, or of anybody who is known to call this peer. */
  findOut(socket: Socket, namespace: Namespace, service: string | undefined): Edge | undefined {
    return this.#out.find(this.#key(socket, socket.peerPort), socket, namespace, service);
  }

  /** True if the edge is one of those that are told. */
  isTold(edge: Edge): boolean {
    return this.#in.isTold(edge) || this.#out.isTold(edge);
  }

  tell(recorder: Recorder): void {
    this.#skipped.set(recorder, this.#in.tell(recorder) + this.#out.tell(recorder));
  }

  /** Address and port as one number: 32 and 16 bits, exact in a double. IPv6 peers are numbered beyond those. */
  #key({ peer }: Socket, port: number): number {
    if (peer.isV4) return peer.words[0]! * 65_536 + port;
    const text = peer.words.join();
    let number = this.#v6.get(text);
    if (number === undefined) {
      if (this.#v6.size >= v6PeersMax) this.#v6.clear();
      number = 2 ** 32 + this.#v6.size;
      this.#v6.set(text, number);
    }
    return number * 65_536 + port;
  }
}

/** The series of one edge that is told. */
interface Told {
  readonly connections: Column;
  /** Made when a peer did not answer for the first time. */
  unreachable: Column | undefined;
}

class DirectedEdges {
  readonly #direction: Direction;
  /** Edges of one peer and port: one for each service and local address. */
  readonly #byPeer = new Map<number, Edge[]>();
  readonly #largest = new Top<Edge>(limits.edgesPerDirectionMax);
  readonly #told: Sticky<Edge, Told>;
  readonly #other: Column;
  #otherTold = false;
  #count = 0;
  /** Connections of edges that there was no room to know, at this pass. */
  #unknown = 0;

  constructor(direction: Direction) {
    this.#direction = direction;
    this.#other = connections([
      ["service.name", "other"],
      ["causeway.edge.direction", direction],
      ["network.peer.address", "other"],
    ]);
    this.#told = new Sticky({
      passesOutside: emptyPassesMax,
      membersMax: limits.edgesPerDirectionMax,
      make: ({ labels }) => ({ connections: connections(labels), unreachable: undefined }),
    });
  }

  find(key: number, socket: Socket, namespace: Namespace, service: string | undefined): Edge | undefined {
    const edges = this.#byPeer.get(key);
    if (edges === undefined) return undefined;
    for (const edge of edges) {
      const named = service === undefined ? edge.service !== unknownService : edge.service === service;
      if (named && edge.namespace === namespace && sameAddress(edge.local, socket.local)) return edge;
    }
    return undefined;
  }

  isTold(edge: Edge): boolean {
    return this.#told.members.has(edge);
  }

  add(key: number, socket: Socket, namespace: Namespace, service: string): void {
    const edge = this.find(key, socket, namespace, service) ?? this.#create(key, socket, namespace, service);
    if (edge === undefined) this.#unknown += 1;
    else if (socket.state === tcpState.synSent) {
      edge.waiting += 1;
      if (socket.retransmits > 0) edge.unanswered += 1;
    } else if (socket.state === tcpState.timeWait) edge.waiting += 1;
    else edge.live += 1;
  }

  /** Returns how many edges with connections were not told by themselves. */
  tell(recorder: Recorder): number {
    this.#choose();
    let other = this.#unknown;
    let skipped = 0;
    for (const [key, edges] of this.#byPeer) {
      for (const edge of edges) {
        const told = this.#told.members.get(edge);
        const load = loadOf(edge);
        if (told !== undefined) tellEdge(edge, told, recorder);
        else if (load > 0) {
          other += load;
          skipped += 1;
        }
        edge.emptyPasses = load === 0 ? edge.emptyPasses + 1 : 0;
        edge.live = 0;
        edge.waiting = 0;
        edge.unanswered = 0;
      }
      if (edges.some(isForgotten)) this.#forget(key, edges);
    }
    this.#otherTold ||= other > 0;
    if (this.#otherTold) this.#other.set(recorder, other);
    this.#unknown = 0;
    return skipped;
  }

  /** Those told already first: nobody is put out of a place to be given it again. */
  #choose(): void {
    this.#largest.clear();
    for (const edges of this.#byPeer.values()) {
      for (const edge of edges) {
        const load = loadOf(edge) + (edge.unanswered > 0 ? unreachableLoad : 0);
        if (load > 0) this.#largest.offer(edge, load);
      }
    }
    const { members } = this.#told;
    for (const edge of this.#largest.items) if (members.has(edge)) this.#told.keep(edge);
    for (const edge of this.#largest.items) if (!members.has(edge)) this.#told.keep(edge);
    this.#told.endPass();
  }

  #create(key: number, socket: Socket, namespace: Namespace, service: string): Edge | undefined {
    if (this.#count >= knownMax) return undefined;
    this.#count += 1;
    const local = copyOf(socket.local);
    const labels = labelsOf(this.#direction, socket, namespace, service);
    const edge: Edge = {
      service,
      namespace,
      local,
      labels,
      live: 0,
      waiting: 0,
      unanswered: 0,
      emptyPasses: 0,
    };
    const edges = this.#byPeer.get(key);
    if (edges === undefined) this.#byPeer.set(key, [edge]);
    else edges.push(edge);
    return edge;
  }

  #forget(key: number, edges: readonly Edge[]): void {
    const kept = edges.filter((edge) => !isForgotten(edge));
    for (const edge of edges) if (isForgotten(edge)) this.#told.drop(edge);
    this.#count -= edges.length - kept.length;
    if (kept.length === 0) this.#byPeer.delete(key);
    else this.#byPeer.set(key, kept);
  }
}

function labelsOf(
  direction: Direction,
  { local, localPort, peer, peerPort }: Socket,
  { id }: Namespace,
  service: string,
): LabelPairs {
  return [
    ["service.name", service],
    ["causeway.edge.direction", direction],
    ["network.local.address", addressText(local)],
    ["network.peer.address", addressText(peer)],
    direction === "in"
      ? (["network.local.port", String(localPort)] as const)
      : (["network.peer.port", String(peerPort)] as const),
    ["causeway.network.namespace", id],
  ];
}

function connections(labels: LabelPairs): Column {
  return gauge("causeway.edge.connections", "{connection}", 0, labels);
}

/** An edge that only connections prove which carry nothing, exists: with one. */
function loadOf({ live, waiting }: Edge): number {
  return live > 0 ? live : Math.min(1, waiting);
}

function tellEdge(edge: Edge, told: Told, recorder: Recorder): void {
  told.connections.set(recorder, loadOf(edge));
  if (edge.unanswered > 0)
    told.unreachable ??= gauge("causeway.edge.unreachable", "{connection}", 0, edge.labels);
  told.unreachable?.set(recorder, edge.unanswered);
}

function isForgotten(edge: Edge): boolean {
  return edge.emptyPasses >= emptyPassesMax;
}
