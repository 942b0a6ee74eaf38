/**
 * What an OTLP client is answered: that all was taken, that a part was refused (`partial_success`), or why nothing was
 * (`google.rpc.Status`), in the encoding in which it asked. https://opentelemetry.io/docs/specs/otlp/#otlphttp-response
 */
export type Signal = "metrics" | "traces";
export type Encoding = "protobuf" | "json";

export const contentTypes: Readonly<Record<Encoding, string>> = {
  protobuf: "application/x-protobuf",
  json: "application/json",
};

/** google.rpc.Code, as far as a receiver says it. */
export const rpcCode = {
  invalidArgument: 3,
  notFound: 5,
  resourceExhausted: 8,
  unimplemented: 12,
  internal: 13,
  unavailable: 14,
} as const;

/** `refused` points or spans were not taken, and must not be sent again; 0 and "" when all were. */
export function exportAnswer(
  signal: Signal,
  encoding: Encoding,
  refused: number,
  message: string,
): Uint8Array {
  const isWhole = refused === 0 && message === "";
  if (encoding === "json") {
    const name = signal === "metrics" ? "rejectedDataPoints" : "rejectedSpans";
    const partialSuccess = { [name]: String(refused), errorMessage: message };
    return utf8.encode(JSON.stringify(isWhole ? {} : { partialSuccess }));
  }
  if (isWhole) return new Uint8Array();
  return field(1, concat(refused === 0 ? [] : [varintField(1, refused)], textField(2, message)));
}

export function statusAnswer(encoding: Encoding, code: number, message: string): Uint8Array {
  if (encoding === "json") return utf8.encode(JSON.stringify({ code, message }));
  return concat([varintField(1, code)], textField(2, message));
}

const utf8 = new TextEncoder();

function varint(value: number): number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest % 0x80) | 0x80);
    rest = Math.floor(rest / 0x80);
  }
  return [...bytes, rest];
}

function varintField(number: number, value: number): Uint8Array {
  return Uint8Array.from([number << 3, ...varint(value)]);
}

function field(number: number, body: Uint8Array): Uint8Array {
  return concat([Uint8Array.from([(number << 3) | 2, ...varint(body.length)]), body]);
}

function textField(number: number, text: string): Uint8Array[] {
  return text === "" ? [] : [field(number, utf8.encode(text))];
}

function concat(...parts: Uint8Array[][]): Uint8Array {
  const all = parts.flat();
  const bytes = new Uint8Array(all.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of all) {
    bytes.set(part, at);
    at += part.length;
  }
  return bytes;
}
