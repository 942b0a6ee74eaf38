/** Writes protobuf for tests: fields in the order given, so that what is wrong can be made wrong on purpose. */

export type Part = Uint8Array;

export function varint(value: number | bigint): Part {
  const bytes: number[] = [];
  let rest = BigInt.asUintN(64, BigInt(value));
  while (rest >= 0x80n) {
    bytes.push(Number(rest & 0x7fn) | 0x80);
    rest >>= 7n;
  }
  return Uint8Array.from([...bytes, Number(rest)]);
}

const key = (field: number, wire: number): Part => varint((field << 3) | wire);

export function join(...parts: readonly Part[]): Part {
  return Uint8Array.from(parts.flatMap((part) => [...part]));
}

export function message(field: number, ...parts: readonly Part[]): Part {
  const body = join(...parts);
  return join(key(field, 2), varint(body.length), body);
}

export function text(field: number, value: string): Part {
  return message(field, new TextEncoder().encode(value));
}

export function integer(field: number, value: number | bigint): Part {
  return join(key(field, 0), varint(value));
}

export function fixed64(field: number, value: bigint): Part {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setBigUint64(0, BigInt.asUintN(64, value), true);
  return join(key(field, 1), bytes);
}

export function double(field: number, value: number): Part {
  const bytes = new Uint8Array(8);
  new DataView(bytes.buffer).setFloat64(0, value, true);
  return join(key(field, 1), bytes);
}

export function fixed32(field: number, value: number): Part {
  const bytes = new Uint8Array(4);
  new DataView(bytes.buffer).setUint32(0, value, true);
  return join(key(field, 5), bytes);
}
