/**
 * Entities: the things that can be well or unwell, and that an incident names.
 *
 * An entity's id is readable and stable: `host:web-01`, `service:web-01/nginx.service`, `process:web-01/4711/java`.
 */
export const entityKinds = [
  "host",
  "service",
  "process",
  "cgroup",
  "disk",
  "filesystem",
  "interface",
  "port",
  "agent",
  "peer",
  "network",
  "group",
  "certificate",
] as const;
export type EntityKind = (typeof entityKinds)[number];

export interface Entity {
  readonly kind: EntityKind;
  readonly host: string;
  /**
   * Name within the host; empty for the host itself. A network, or a group of hosts, is no part of a host: it stands in `host`. So does
   * the address of a peer that several hosts use, with its port as the name. A service that nobody knows the host of has none.
   */
  readonly name: string;
}

export function entityId(entity: Entity): string {
  return entity.name === ""
    ? `${entity.kind}:${entity.host}`
    : `${entity.kind}:${entity.host}/${entity.name}`;
}
