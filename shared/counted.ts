/**
 * What a series counts: requests or transactions, all of them or only those that ended in a certain way. So the series that belong
 * together can be judged as counts: 2 of 3 that failed at night is no outage, 300 of 1,000 at noon is one.
 *
 * The parts of one ratio have the same `of`: what the metric's name says without the words that say how it ended, and the labels
 * without those that do. Known are OpenTelemetry's durations by their count (`error.type`, status codes), Prometheus' usual
 * names (`*_requests_total{code}`, `*_errors_total` beside `*_requests_total`, `*_success_ratio` gauges) and a bank's golden signals:
 * volume, business success, system success. Like `semantics.ts`, of which it is a part, this is where names are looked at.
 */
import { type Labels, labelValue, seriesId, type Series } from "./series.ts";

export type Ending = "success" | "failure" | "refusal";

export interface Counted {
  /** Series of one host with the same `of` speak of the same events. */
  readonly of: string;
  /** The same as people read it: without the labels' names. */
  readonly name: string;
  /** What is counted, as the name says it, in the singular; "" where only the ending is named (`pay_errors_total`). */
  readonly noun: string;
  readonly what: "requests" | "transactions";
  /**
   * total: how many there were. Else how many ended so; refused is what was answered as the rules demand but not as the customer wished
   * (not enough money, a wrong address).
   */
  readonly part: "total" | Ending;
  /** The ending is told by a label, so series of the same metric with other endings are the rest of the total. */
  readonly divided: boolean;
  /** Of a gauge that is a share of the total: of what ended as `part` says, or of what did not. Else null. */
  readonly share: "of part" | "of the rest" | null;
  /** A gauge is divided by it: seconds that a volume stands for, or 100 for a share in percent. 0 for a counter. */
  readonly per: number;
}

/** A sentence has room for this many characters of a name. */
const nameMax = 80;

const transactions = ["transaction", "txn", "trx", "payment", "transfer", "order", "trade"];
const requests = ["request", "call", "rpc", "query"];
const nouns = new Set([...transactions, ...requests]);

/** Words of a metric's name that say how it ended. */
const namedEndings: ReadonlyMap<string, Ending> = new Map<string, Ending>([
  ...each("success", "success", "successes", "succeeded", "successful", "ok"),
  ...each("failure", "error", "errors", "failure", "failures", "failed", "fail", "exceptions", "timeouts"),
  ...each("refusal", "rejected", "rejections", "declined", "denied", "refused", "refusals"),
]);

const resultLabels = ["result", "outcome"];
/** Labels whose value says how it ended, in the order in which they are asked. */
const endingLabels: ReadonlyMap<string, (value: string) => Ending | undefined> = new Map([
  ...["http.response.status_code", "http.status_code", "http_response_status_code"].map(asked(httpEnding)),
  ...["http_status_code", "status_code", "response_code", "status", "code"].map(asked(codeEnding)),
  ...["rpc.grpc.status_code", "grpc_code", "grpc_status", "rpc_grpc_status_code"].map(asked(grpcEnding)),
  ...resultLabels.map(asked(wordEnding)),
  ...["return_code", "ret_code", "resp_code", "rsp_code"].map(asked(returnEnding)),
  ...["error.type", "error_type"].map(asked((): Ending => "failure")),
]);
/** Labels that only say more about an ending. */
const detailLabels: ReadonlySet<string> = new Set(["exception", "reason", "cause", "error"]);

/** What `series` counts; undefined when it counts nothing that can fail. */
export function countedOf({ metric, unit, instrument, labels }: Series): Counted | undefined {
  const name = parseName(metric);
  const isRatio = name.ratio !== "";
  if (isRatio && (instrument !== "gauge" || name.ending === undefined)) return undefined;
  if (!isRatio && name.noun === "" && name.ending === undefined && !isDurationOfCalls(name)) return undefined;
  const gaugePer = isRatio ? scaleOf(unit, name.ratio) : periodOf(unit, name.period);
  const per = instrument === "counter" ? 0 : gaugePer;
  if (per === undefined) return undefined;
  const labelled = name.ending === undefined ? endingOf(labels, whatOf(name)) : undefined;
  const named = name.isBusiness && name.ending === "failure" ? "refusal" : name.ending;
  const bad = name.isBusiness ? "refusal" : "failure";
  const kept = labels.filter(([label, value]) => !isOfEnding(label, value, labelled));
  return {
    of: seriesId({ metric: name.stem, labels: kept }),
    name: nameOf(name.stem || metric, kept),
    noun: name.noun,
    what: whatOf(name),
    part: isRatio && named === "success" ? bad : (named ?? labelled ?? "total"),
    divided: labelled !== undefined,
    share: isRatio ? (named === "success" ? "of the rest" : "of part") : null,
    per,
  };
}

