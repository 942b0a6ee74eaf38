/**
 * Snapshots as data: a JSON head and columns of numbers, in one run of bytes. Written and read in time linear in bytes.
 *
 * Layout: u32 length of the head, little-endian; the head in UTF-8 `{schema, version, meta, columns: [[name, type, length]]}`;
 * then each column's bytes, 8-byte aligned. Nothing in it is executable, and a snapshot of another schema or version is
 * refused rather than guessed at: the journal can always be replayed instead.
 */
const columnTypes = {
  f64: Float64Array,
  f32: Float32Array,
  u32: Uint32Array,
  u16: Uint16Array,
  u8: Uint8Array,
} as const;
type ColumnType = keyof typeof columnTypes;
export type Column = Float64Array | Float32Array | Uint32Array | Uint16Array | Uint8Array;

export interface Snapshot<Meta> {
  readonly meta: Meta;
  readonly columns: ReadonlyMap<string, Column>;
}

export function packSnapshot(
  schema: string,
  version: number,
  snapshot: { readonly meta: unknown; readonly columns: ReadonlyMap<string, Column> },
): Uint8Array {
  const columns = [...snapshot.columns].map(([name, column]) => [name, typeOf(column), column.length]);
  const head = new TextEncoder().encode(JSON.stringify({ schema, version, meta: snapshot.meta, columns }));
  let sizeBytes = aligned(4 + head.length);
  for (const column of snapshot.columns.values()) sizeBytes += aligned(column.byteLength);
  const bytes = new Uint8Array(sizeBytes);
  new DataView(bytes.buffer).setUint32(0, head.length, true);
  bytes.set(head, 4);
  let at = aligned(4 + head.length);
  for (const column of snapshot.columns.values()) {
    bytes.set(new Uint8Array(column.buffer, column.byteOffset, column.byteLength), at);
    at += aligned(column.byteLength);
  }
  return bytes;
}

/** Throws an Error that says what was found when the bytes are no snapshot of this schema and version. */
export function unpackSnapshot<Meta>(schema: string, version: number, bytes: Uint8Array): Snapshot<Meta> {
  const own = bytes.slice();
  const headLength = new DataView(own.buffer).getUint32(0, true);
  const head = JSON.parse(new TextDecoder().decode(own.subarray(4, 4 + headLength))) as {
    schema: string;
    version: number;
    meta: Meta;
    columns: [string, ColumnType, number][];
  };
  if (head.schema !== schema || head.version !== version) {
    throw new Error(`snapshot is ${head.schema} version ${head.version}, want ${schema} version ${version}`);
  }
  const columns = new Map<string, Column>();
  let at = aligned(4 + headLength);
  for (const [name, type, length] of head.columns) {
    const column = new columnTypes[type](own.buffer, at, length);
    columns.set(name, column);
    at += aligned(column.byteLength);
  }
  return { meta: head.meta, columns };
}

function typeOf(column: Column): ColumnType {
  const types = Object.keys(columnTypes) as ColumnType[];
  return types.find((type) => column instanceof columnTypes[type])!;
}

function aligned(sizeBytes: number): number {
  return Math.ceil(sizeBytes / 8) * 8;
}
