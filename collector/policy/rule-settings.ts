/** Settings of rules: which series, and what of their policy is another than their kind's. */
import {
  type Amount,
  type Direction,
  metricKinds,
  type PolicyRule,
  type PolicySet,
  sensitivityMax,
  sensitivityMin,
} from "#collector/detect/policy.ts";
import {
  booleanField,
  bytesField,
  type ConfigOf,
  durationField,
  type Field,
  numberField,
  shareField,
  shown,
  textField,
  valueOf,
} from "#shared/config-file.ts";
import { listPart, optional, type Part, partField, sectionPart, valuePart } from "#shared/config-parts.ts";
import type { MetricKind, Role } from "#shared/semantics.ts";
import { matchPart } from "./match-settings.ts";

const amountShare = shareField(0, { min: "0%", max: "100000%" });
const amountBytes = bytesField(0, { min: "0B", max: "8000TB" });
const amountMs = durationField(0, { min: "0ms", max: "3650d" });

function readAmount(raw: unknown): Amount | undefined {
  if (typeof raw === "number" && Number.isFinite(raw)) return { value: raw, unit: "" };
  const [share, bytes, ms] = [amountShare.read(raw), amountBytes.read(raw), amountMs.read(raw)];
  if (share !== undefined) return { value: share, unit: "1" };
  if (bytes !== undefined) return { value: bytes, unit: "By" };
  return ms === undefined ? undefined : { value: ms / 1000, unit: "s" };
}

const wantAmount = 'a number, "5%", "64MiB" or "20ms"';
const amount: Field<Amount | null> = { want: wantAmount, fallback: null, read: readAmount };
const end: Field<Amount> = { want: wantAmount, fallback: { value: 0, unit: "" }, read: readAmount };
const endsPart = listPart(valuePart(end), { max: 2 });

const rangePart: Part<readonly [low: Amount, high: Amount]> = {
  want: "a list of two ends, the lowest value and the highest",
  readNode(node, key, tell) {
    const ends = endsPart.readNode(node, key, tell);
    if (ends === undefined || ends.length < (node.children ?? []).length) return undefined;
    const [low, high] = ends;
    if (low === undefined || high === undefined)
      return tell(node, key, `want ${this.want}, got ${shown(valueOf(node))}`);
    if (low.value < high.value) return [low, high];
    return tell(node, key, `its low end ${low.value} is not below its high end ${high.value}`);
  },
};

const setSection = {
  kind: textField(null, { allowed: metricKinds }),
  role: textField(null, { allowed: ["symptom", "evidence"] }),
  direction: textField(null, { allowed: ["up", "down", "both"] }),
  smallestDeviation: amount,
  smallestShare: optional(shareField(0, { min: "0%", max: "1000%" })),
  bound: amount,
  range: partField(rangePart, null),
  sensitivity: optional(numberField(1, { min: sensitivityMin, max: sensitivityMax })),
  judge: optional(booleanField(true)),
  interval: optional(durationField(0, { min: "1s", max: "1d" })),
} as const;

/** Keys that were given, under policy's own names. */
function setOf(given: ConfigOf<typeof setSection>, tell: (name: string, problem: string) => void): PolicySet {
  const { kind, role, direction, smallestDeviation, smallestShare, bound, range, sensitivity, judge } = given;
  if (Object.values(given).every((value) => value === null))
    tell("", `changes nothing; known are ${Object.keys(setSection).join(", ")}`);
  if ((smallestDeviation?.value ?? 0) < 0) tell("smallestDeviation", "a deviation is not below 0");
  if (range !== null && bound !== null && (bound.value < range[0].value || bound.value > range[1].value))
    tell("bound", `${bound.value} is outside the range ${range[0].value} to ${range[1].value}`);
  return {
    ...(kind === null ? {} : { kind: kind as MetricKind }),
    ...(role === null ? {} : { role: role as Exclude<Role, "context"> }),
    ...(direction === null ? {} : { direction: direction as Direction }),
    ...(smallestDeviation === null ? {} : { smallestDeviation }),
    ...(smallestShare === null ? {} : { smallestShare }),
    ...(bound === null ? {} : { bound }),
    ...(range === null ? {} : { range }),
    ...(sensitivity === null ? {} : { sensitivity }),
    ...(judge === null ? {} : { judge }),
    ...(given.interval === null ? {} : { intervalMs: given.interval }),
  };
}

export const rulePart = sectionPart(
  {
    match: partField(matchPart, null),
    set: partField(sectionPart(setSection, setOf), null),
  },
  ({ match, set }, tell): PolicyRule => {
    if (match === null) tell("match", 'missing; {} is every series, {"host": "pay-*"} those of some hosts');
    if (set === null) tell("set", "missing; without it the rule changes nothing");
    return { match: match ?? [], set: set ?? {} };
  },
);
