/** `GET /api/v1/topology?level=service|host|zone`: who uses whom, as far as sockets, spans and settings tell. */
import * as z from "zod/mini";

export const topologyLevels = ["service", "host", "zone"] as const;
export type TopologyLevel = (typeof topologyLevels)[number];

export const topologyNodeSchema = z.object({
  /** An entity's id (`service:pay-01/ledger.service`, `host:pay-01`, `peer:203.0.113.9/443`), or `zone:` and its name. */
  id: z.string(),
  /** peer: an endpoint without an agent; of whoever calls in, without a port. */
  kind: z.enum(["service", "host", "zone", "peer"]),
  /** Of a peer its address; "" for a zone, and for a service that is known by its calls only. */
  host: z.string(),
  /** Of a service its name, of a peer its port, of a zone its name ("" for hosts that stand in none); else "". */
  name: z.string(),
  zone: z.nullable(z.string()),
});
export type TopologyNode = z.infer<typeof topologyNodeSchema>;

export const topologyEdgeSchema = z.object({
  /** Ids of nodes. */
  caller: z.string(),
  callee: z.string(),
  /** Open at one time, averaged with a half-life of an hour. */
  connections: z.number(),
  /** By spans. */
  callsPerHour: z.number(),
  /** Null if nobody measured it in the last five minutes. */
  rttSeconds: z.nullable(z.number()),
  retransmitsPerSecond: z.nullable(z.number()),
  /** Attempts to connect that nobody answers, now. */
  unreachable: z.int(),
  /** Null for what was only declared in the settings. */
  lastSeenMs: z.nullable(z.int()),
  /** Not seen for an hour. It is left out after `topology.edgeKeptFor`, a day unless set. */
  stale: z.boolean(),
});
export type TopologyEdge = z.infer<typeof topologyEdgeSchema>;

export const topologySchema = z.object({
  level: z.enum(topologyLevels),
  /** The journal's time that this is true for. */
  atMs: z.int(),
  /** Sorted by id, at most `limits.topologyNodesListedMax`; those of the edges that are shown come first into the limit. */
  nodes: z.array(topologyNodeSchema),
  /** Most connections first, at most `limits.topologyEdgesListedMax`. */
  edges: z.array(topologyEdgeSchema),
  /** How many there are. */
  nodesTotal: z.int(),
  edgesTotal: z.int(),
});
export type TopologyReport = z.infer<typeof topologySchema>;
