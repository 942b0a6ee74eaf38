/**
 * Frames of the live protocol as bytes. A frame is made once and the same Buffer goes to every reader.
 */
import type { Incident } from "#shared/contract/incident.ts";
import type { Cursor, ServerFrame } from "#shared/contract/live.ts";

export function encodeFrame(frame: ServerFrame): Buffer {
  return Buffer.from(JSON.stringify(frame));
}

/** Room for everything of a `snap` frame but its items. */
const envelopeBytes = 256;

/**
 * The channel's whole state as `snap` frames of at most `frameBytesMax` each; at least one, which is empty for an empty
 * channel. An incident that is larger than that alone gets a frame of its own: half an incident would be of no use.
 */
export function encodeSnapshot(
  incidents: readonly Incident[],
  cursor: Cursor,
  gap: boolean,
  frameBytesMax: number,
): Buffer[] {
  const parts: string[][] = [[]];
  let sizeBytes = envelopeBytes;
  for (const incident of incidents) {
    const json = JSON.stringify(incident);
    const itemBytes = Buffer.byteLength(json) + 1;
    const part = parts.at(-1) ?? [];
    if (part.length > 0 && sizeBytes + itemBytes > frameBytesMax) {
      parts.push([json]);
      sizeBytes = envelopeBytes + itemBytes;
    } else {
      part.push(json);
      sizeBytes += itemBytes;
    }
  }
  return parts.map((items, index) => {
    const { epoch, seq } = cursor;
    const frame = { t: "snap", ch: "incidents", epoch, seq, part: index + 1, of: parts.length, gap };
    return Buffer.from(`${JSON.stringify(frame).slice(0, -1)},"items":[${items.join(",")}]}`);
  });
}
