/**
 * Who sends: a service at a place. What OTLP calls a resource becomes a source, as an agent's host is one.
 *
 * A source is one service on one host (or one Kubernetes deployment, or one instance where neither is known), not one process: a process
 * gets a new random instance id, and a pod a new name, at each start, and what was learned of the service would be lost with each
 * restart. An instance id that a person chose (it is no UUID) stays and is part of the name. A source is a partition of its own,
 * beside the agent's host of the same name, because its ticks come at other times; for the same reason metrics, which come once a minute,
 * are not in the partition of the spans, which has a tick each ten seconds. Series carry `host.name`, so that what is wrong with them is
 * told as that host's service (`shared/semantics.ts`), and the journal's follower declares that the source depends on that host.
 */
import { canonicalLabels, type Labels } from "#shared/series.ts";
import type { Attributes } from "../decode/otlp.ts";

export interface Origin {
  /** `pay@web-01`: stable over restarts. Its spans' source. */
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

/** The resource label by which a journaled source is known to be one of ours, and what it is called. */
export const sourceLabel = "causeway.source";
/** Of a source that tells other things of the same service: the name of the one that tells its calls. */
export const besideLabel = "causeway.source.beside";

/** In the order in which they are asked. */
const places = ["host.name", "k8s.pod.name", "container.name", "service.instance.id"];
/** Where pods come and go: the names of pods, and of hosts, which are the pods', say nothing that lasts. */
const workloads = ["k8s.deployment.name", "k8s.cronjob.name"];
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
  const workload = workloads.map(say).find((value) => value !== "");
  const host = workload === undefined ? say("host.name") : "";
  const place = workload ?? places.map(say).find((value) => value !== "") ?? "unknown";
  const instance = instances.map(say).find((value) => value !== "") ?? "";
  const id = say("service.instance.id");
  const isChosen = id !== "" && id !== place && !random.test(id);
  const service = say("service.name");
  const namespace = say("service.namespace");
  const what = [namespace, service === "" ? "otlp" : service, isChosen ? id : ""].filter(
    (part) => part !== "",
  );
  const name = `${what.join("/")}@${place}`;
  const labels = canonicalLabels([
    ["service.name", service],
    ["host.name", host],
    ["service.instance.id", isChosen ? id : ""],
  ]);
  const resource = canonicalLabels([
    ...shown.map((label) => [label, label === "host.name" ? host : say(label)] as const),
    [sourceLabel, name],
  ]);
  return { name, service, host, instance, labels, resource };
}

/** The source of its metrics, as those of the process at `place`: `pay:metrics@web-01`, `pay:metrics~2@web-01`. */
export function metricsSource({ name, resource }: Origin, place: number): { name: string; resource: Labels } {
  const at = name.indexOf("@");
  const own = `${name.slice(0, at)}:metrics${place === 0 ? "" : `~${place + 1}`}${name.slice(at)}`;
  return { name: own, resource: canonicalLabels([...resource, [sourceLabel, own], [besideLabel, name]]) };
}
