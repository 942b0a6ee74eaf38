/**
 * Who is here: entries of kind "presence" in the journal, JSON, at the collector's time. Silence is judged from them and
 * from the samples alone, so a replay judges as the first run did.
 */
import { WireError } from "#shared/errors.ts";

/**
 * How a connection ended. bye: the agent stopped on purpose. closed: the connection broke. timeout: no sign of life.
 * refused: the collector closed it for what came. draining: the collector stopped.
 */
export const connectionEnds = ["bye", "closed", "timeout", "refused", "draining"] as const;
export type ConnectionEnd = (typeof connectionEnds)[number];

export type Presence =
  /** The collector started: nobody is expected before they had time to come back. */
  | {
      readonly t: "started";
      readonly atMs: number;
      readonly version: string;
      /** SHA-256 of detection's policy from here on; early records lack it. */
      readonly policy?: string;
    }
  | {
      readonly t: "connected";
      readonly atMs: number;
      readonly agent: string;
      /** As the agent names its host; the host's key may differ, see `hosts.ts`. */
      readonly host: string;
      readonly version: string;
      /** The agent's clock minus the collector's; when it is large, the agent's times are corrected by it. */
      readonly clockErrorMs: number;
      readonly corrected: boolean;
    }
  | { readonly t: "closed"; readonly atMs: number; readonly agent: string; readonly how: ConnectionEnd };

const utf8 = new TextDecoder();

/** Throws `WireError` "malformed" for anything that this module did not write. */
export function parsePresence(bytes: Uint8Array): Presence {
  const value = JSON.parse(utf8.decode(bytes)) as Partial<Presence> | null;
  const type = value?.t;
  if (type === "started" || type === "connected" || type === "closed") return value as Presence;
  throw new WireError("malformed", `presence entry of unknown type ${JSON.stringify(type)}`);
}