/** Where a counter stands in a cube of events by their dimensions. */
export interface CountedLeaf {
  /** Counters of the same events: the metric's name without the words that say how they ended. */
  readonly family: string;
  /** Labels that say which events, not how they ended. */
  readonly dimensions: Labels;
  /** Which of them; seconds: not how many but how long they took, in `seconds` a unit of the counter. */
  readonly part: Counted["part"] | "seconds";
  /** Its events are part of the total; else the total is counted elsewhere. */
  readonly isOfTotal: boolean;
  readonly seconds: number;
}

/** Undefined for what is no counter of events, nor of the time that they took. */
export function countedLeafOf(series: Series): CountedLeaf | undefined {
  const sum = /^(.*[._])sum$/.exec(series.metric);
  const metric = sum === null ? series.metric : `${sum[1]!}count`;
  const counted = countedOf({ ...series, metric });
  const name = parseName(metric);
  if (counted === undefined || counted.per !== 0 || (sum !== null && !name.duration)) return undefined;
  const labelled = counted.divided ? endingOf(series.labels, counted.what) : undefined;
  return {
    family: [name.stem, name.noun, name.duration ? "duration" : ""].filter((word) => word !== "").join("_"),
    dimensions: series.labels.filter(([label, value]) => !isOfEnding(label, value, labelled)),
    part: sum === null ? counted.part : "seconds",
    isOfTotal: sum === null && (counted.divided || counted.part === "total"),
    seconds: /[._](milliseconds|ms)[._]/.test(metric) || series.unit === "ms" ? 0.001 : 1,
  };
}

function whatOf({ noun }: Name): Counted["what"] {
  return transactions.includes(noun) ? "transactions" : "requests";
}

/** How it ended, as the attribute `label` tells it; undefined when that is no attribute of an ending, or no value of one. */
export function endingBy(label: string, value: string): Ending | undefined {
  return endingLabels.get(label)?.(value);
}

interface Name {
  readonly stem: string;
  readonly noun: string;
  readonly ending: Ending | undefined;
  /** "ratio", "rate", "percent" or "". */
  readonly ratio: string;
  /** "second", "minute" or "". */
  readonly period: string;
  /** A bank's word for whose rules decided: what fails in business terms is refused. */
  readonly isBusiness: boolean;
  /** The count of a histogram of durations. */
  readonly duration: boolean;
}

/** Takes a name apart, from its end. */
function parseName(metric: string): Name {
  const words = metric.toLowerCase().split(/[._]/);
  const take = (pattern: RegExp): string => (pattern.test(words.at(-1) ?? "") ? words.pop()! : "");
  take(/^total$/);
  const isCount = take(/^count$/) !== "";
  if (isCount) take(/^(seconds|milliseconds|ms)$/);
  const duration = isCount && take(/^(duration|latency|handling|time)$/) !== "";
  if (isCount && duration) take(/^response$/);
  const short = take(/^(tps|qps|rps)$/);
  const second = short !== "";
  const length = words.length;
  const period = second ? "second" : take(/^(second|minute)$/);
  if (period !== "" && !second && take(/^per$/) === "") words.length = length;
  const ratio = take(/^(ratio|rate|percent|percentage)$/);
  let ending: Ending | undefined;
  let noun = "";
  let isBusiness = false;
  for (let word = words.at(-1); word !== undefined; word = words.at(-1)) {
    const found = namedEndings.get(word);
    const singular = singularOf(word);
    if (found !== undefined && ending === undefined) ending = found;
    else if (nouns.has(singular) && noun === "") noun = singular;
    else if (ending !== undefined && /^(business|biz|system|sys)$/.test(word))
      isBusiness ||= word.startsWith("b");
    else break;
    words.pop();
  }
  if (noun === "" && second && ending === undefined) noun = short === "tps" ? "transaction" : "request";
  return { stem: words.join("_"), noun, ending, ratio, period, isBusiness, duration };
}

function singularOf(word: string): string {
  return word === "queries" ? "query" : word.replace(/s$/, "");
}

/** Labels that say who measured it, which the reader is told beside. */
const placeLabels: ReadonlySet<string> = new Set(["host.name", "service.instance.id"]);
/** Our own metrics of spans: whose calls they are says it all. */
const spanStems: ReadonlySet<string> = new Set(["causeway_service", "causeway_edge"]);

