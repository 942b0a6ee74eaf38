/** An agent's id as 16 bytes and in its usual spelling. */
import { assert } from "../errors.ts";

export function uuidBytes(uuid: string): Uint8Array {
  const hex = uuid.replaceAll("-", "").toLowerCase();
  assert(/^[0-9a-f]{32}$/.test(hex), `agent id ${JSON.stringify(uuid)} is no UUID`);
  return Uint8Array.from({ length: 16 }, (_, index) =>
    Number.parseInt(hex.slice(index * 2, index * 2 + 2), 16),
  );
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Twice for every frame that comes in, so without arrays and their joining. */
export function uuidText(bytes: Uint8Array): string {
  let hex = "";
  for (let index = 0; index < bytes.length; index += 1) hex += hexOfByte[bytes[index]!]!;
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
}
