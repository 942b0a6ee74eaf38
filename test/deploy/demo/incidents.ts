/** Incidents made by hand, for what is said of them. */
import type { Cause, Incident } from "#shared/contract/incident.ts";
import { entityId } from "#shared/entity.ts";
import { parseEntity } from "../../../deploy/drill/entity.ts";

export interface Sketch {
  readonly id?: string;
  readonly detectedMs?: number;
  readonly reopened?: number;
  /** Entities' ids; the first is the cause's unless `causes` says otherwise. */
  readonly entities?: readonly string[];
  readonly causes?: readonly string[];
  readonly metric?: string;
  /** Titles of related changes, most telling first. */
  readonly changes?: readonly string[];
  readonly state?: Incident["state"];
}

export function incidentOf(sketch: Sketch): Incident {
  const { id = "INC-1", detectedMs = 0, reopened = 0, metric = "process.cpu.utilization" } = sketch;
  const entities = (sketch.entities ?? []).map((entity) => {
    const { kind, host, name } = parseEntity(entity);
    assertKind(kind);
    return { id: entityId({ kind, host, name }), kind, host, name, role: "affected" as const };
  });
  return {
    id,
    revision: 1,
    severity: "major",
    state: sketch.state ?? "open",
    title: { key: "", args: {} },
    startedMs: detectedMs,
    detectedMs,
    updatedMs: detectedMs,
    resolvedMs: null,
    reopened,
    mergedInto: null,
    suppressedBy: null,
    hostCount: new Set(entities.map(({ host }) => host)).size,
    story: { cause: null, failure: null, ruledOut: [] },
    changes: (sketch.changes ?? []).map((title) => ({
      id: title,
      kind: "release",
      title,
      target: "",
      by: "",
      link: "",
      atMs: 0,
      beforeMs: 0,
      relation: "same",
      hops: 0,
    })),
    similar: [],
    confirmedCause: null,
    hosts: [...new Set(entities.map(({ host }) => host))],
    impact: [],
    causes: (sketch.causes ?? []).map((entity) => causeOf(entity, metric)),
    symptoms: [],
    entities,
    owner: null,
    acknowledgements: [],
    feedback: null,
    timeline: [],
    completeness: 1,
  };
}

function causeOf(entity: string, metric: string): Cause {
  const evidence = {
    host: parseEntity(entity).host,
    series: metric,
    metric,
    entity,
    unit: "1",
    direction: "up" as const,
    startedMs: 0,
    lastMs: 0,
    ended: false,
    value: 1,
    expectedLow: 0,
    expectedHigh: 0,
    score: 9,
    provisional: false,
    reasons: [],
  };
  return {
    entity,
    kind: "saturation",
    confidence: 0.8,
    text: { key: "", args: {} },
    evidence: [evidence],
    counterEvidence: [],
  };
}

function assertKind(kind: string): asserts kind is Incident["entities"][number]["kind"] {
  if (kind === "") throw new Error("BUG: an entity's id in a test has no kind");
}
