/** Entities and what is long, as short names: a chart's head has room for what tells it from its neighbours. */
import type { Entity } from "#shared/entity.ts";

/** Keeps both ends: names in a bank differ at the end (`core-db-03`), and begin with what groups them. */
export function middleEllipsis(text: string, charactersMax: number): string {
  const characters = Array.from(text);
  if (characters.length <= charactersMax) return text;
  const head = Math.ceil((charactersMax - 1) / 2);
  const tail = charactersMax - 1 - head;
  return `${characters.slice(0, head).join("")}…${characters.slice(characters.length - tail).join("")}`;
}

/** The parts of an entity's id; null when it is none. */
export function parseEntityId(id: string): (Pick<Entity, "host" | "name"> & { kind: string }) | null {
  const match = /^([a-z]+):([^/]+)(?:\/(.*))?$/s.exec(id);
  if (match === null) return null;
  return { kind: match[1] ?? "", host: match[2] ?? "", name: match[3] ?? "" };
}
