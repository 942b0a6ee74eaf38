/**
 * The operator's settings of detection: rules, calendar, maintenance windows and groups of hosts, read and made into detection's policy.
 *
 * What can be seen to be wrong is a mistake with its line: a pattern that fits nothing, a range the wrong way round, a day that is
 * both a holiday and a working day, a window that ends before it begins. `deploy/config/detect.json` shows all of it.
 */
import { createHash } from "node:crypto";
import { createCalendar, utc } from "#collector/detect/calendar.ts";
import type { DetectPolicy } from "#collector/detect/detect.ts";
import { type TopologyPolicy, usualTopologyPolicy } from "#collector/topology/topology.ts";
import { type ConfigOf, durationField } from "#shared/config-file.ts";
import { listPart, partField } from "#shared/config-parts.ts";
import { limits } from "#shared/limits.ts";
import { calendarPart, usualCalendarSettings } from "./calendar-settings.ts";
import { maintenancePart, windowOf } from "./maintenance-settings.ts";
import { rulePart } from "./rule-settings.ts";
import { peerGroupsPart } from "./peer-settings.ts";
import { offsetTable } from "./time-zone.ts";

export const detectSchema = {
  /** In order; later ones win, key by key. */
  rules: partField(listPart(rulePart, { max: limits.policyRulesMax }), []),
  calendar: partField(calendarPart, usualCalendarSettings),
  maintenance: partField(listPart(maintenancePart, { max: limits.maintenanceWindowsMax }), []),
  /** A host that was not heard for this long counts as taken out of service. */
  hostGoneAfter: durationField(limits.hostGoneMs, { min: "1h", max: "3650d" }),
  /** Hosts that do the same work; the first that fits. Others are siblings when their names differ only in digits. */
  peerGroups: partField(peerGroupsPart, []),
} as const;

export type DetectSettings = ConfigOf<typeof detectSchema>;

/** Local times become instants here: the rules of the calendar's zone are looked up once, and are part of the policy. */
export function detectPolicyOf(settings: DetectSettings): DetectPolicy {
  const { rules, calendar, maintenance, hostGoneAfter, peerGroups } = settings;
  const offsets = calendar.zone === "UTC" ? utc : offsetTable(calendar.zone);
  const data = { ...calendar, offsets };
  const local = createCalendar(data);
  const instantOf = (localMs: number): number => local.instantOf(localMs);
  const windows = maintenance.map((window) => windowOf(window, instantOf));
  return { rules, calendar: data, maintenance: windows, hostGoneMs: hostGoneAfter, peerGroups };
}

/** SHA-256 of detection's and topology's policy as JSON with sorted keys: the same for the same policy, on every machine and in every year. */
export function policyHash(policy: DetectPolicy, topology: TopologyPolicy = usualTopologyPolicy): string {
  // What is usual is left out, so that a policy keeps its name when a setting is added that nobody uses.
  const usual = canonicalJson(topology) === canonicalJson(usualTopologyPolicy);
  const whole = usual ? policy : { ...policy, topology };
  return createHash("sha256").update(canonicalJson(whole)).digest("hex");
}

function canonicalJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) =>
    typeof part === "object" && part !== null && !Array.isArray(part)
      ? Object.fromEntries(Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1)))
      : part,
  );
}
