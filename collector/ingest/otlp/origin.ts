/**
 * Who sends: a service at a place. What OTLP calls a resource becomes a source, as an agent's host is one.
 *
 * A source is one service on one host (or in one pod, or one instance where neither is known), not one process: a process gets a new
 * random instance id at each start, and what was learned of the service would be lost with each restart. An instance id that a
 * person chose (it is no UUID) stays and is part of the name. A source is a partition of its own, beside the agent's host of
 * the same name, because its ticks come at other times; its series carry `host.name`, so that what is wrong with it is
 * told as that host's service (`shared/semantics.ts`), and the journal's follower declares that it depends on that host.
 */
import { canonicalLabels, type Labels } from "#shared/series.ts";
import type { Attributes } from "../decode/otlp.ts";

export interface Origin {
  /** `pay@web-01`: stable over restarts. */
  readonly name: string;
  readonly service: string;
  /** "" when the resource names no host. */
  readonly host: string;
  /** Tells processes of one source apart while they live; "" when the resource says nothing of them. */
  readonly instance: string;
  /** On every series of it. */
  readonly labels: Labels;
  /** What it says it is, for the list of sources. */
  readonly resource: Labels;
}

/** The resource label by which a journaled source is known to be one of ours. */
export const sourceLabel = "causeway.source";

/** In the order in which they are asked. */
const places = ["host.name", "k8s.pod.name", "container.name", "service.instance.id"];
const instances = ["service.instance.id", "k8s.pod.uid", "container.id", "process.pid"];
/** What the list of sources shows of it. Addresses are left out: they are the host's, and its agent tells them. */
const shown = [
  "service.name",
  "service.namespace",
  "service.version",
  "host.name",
  "os.type",
  "os.description",
  "telemetry.sdk.language",
  "deployment.environment.name",
];
/** Names in a frame have a limit; what is longer is cut, with what it would have been lost. */
const nameCharactersMax = 120;
const random = /[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}|[0-9a-f]{16}/i;

export function originOf(attributes: Attributes): Origin {
  const given = new Map(attributes.map(([name, value]) => [name, value.slice(0, nameCharactersMax)]));
  const say = (name: string): string => given.get(name) ?? "";
  const host = say("host.name");
  const place = places.map(say).find((value) => value !== "") ?? "";
  const instance = instances.map(say).find((value) => value !== "") ?? "";
  const id = say("service.instance.id");
  const isChosen = id !== "" && id !== place && !random.test(id);
  const service = say("service.name");
  const namespace = say("service.namespace");
  const what = [namespace, service === "" ? "otlp" : service, isChosen ? id : ""].filter(
    (part) => part !== "",
  );
  const name = place === "" ? what.join("/") : `${what.join("/")}@${place}`;
  const labels = canonicalLabels([
    ["service.name", service],
    ["host.name", host],
    ["service.instance.id", isChosen ? id : ""],
  ]);
  const resource = canonicalLabels([
    ...shown.map((label) => [label, say(label)] as const),
    [sourceLabel, name],
  ]);
  return { name, service, host, instance, labels, resource };
}
