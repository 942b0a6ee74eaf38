/**
 * The operator's settings of topology: how long an edge is kept, where hosts stand, and edges that nobody can see.
 *
 * `{"edgeKeptFor": "7d", "zones": [{"name": "hk-east", "hosts": "web-*"}], "edges": [{"caller": "mq-01/mq", "callee": "batch-01"}]}`
 */
import { type TopologyPolicy, usualTopologyPolicy } from "#collector/topology/topology.ts";
import { type ConfigOf, durationField, shown, textField } from "#shared/config-file.ts";
import { listPart, type Part, partField, sectionPart } from "#shared/config-parts.ts";
import { limits } from "#shared/limits.ts";
import { patternsPart } from "./match-settings.ts";

const zonePart = sectionPart(
  {
    name: textField(null, {
      want: "a name of at most 64 characters",
      matches: (text) => text.length <= 64,
    }),
    hosts: partField(patternsPart, null),
  },
  ({ name, hosts }, tell): TopologyPolicy["zones"][number] => {
    if (name === null) tell("name", "missing; hosts are shown to stand in it");
    if (hosts === null) tell("hosts", 'missing; say which: "web-*", or a list of patterns');
    return { name: name ?? "", hosts: hosts ?? [] };
  },
);

const zonesPart = listPart(zonePart, { max: limits.topologyZonesMax });

const distinctZonesPart: Part<TopologyPolicy["zones"]> = {
  want: zonesPart.want,
  readNode(node, key, tell) {
    const zones = zonesPart.readNode(node, key, tell);
    const names = new Set<string>();
    for (const { name } of zones ?? []) {
      if (names.has(name))
        return tell(node, key, `two zones are called ${shown(name)}; list all hosts of it in one`);
      names.add(name);
    }
    return zones;
  },
};

const endField = textField(null, {
  want: 'a host like "db-01", or a host and its service like "db-01/postgres"',
  matches: (text) => /^[^/\s]+(?:\/\S.*)?$/.test(text),
});

const edgePart = sectionPart(
  { caller: endField, callee: endField },
  ({ caller, callee }, tell): TopologyPolicy["declared"][number] => {
    if (caller === null) tell("caller", `missing; want ${endField.want}`);
    if (callee === null) tell("callee", `missing; want ${endField.want}`);
    if (caller !== null && caller === callee) tell("callee", "nobody calls itself; an edge needs two ends");
    return [caller ?? "", callee ?? ""];
  },
);

export const topologySchema = {
  /** An edge that was not seen for this long is gone; a bank with weekly batches wants a week or two. */
  edgeKeptFor: durationField(usualTopologyPolicy.edgeKeptMs, { min: "1h", max: "60d" }),
  /** Where hosts stand; goes before what their agents say. The first that fits. */
  zones: partField(distinctZonesPart, []),
  /** Edges that no socket shows: through a mainframe's gateway, a queue, a network without agents. */
  edges: partField(listPart(edgePart, { max: limits.topologyDeclaredMax }), []),
} as const;

export function topologyPolicyOf({
  edgeKeptFor,
  zones,
  edges,
}: ConfigOf<typeof topologySchema>): TopologyPolicy {
  return { edgeKeptMs: edgeKeptFor, zones, declared: edges };
}
