/**
 * How a call ended, and whom it called, as its span's attributes say.
 *
 * A system failure is one that the machinery is to blame for: a status of the server's, a broken connection, an error without any better
 * explanation. A business refusal is an answer as the rules demand but not as the customer wished: not enough money, a wrong address.
 * An answer's code says more than the span's status: an SDK marks a client's 404 as an error, and a bank answers a
 * refused payment with HTTP 200 and a return code. What the codes mean is `shared/counted.ts`, as for metrics; which attributes
 * hold a bank's return codes, and which of them are failures of a system, the operator can add.
 * Names are OpenTelemetry's (semantic conventions v1.44), then the ones before it.
 */
import { endingBy, type Ending } from "#shared/counted.ts";
import type { Attributes, OtlpSpan } from "../decode/otlp.ts";

export interface ReturnCodes {
  /** Attributes whose value is a return code; zeros are success. */
  readonly attributes: readonly string[];
  /** Codes that are failures of a system, with `*` at the end for any rest: `SYS*`. The others are refusals. */
  readonly failures: readonly string[];
}

export const usualReturnCodes: ReturnCodes = { attributes: [], failures: [] };

/** Attributes that say how it ended; each is asked for what it means. */
const endingAttributes = [
  "http.response.status_code",
  "http.status_code",
  "rpc.grpc.status_code",
  "result",
  "outcome",
];
const returnCodeAttributes = ["return_code", "ret_code", "resp_code", "rsp_code"];
const errorAttribute = "error.type";

const databaseSystems = ["db.system.name", "db.system"];
const databaseNames = ["db.namespace", "db.name"];
const messagingDestinations = ["messaging.destination.name", "messaging.destination"];
const addresses = ["server.address", "net.peer.name", "network.peer.address", "net.peer.ip", "http.host"];
const ports = ["server.port", "net.peer.port", "network.peer.port"];

/** What a span's attributes are read for; the others are skipped where they stand. */
export function wantedAttributes({ attributes }: ReturnCodes): ReadonlySet<string> {
  return new Set([
    ...endingAttributes,
    ...returnCodeAttributes,
    errorAttribute,
    ...databaseSystems,
    ...databaseNames,
    "messaging.system",
    ...messagingDestinations,
    "peer.service",
    "rpc.service",
    ...addresses,
    ...ports,
    ...attributes,
  ]);
}

export function endingOf({ attributes, isError }: OtlpSpan, codes: ReturnCodes): Ending {
  let isRefused = false;
  let isErroneous = isError;
  for (const [name, value] of attributes) {
    const isCode = codes.attributes.includes(name) || returnCodeAttributes.includes(name);
    const said = isCode
      ? codeEnding(value, codes)
      : endingAttributes.includes(name)
        ? endingBy(name, value)
        : undefined;
    if (said === "failure") return "failure";
    if (said === "refusal") isRefused = true;
    // 404 is an error's type too: what the code says has been heard.
    if (name === errorAttribute && value !== "" && !/^\d{3}$/.test(value)) isErroneous = true;
  }
  if (isRefused) return "refusal";
  return isErroneous ? "failure" : "success";
}

function codeEnding(value: string, { failures }: ReturnCodes): Ending | undefined {
  if (value === "") return undefined;
  const isFailure = failures.some((code) =>
    code.endsWith("*") ? value.startsWith(code.slice(0, -1)) : value === code,
  );
  return isFailure ? "failure" : endingBy("return_code", value);
}

export interface Callee {
  readonly kind: "service" | "database" | "queue" | "address";
  readonly name: string;
}

/** Names are cut here: they become labels. */
const nameCharactersMax = 120;

/** Whom a client's or a producer's span called. */
export function calleeOf(attributes: Attributes): Callee {
  const given = new Map(attributes);
  const first = (names: readonly string[]): string =>
    names.map((name) => given.get(name) ?? "").find((value) => value !== "") ?? "";
  const peer = first(["peer.service"]);
  const address = first(addresses);
  const database = first(databaseSystems);
  if (database !== "") {
    const which = peer || address || first(databaseNames);
    return { kind: "database", name: cut(which === "" ? database : `${database}:${which}`) };
  }
  const queue = queueOf(attributes);
  if (queue !== null) return queue;
  if (peer !== "") return { kind: "service", name: cut(peer) };
  if (address === "") return { kind: "address", name: cut(first(["rpc.service"]) || "unknown") };
  const port = first(ports);
  return { kind: "address", name: cut(port === "" ? address : `${address}:${port}`) };
}

/** The queue that a span sent to or took from; null when it did neither. */
export function queueOf(attributes: Attributes): Callee | null {
  const given = new Map(attributes);
  const system = given.get("messaging.system") ?? "";
  if (system === "") return null;
  const [destination = ""] = messagingDestinations.flatMap((name) => given.get(name) ?? []);
  return { kind: "queue", name: cut(destination === "" ? system : `${system}:${destination}`) };
}

function cut(name: string): string {
  return name.slice(0, nameCharactersMax);
}
