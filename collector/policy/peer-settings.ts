/** Settings of groups of hosts that do the same work: `{"name": "payments", "match": {"host": ["pay-*", "settle-*"]}}`. */
import type { PeerGroup } from "#collector/detect/detect.ts";
import { shown, textField } from "#shared/config-file.ts";
import { listPart, type Part, partField, sectionPart } from "#shared/config-parts.ts";
import { limits } from "#shared/limits.ts";
import { matchPart } from "./match-settings.ts";

const nameField = textField(null, {
  want: "a name of at most 64 characters",
  matches: (text) => text.length <= 64,
});

const groupPart = sectionPart(
  { name: nameField, match: partField(matchPart, null) },
  ({ name, match }, tell): PeerGroup => {
    if (name === null || name === "") tell("name", "missing; incidents name the group");
    if (match === null || match.length === 0) tell("match", 'missing; say which hosts: {"host": "pay-*"}');
    for (const [key] of match ?? [])
      if (key !== "host") tell(`match.${key}`, 'a group is of whole hosts; only "host" may be here');
    return { name: name ?? "", match: match ?? [] };
  },
);

const groupsPart = listPart(groupPart, { max: limits.peerGroupsMax });

export const peerGroupsPart: Part<readonly PeerGroup[]> = {
  want: groupsPart.want,
  readNode(node, key, tell) {
    const groups = groupsPart.readNode(node, key, tell);
    const names = new Set<string>();
    for (const { name } of groups ?? []) {
      if (names.has(name)) return tell(node, key, `two groups are called ${shown(name)}`);
      names.add(name);
    }
    return groups;
  },
};
