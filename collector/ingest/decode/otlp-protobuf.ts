/** OTLP requests in protobuf: `opentelemetry/proto/collector/{metrics,trace}/v1`. Field numbers are the schema's. */
import { DecodeError } from "./decode-error.ts";
import {
  bucketsMax,
  type ExponentialBuckets,
  isNoValue,
  itemsMax,
  type MetricType,
  msOfNs,
  type OtlpMetric,
  type OtlpPoint,
  type OtlpSpan,
  type ResourceOf,
  spanKinds,
  temporalityOf,
  valueDepthMax,
} from "./otlp.ts";
import { ProtobufReader } from "./protobuf.ts";

type Pairs = [name: string, value: string][];

/** Counts what a request holds, so that it cannot hold more than it may. */
class Budget {
  #left = itemsMax;

  take(what: string): void {
    this.#left -= 1;
    if (this.#left < 0) throw new DecodeError("too_many", `more than ${itemsMax} ${what} in one request`);
  }
}

/** Throws `DecodeError`. */
export function readMetricsProtobuf(bytes: Uint8Array): ResourceOf<OtlpMetric>[] {
  const budget = new Budget();
  return readResources(bytes, (scope, into: OtlpMetric[]) => {
    while (scope.next()) {
      if (scope.field === 2) into.push(readMetric(scope.message(), budget));
      else scope.skip();
    }
  });
}

/** Of the attributes of spans only those that `wanted` names are read. Throws `DecodeError`. */
export function readTracesProtobuf(bytes: Uint8Array, wanted: ReadonlySet<string>): ResourceOf<OtlpSpan>[] {
  const budget = new Budget();
  return readResources(bytes, (scope, into: OtlpSpan[]) => {
    while (scope.next()) {
      if (scope.field === 2) {
        budget.take("spans");
        into.push(readSpan(scope.message(), wanted));
      } else scope.skip();
    }
  });
}

/** A request, a resource and a scope have the same shape for every signal. */
function readResources<T>(
  bytes: Uint8Array,
  readScope: (scope: ProtobufReader, into: T[]) => void,
): ResourceOf<T>[] {
  const resources: ResourceOf<T>[] = [];
  const request = new ProtobufReader(bytes);
  while (request.next()) {
    if (request.field !== 1) {
      request.skip();
      continue;
    }
    const part = request.message();
    const resource: Pairs = [];
    const items: T[] = [];
    while (part.next()) {
      if (part.field === 1) readResource(part.message(), resource);
      else if (part.field === 2) readScope(part.message(), items);
      else part.skip();
    }
    resources.push({ resource, items, malformed: 0 });
  }
  return resources;
}

function readResource(part: ProtobufReader, into: Pairs): void {
  while (part.next()) {
    if (part.field === 1) readAttribute(part.message(), into);
    else part.skip();
  }
}

function readAttribute(part: ProtobufReader, into: Pairs, wanted?: ReadonlySet<string>): void {
  let name = "";
  let value = "";
  while (part.next()) {
    if (part.field === 1) name = part.string();
    else if (part.field === 2 && (wanted === undefined || name === "" || wanted.has(name)))
      value = readValue(part.message(), 0);
    else part.skip();
  }
  if (wanted === undefined || wanted.has(name)) into.push([name, value]);
}

function readValue(part: ProtobufReader, depth: number): string {
  let value = "";
  while (part.next()) {
    switch (part.field) {
      case 1:
        value = part.string();
        break;
      case 2:
        value = String(part.bool());
        break;
      case 3:
        value = String(part.int64());
        break;
      case 4:
        value = String(part.double());
        break;
      case 5:
        value = depth < valueDepthMax ? readArray(part.message(), depth + 1) : skipped(part);
        break;
      default:
        // Maps and bytes are no labels.
        part.skip();
    }
  }
  return value;
}

function skipped(part: ProtobufReader): string {
  part.skip();
  return "";
}

function readArray(part: ProtobufReader, depth: number): string {
  const values: string[] = [];
  while (part.next()) {
    if (part.field === 1) values.push(readValue(part.message(), depth));
    else part.skip();
  }
  return values.join(",");
}

const metricFields: ReadonlyMap<number, MetricType> = new Map([
  [5, "gauge"],
  [7, "sum"],
  [9, "histogram"],
  [10, "exponential"],
  [11, "summary"],
]);

function readMetric(part: ProtobufReader, budget: Budget): OtlpMetric {
  let name = "";
  let unit = "";
  let type: MetricType = "gauge";
  let isMonotonic = false;
  let temporality = 0;
  const points: OtlpPoint[] = [];
  while (part.next()) {
    const found = metricFields.get(part.field);
    if (part.field === 1) name = part.string();
    else if (part.field === 3) unit = part.string();
    else if (found === undefined) part.skip();
    else {
      type = found;
      const data = part.message();
      while (data.next()) {
        if (data.field === 1) {
          budget.take("points");
          points.push(readPoint(data.message(), type));
        } else if (data.field === 2 && type !== "gauge" && type !== "summary") temporality = data.uint64();
        else if (data.field === 3 && type === "sum") isMonotonic = data.bool();
        else data.skip();
      }
    }
  }
  return { name, unit, type, isMonotonic, temporality: temporalityOf(temporality), points };
}

/** Where each kind of point has its attributes and its flags; the rest is where `readPoint` looks for it. */
const pointFields = {
  gauge: { attributes: 7, flags: 8 },
  sum: { attributes: 7, flags: 8 },
  histogram: { attributes: 9, flags: 10 },
  exponential: { attributes: 1, flags: 10 },
  summary: { attributes: 7, flags: 8 },
} as const satisfies Record<MetricType, { attributes: number; flags: number }>;

function readPoint(part: ProtobufReader, type: MetricType): OtlpPoint {
  const attributes: Pairs = [];
  const bounds: number[] = [];
  const counts: number[] = [];
  const quantiles: [number, number][] = [];
  const point = { startMs: 0, timeMs: 0, value: Number.NaN, count: 0, sum: Number.NaN, flags: 0 };
  let exponential = { scale: 0, zeroCount: 0, offset: 0, counts: [] as number[] };
  const isNumber = type === "gauge" || type === "sum";
  const fields = pointFields[type];
  while (part.next()) {
    const { field } = part;
    if (field === fields.attributes) readAttribute(part.message(), attributes);
    else if (field === fields.flags) point.flags = part.uint64();
    else if (field === 2) point.startMs = msOfNs(part.fixed64Parts());
    else if (field === 3) point.timeMs = msOfNs(part.fixed64Parts());
    else if (isNumber && field === 4) point.value = part.double();
    else if (isNumber && field === 6) point.value = part.sfixed64();
    else if (isNumber) part.skip();
    else if (field === 4) point.count = part.fixed64();
    else if (field === 5) point.sum = part.double();
    else if (type === "histogram" && field === 6) part.repeated("fixed64", counts, bucketsMax);
    else if (type === "histogram" && field === 7) part.repeated("double", bounds, bucketsMax);
    else if (type === "summary" && field === 6)
      quantiles.push(readQuantile(part.message(), quantiles.length));
    else if (type === "exponential") exponential = readExponential(part, exponential);
    else part.skip();
  }
  const { flags, ...rest } = point;
  const buckets =
    type === "histogram" && counts.length > 0
      ? ({ kind: "explicit", bounds, counts } as const)
      : type === "exponential"
        ? ({ kind: "exponential", ...exponential } as const)
        : null;
  return { attributes, ...rest, isAbsent: isNoValue(flags), buckets, quantiles };
}

function readQuantile(part: ProtobufReader, before: number): [number, number] {
  if (before >= bucketsMax)
    throw new DecodeError("too_many", `more than ${bucketsMax} quantiles of one point`);
  let quantile = 0;
  let value = 0;
  while (part.next()) {
    if (part.field === 1) quantile = part.double();
    else if (part.field === 2) value = part.double();
    else part.skip();
  }
  return [quantile, value];
}

type Exponential = Omit<ExponentialBuckets, "kind" | "counts"> & { counts: number[] };

/** One field of an exponential histogram's point. */
function readExponential(part: ProtobufReader, before: Exponential): Exponential {
  switch (part.field) {
    case 6:
      return { ...before, scale: part.sint32() };
    case 7:
      return { ...before, zeroCount: before.zeroCount + part.fixed64() };
    case 8:
      return { ...before, ...readBuckets(part.message()) };
    case 9: {
      // What is below zero is no duration and no size: it counts as the smallest.
      const below = readBuckets(part.message()).counts.reduce((sum, count) => sum + count, 0);
      return { ...before, zeroCount: before.zeroCount + below };
    }
    default:
      part.skip();
      return before;
  }
}

function readBuckets(part: ProtobufReader): { offset: number; counts: number[] } {
  let offset = 0;
  const counts: number[] = [];
  while (part.next()) {
    if (part.field === 1) offset = part.sint32();
    else if (part.field === 2) part.repeated("varint", counts, bucketsMax);
    else part.skip();
  }
  return { offset, counts };
}

function readSpan(part: ProtobufReader, wanted: ReadonlySet<string>): OtlpSpan {
  const attributes: Pairs = [];
  let spanId = "";
  let parentId = "";
  let kind = 0;
  let start = { low: 0, high: 0 };
  let end = { low: 0, high: 0 };
  let isError = false;
  while (part.next()) {
    switch (part.field) {
      case 2:
        spanId = hexOf(part.bytes());
        break;
      case 4:
        parentId = hexOf(part.bytes());
        break;
      case 6:
        kind = part.uint64();
        break;
      case 7:
        start = part.fixed64Parts();
        break;
      case 8:
        end = part.fixed64Parts();
        break;
      case 9:
        readAttribute(part.message(), attributes, wanted);
        break;
      case 15:
        isError = readStatus(part.message());
        break;
      default:
        part.skip();
    }
  }
  const durationMs = ((end.high - start.high) * 2 ** 32 + (end.low - start.low)) / 1e6;
  return {
    spanId,
    parentId,
    kind: spanKinds[kind] ?? "unspecified",
    endMs: msOfNs(end),
    durationMs,
    isError,
    attributes,
  };
}

function readStatus(part: ProtobufReader): boolean {
  let code = 0;
  while (part.next()) {
    if (part.field === 3) code = part.uint64();
    else part.skip();
  }
  return code === 2;
}

const hexOfByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** An id of another length than eight bytes is none. */
function hexOf(bytes: Uint8Array): string {
  if (bytes.length !== 8) return "";
  let hex = "";
  for (let index = 0; index < 8; index += 1) hex += hexOfByte[bytes[index]!]!;
  return hex === "0000000000000000" ? "" : hex;
}
