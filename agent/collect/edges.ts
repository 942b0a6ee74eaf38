/**
 * Who talks to whom: connections summed up by service, direction and peer.
 *
 * The client's port of a connection is of chance and is summed away: an edge out is (service, peer address, peer
 * port), an edge in is (service, local port, peer address). A connection in TIME_WAIT proves the edge though it
 * carries nothing any more: short calls are seen by it, a poll alone would miss nine of ten. At most 100 edges in
 * each direction; what is beyond is summed up under the peer `other`.
 */
import { gauge, type Column } from "./column.ts";
import type { Recorder } from "./recorder.ts";
import { peerAddress, type Socket } from "./tcp-table.ts";

export type Direction = "in" | "out";

/** Of a connection whose process could not be found. */
export const unknownService = "unknown";
const edgesPerDirectionMax = 100;
/** Passes for which an edge without connections is told as 0; then it is forgotten. */
const emptyPassesMax = 60;
/** IPv6 peers remembered by number; their addresses do not fit into one. */
const v6PeersMax = 10_000;

interface Edge {
  readonly service: string;
  readonly column: Column;
  live: number;
  waiting: number;
  emptyPasses: number;
}

export class Edges {
  readonly #in = new DirectedEdges("in");
  readonly #out = new DirectedEdges("out");
  readonly #v6 = new Map<string, number>();

  /** A connection from `socket.peer` to our `socket.localPort`. */
  addIn(socket: Socket, service: string, waiting: boolean): void {
    this.#in.add(this.#key(socket, socket.localPort), socket, service, waiting);
  }

  addOut(socket: Socket, service: string, waiting: boolean): void {
    this.#out.add(this.#key(socket, socket.peerPort), socket, service, waiting);
  }

  /** A service known to call this socket's peer; undefined if there is none. */
  callerOf(socket: Socket): string | undefined {
    return this.#out.serviceOf(this.#key(socket, socket.peerPort));
  }

  tell(recorder: Recorder): void {
    this.#in.tell(recorder);
    this.#out.tell(recorder);
  }

  /** Address and port as one number: 32 and 16 bits, exact in a double. IPv6 peers are numbered beyond those. */
  #key({ peer, peerIsV4 }: Socket, port: number): number {
    if (peerIsV4) return peer[0]! * 65_536 + port;
    const text = peer.join();
    let number = this.#v6.get(text);
    if (number === undefined) {
      if (this.#v6.size >= v6PeersMax) this.#v6.clear();
      number = 2 ** 32 + this.#v6.size;
      this.#v6.set(text, number);
    }
    return number * 65_536 + port;
  }
}

class DirectedEdges {
  readonly #direction: Direction;
  /** Edges of one peer, one for each service. */
  readonly #byPeer = new Map<number, Edge[]>();
  readonly #other: Edge;
  #count = 0;

  constructor(direction: Direction) {
    this.#direction = direction;
    this.#other = newEdge("other", [
      ["service.name", "other"],
      ["causeway.edge.direction", direction],
      ["network.peer.address", "other"],
    ]);
  }

  serviceOf(key: number): string | undefined {
    const edges = this.#byPeer.get(key);
    if (edges === undefined) return undefined;
    for (const { service } of edges) if (service !== unknownService) return service;
    return undefined;
  }

  add(key: number, socket: Socket, service: string, waiting: boolean): void {
    const edge = this.#find(key, service) ?? this.#create(key, socket, service);
    if (waiting) edge.waiting += 1;
    else edge.live += 1;
  }

  tell(recorder: Recorder): void {
    for (const [key, edges] of this.#byPeer) {
      for (const edge of edges) tellEdge(edge, recorder);
      if (edges.some(isForgotten))
        this.#replace(
          key,
          edges.filter((edge) => !isForgotten(edge)),
        );
    }
    if (this.#other.live + this.#other.waiting > 0 || this.#other.emptyPasses > 0)
      tellEdge(this.#other, recorder);
  }

  #find(key: number, service: string): Edge | undefined {
    const edges = this.#byPeer.get(key);
    if (edges === undefined) return undefined;
    for (const edge of edges) if (edge.service === service) return edge;
    return undefined;
  }

  #create(key: number, socket: Socket, service: string): Edge {
    if (this.#count >= edgesPerDirectionMax) return this.#other;
    this.#count += 1;
    const port =
      this.#direction === "in"
        ? (["network.local.port", String(socket.localPort)] as const)
        : (["network.peer.port", String(socket.peerPort)] as const);
    const edge = newEdge(service, [
      ["service.name", service],
      ["causeway.edge.direction", this.#direction],
      ["network.peer.address", peerAddress(socket)],
      port,
    ]);
    const edges = this.#byPeer.get(key);
    if (edges === undefined) this.#byPeer.set(key, [edge]);
    else edges.push(edge);
    return edge;
  }

  #replace(key: number, edges: Edge[]): void {
    this.#count -= (this.#byPeer.get(key)?.length ?? 0) - edges.length;
    if (edges.length === 0) this.#byPeer.delete(key);
    else this.#byPeer.set(key, edges);
  }
}

function newEdge(service: string, labels: readonly (readonly [string, string])[]): Edge {
  const column = gauge("causeway.edge.connections", "{connection}", 0, labels);
  return { service, column, live: 0, waiting: 0, emptyPasses: 0 };
}

function tellEdge(edge: Edge, recorder: Recorder): void {
  edge.emptyPasses = edge.live + edge.waiting === 0 ? edge.emptyPasses + 1 : 0;
  // An edge that only closed connections prove exists, with one.
  edge.column.set(recorder, edge.live > 0 ? edge.live : Math.min(1, edge.waiting));
  edge.live = 0;
  edge.waiting = 0;
}

function isForgotten(edge: Edge): boolean {
  return edge.emptyPasses >= emptyPassesMax;
}