function nameOf(stem: string, labels: Labels): string {
  const caller = labelValue(labels, "caller");
  const callee = labelValue(labels, "callee");
  const values = labels.filter(([label]) => !placeLabels.has(label)).map(([, value]) => value);
  const whose = caller === undefined || callee === undefined ? values : [`${caller} → ${callee}`];
  const characters = Array.from((spanStems.has(stem) ? whose : [stem, ...values]).join(" "));
  return characters.length <= nameMax ? characters.join("") : `${characters.slice(0, nameMax - 1).join("")}…`;
}

/** Durations whose names have no noun, but whose kind is known to be calls (`grpc_server_handling_seconds_count`). */
function isDurationOfCalls({ duration, stem }: Name): boolean {
  return duration && /^(http|rpc|grpc|db|messaging)(_|$)/.test(stem);
}

/** Of a transaction its result says more than its code: a code of a bank's own may look like one of HTTP's. */
function endingOf(labels: Labels, what: Counted["what"]): Ending | undefined {
  if (what === "transactions") {
    const result = labels.find(([name]) => resultLabels.includes(name));
    const ending = result === undefined ? undefined : wordEnding(result[1]);
    if (ending !== undefined) return ending;
  }
  for (const [label, ask] of endingLabels) {
    for (const [name, value] of labels) {
      const ending = name === label ? ask(value) : undefined;
      if (ending !== undefined) return ending;
    }
  }
  return undefined;
}

/** Once one label has said it, the others that might have are details of it: a return code beside a result. */
function isOfEnding(label: string, value: string, said: Ending | undefined): boolean {
  const ask = endingLabels.get(label);
  return detailLabels.has(label) || (ask !== undefined && (said !== undefined || ask(value) !== undefined));
}

function httpEnding(value: string): Ending | undefined {
  if (!/^[1-5](\d\d|xx)$/i.test(value)) return undefined;
  // Too many requests is a server that cannot keep up, whoever is to blame.
  if (value.startsWith("5") || value === "429") return "failure";
  return value.startsWith("4") ? "refusal" : "success";
}

const grpcNames = new Map<string, Ending>([
  ["ok", "success"],
  ...each("failure", "unknown", "deadlineexceeded", "resourceexhausted", "aborted", "unimplemented"),
  ...each("failure", "internal", "unavailable", "dataloss"),
  ...each("refusal", "canceled", "cancelled", "invalidargument", "notfound", "alreadyexists"),
  ...each("refusal", "permissiondenied", "failedprecondition", "outofrange", "unauthenticated"),
]);
const grpcFailures = new Set([2, 4, 8, 10, 12, 13, 14, 15]);

function grpcEnding(value: string): Ending | undefined {
  if (/^(1[0-6]|\d)$/.test(value)) {
    const code = Number(value);
    return code === 0 ? "success" : grpcFailures.has(code) ? "failure" : "refusal";
  }
  return grpcNames.get(value.toLowerCase().replaceAll("_", ""));
}

const words = new Map<string, Ending>([
  ...each("success", "success", "succeeded", "successful", "ok", "completed", "redirection", "informational"),
  ...each(
    "failure",
    "error",
    "failure",
    "failed",
    "fail",
    "timeout",
    "exception",
    "sys_fail",
    "system_error",
  ),
  ...each("failure", "server_error", "unavailable"),
  ...each(
    "refusal",
    "biz_fail",
    "business_error",
    "client_error",
    "rejected",
    "declined",
    "denied",
    "refused",
  ),
]);

function wordEnding(value: string): Ending | undefined {
  return words.get(value.toLowerCase());
}

/** `status` and `code` are HTTP's, gRPC's or a word. */
function codeEnding(value: string): Ending | undefined {
  return httpEnding(value) ?? wordEnding(value) ?? grpcNames.get(value.toLowerCase().replaceAll("_", ""));
}

/** A bank's return codes: zeros are success, the rest is an answer that was not the one wished for. */
function returnEnding(value: string): Ending {
  return /^0+$/.test(value) ? "success" : (wordEnding(value) ?? "refusal");
}

/** Seconds that a gauge of volume stands for, by its unit or its name; undefined when neither says. */
function periodOf(unit: string, period: string): number | undefined {
  if (unit.endsWith("/s") || period === "second") return 1;
  return unit.endsWith("/min") || period === "minute" ? 60 : undefined;
}

function scaleOf(unit: string, ratio: string): number {
  return unit === "%" || ratio.startsWith("percent") ? 100 : 1;
}

function each(ending: Ending, ...names: string[]): [string, Ending][] {
  return names.map((name) => [name, ending]);
}

function asked(ask: (value: string) => Ending | undefined) {
  return (label: string): [string, (value: string) => Ending | undefined] => [label, ask];
}
