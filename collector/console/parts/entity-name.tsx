/** Entities by name: "java 4711 on core-db-03" rather than `process:core-db-03/4711/java`. */
import type { Word } from "../i18n/en.ts";
import { t } from "../state/settings.ts";
import { parseEntityId } from "../view/series-name.ts";

const kinds: ReadonlyMap<string, Word> = new Map([
  ["host", "entity.host"],
  ["service", "entity.service"],
  ["process", "entity.process"],
  ["cgroup", "entity.cgroup"],
  ["disk", "entity.disk"],
  ["filesystem", "entity.filesystem"],
  ["interface", "entity.interface"],
  ["port", "entity.port"],
  ["agent", "entity.agent"],
  ["peer", "entity.peer"],
  ["network", "entity.network"],
  ["group", "entity.group"],
]);

/** "process java 4711 · core-db-03"; an id that cannot be read is shown as it is. */
export function entityName(id: string): string {
  const entity = parseEntityId(id);
  if (entity === null) return id;
  const name = kindWord(entity.kind);
  return entity.name === ""
    ? `${name} ${entity.host}`
    : `${name} ${shortName(entity.kind, entity.name)} · ${entity.host}`;
}

export function kindWord(kind: string): string {
  const word = kinds.get(kind);
  return word === undefined ? kind : t(word);
}

/** A process is `pid/executable`; people say the executable first. */
export function shortName(kind: string, name: string): string {
  return kind === "process" ? name.split("/").toReversed().join(" ") : name;
}
