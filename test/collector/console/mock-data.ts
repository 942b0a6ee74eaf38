/**
 * Canned hosts, incidents and curves for the console: what a collector would say ten minutes into a runaway process. All
 * times hang on the `nowMs` that is passed in; curves are functions of time, so that every request gets the same curve.
 */
import type { FeedbackList, Forecast, Host, SeriesList, SeriesRange, Warmup } from "#shared/contract/api.ts";
import type { Change } from "#shared/contract/change.ts";
import type { Evidence, Incident, Text } from "#shared/contract/incident.ts";
import type { SystemState } from "#shared/contract/live.ts";

export const scenarios = ["incident", "unidentified", "calm", "blind", "empty"] as const;
export type Scenario = (typeof scenarios)[number];

const minute = 60_000;
const cpuSeries = "system.cpu.utilization";
const processSeries =
  'process.cpu.utilization{process.executable.name="eod-batch",process.pid="48211",service.name="eod-batch.service"}';
const serviceSeries = 'causeway.service.cpu.time{service.name="eod-batch.service"}';
const loadSeries = "system.linux.load_1m";
const pressureSeries =
  'system.pressure.stall.time{causeway.pressure.resource="cpu",causeway.pressure.type="some"}';
const host = "core-db-03";

interface Shape {
  readonly metric: string;
  readonly unit: string;
  readonly role: "symptom" | "evidence" | "context";
  readonly calm: number;
  readonly wobble: number;
  readonly abnormal: number;
  /** Where the incident shows in this series, before or after the incident's start. */
  readonly leadMs: number;
}

const shapes: ReadonlyMap<string, Shape> = new Map<string, Shape>([
  [cpuSeries, shape(cpuSeries, "1", "symptom", 0.34, 0.06, 0.985, 0)],
  [processSeries, shape("process.cpu.utilization", "1", "evidence", 0, 0, 6.1, -20_000)],
  [serviceSeries, shape("causeway.service.cpu.time", "s/s", "evidence", 0.04, 0.02, 6.2, -20_000)],
  [loadSeries, shape(loadSeries, "{thread}", "evidence", 2.6, 0.8, 19, 10_000)],
  [pressureSeries, shape("system.pressure.stall.time", "s/s", "evidence", 0.03, 0.02, 0.71, 10_000)],
  ["system.memory.utilization", shape("system.memory.utilization", "1", "symptom", 0.61, 0.01, 0.62, 0)],
  [
    'system.disk.io_time{system.device="nvme0n1"}',
    shape("system.disk.io_time", "s/s", "symptom", 0.12, 0.05, 0.16, 0),
  ],
  [
    'system.network.io{network.interface.name="eth0",network.io.direction="receive"}',
    shape("system.network.io", "By/s", "evidence", 21_000_000, 4_000_000, 19_000_000, 0),
  ],
  [
    'system.filesystem.utilization{system.filesystem.mountpoint="/var/lib/db"}',
    shape("system.filesystem.utilization", "1", "symptom", 0.72, 0.001, 0.725, 0),
  ],
]);

function shape(
  metric: string,
  unit: string,
  role: Shape["role"],
  calm: number,
  wobble: number,
  abnormal: number,
  leadMs: number,
): Shape {
  return { metric, unit, role, calm, wobble, abnormal, leadMs };
}

/** Ten minutes and a bit before the page was served. */
export function incidentStart(beganMs: number): number {
  return Math.floor((beganMs - 6.4 * minute) / 10_000) * 10_000;
}

export function seriesList(name: string): SeriesList {
  const series = [...shapes].map(([id, { metric, unit, role }]) => ({
    id,
    metric,
    unit,
    role,
    entity: `host:${name}`,
  }));
  return { host: name, series };
}

/** Ten-second samples; two minutes are missing half an hour before the incident, as after a restart of the agent. */
export function seriesRange(
  name: string,
  series: string,
  fromMs: number,
  toMs: number,
  startMs: number,
): SeriesRange {
  const known = shapes.get(series) ?? shape(series, "1", "context", 0.5, 0.2, 0.5, 0);
  const timesMs: number[] = [];
  const values: (number | null)[] = [];
  const step = Math.max(10_000, Math.ceil((toMs - fromMs) / 1000 / 10_000) * 10_000);
  for (let atMs = Math.ceil(fromMs / step) * step; atMs <= toMs; atMs += step) {
    const missing = atMs > startMs - 22 * minute && atMs < startMs - 20 * minute;
    timesMs.push(atMs);
    values.push(missing ? null : valueAt(known, name === host ? atMs - startMs : -1, atMs));
  }
  return { host: name, series, unit: known.unit, timesMs, values };
}

function valueAt(known: Shape, sinceMs: number, atMs: number): number {
  const tick = atMs / 10_000;
  const noise = Math.sin(tick * 0.9) * 0.4 + Math.sin(tick * 2.3 + 1) * 0.35 + Math.sin(tick * 0.071) * 0.6;
  const grown = Math.min(1, Math.max(0, (sinceMs - known.leadMs) / 20_000 + 0.4));
  const share = sinceMs - known.leadMs >= 0 ? grown : 0;
  const value = known.calm * (1 - share) + known.abnormal * share + noise * known.wobble * (1 - share * 0.8);
  return Math.max(0, known.unit === "1" && known.calm < 1 && known.abnormal < 1 ? Math.min(1, value) : value);
}

function evidence(
  series: string,
  startMs: number,
  nowMs: number,
  reasons: Evidence["reasons"] = [],
): Evidence {
  const { metric, unit, calm, wobble, abnormal, leadMs } =
    shapes.get(series) ?? shape(series, "1", "context", 0, 0, 1, 0);
  const isProcess = metric.startsWith("process.");
  return {
    host,
    series,
    metric,
    entity: isProcess ? `process:${host}/48211/eod-batch` : `host:${host}`,
    unit,
    direction: "up",
    startedMs: startMs + leadMs,
    lastMs: nowMs,
    ended: false,
    value: abnormal,
    expectedLow: Math.max(0, calm - 2.5 * wobble),
    expectedHigh: calm + 4 * wobble + (wobble === 0 ? 0.25 : 0),
    score: 9.3,
    provisional: false,
    reasons,
  };
}

function text(key: string, args: Text["args"] = {}): Text {
  return { key, args };
}

const cpuArgs = { value: 0.985, low: 0.19, high: 0.58, unit: "1", metric: cpuSeries, name: host, host };
const processArgs = {
  process: "eod-batch",
  pid: "48211",
  causeName: "48211/eod-batch",
  causeValue: 6.1,
  causeUnit: "1",
  causeMetric: "process.cpu.utilization",
};

/** The open one: CPU is full because of one process. */
export function cpuIncident(startMs: number, nowMs: number): Incident {
  return {
    id: "INC-7f3a91",
    revision: 6,
    severity: "critical",
    state: "open",
    title: text("incident.cause", {
      ...cpuArgs,
      ...processArgs,
      symptom: "symptom.cpu",
      cause: "cause.process.cpu",
    }),
    startedMs: startMs,
    detectedMs: startMs + 20_000,
    updatedMs: nowMs,
    resolvedMs: null,
    reopened: 0,
    mergedInto: null,
    suppressedBy: null,
    hosts: [host],
    hostCount: 1,
    impact: [text("impact.unknown", { host })],
    story: {
      cause: {
        kind: "change",
        entity: `process:${host}/48211/eod-batch`,
        text: text("story.after_change", {
          ...processArgs,
          cause: "cause.process.cpu",
          before: 100_000,
          change: "EOD-7 starts with 8 workers",
          target: "service:eod-batch",
        }),
        atMs: startMs - 20_000,
      },
      failure: { entity: `host:${host}`, text: text("symptom.cpu", cpuArgs), atMs: startMs },
      ruledOut: [
        { what: `service:${host}/postgresql.service`, why: text("counter.late", { late: 40_000 }) },
        {
          what: "service:web",
          why: text("ruled.change_elsewhere", { change: "web 2.14.1" }),
        },
      ],
    },
    causes: [
      {
        entity: `process:${host}/48211/eod-batch`,
        kind: "demand",
        confidence: 0.88,
        text: text("cause.process.cpu", processArgs),
        evidence: [
          evidence(processSeries, startMs, nowMs, [
            { key: "reason.hour", effect: "raised", args: { day: "workday", hour: 14 } },
            { key: "reason.level", effect: "raised", args: { times: 4.2 } },
            { key: "reason.record", effect: "raised", args: { known: 1_036_800_000 } },
          ]),
          evidence(serviceSeries, startMs, nowMs, [
            { key: "reason.hour", effect: "raised", args: { day: "quarter_end", hour: 14 } },
            { key: "reason.level", effect: "raised", args: { times: 3.9 } },
            {
              key: "reason.similar_daily",
              effect: "lowered",
              args: { count: 4, span: 432_000_000, last: 86_700_000 },
            },
            { key: "reason.incomplete", effect: "lowered", args: { share: 0.82 } },
          ]),
          evidence(loadSeries, startMs, nowMs, [
            { key: "reason.lately", effect: "raised", args: { span: 200_000 } },
            { key: "reason.far", effect: "raised", args: {} },
          ]),
        ],
        counterEvidence: [],
        action: "batch-eod-7",
      },
      {
        entity: `service:${host}/postgresql.service`,
        kind: "demand",
        confidence: 0.46,
        text: text("cause.part.cpu", { ...processArgs, causeName: "postgresql.service", causeValue: 1.7 }),
        evidence: [evidence(pressureSeries, startMs, nowMs)],
        counterEvidence: [
          text("counter.late", { late: 40_000 }),
          text("counter.unexplained", { share: 0.74 }),
        ],
      },
    ],
    symptoms: [
      evidence(cpuSeries, startMs, nowMs, [
        { key: "reason.bound", effect: "raised", args: { bound: 0.97, unit: "1" } },
      ]),
    ],
    entities: [
      {
        id: `process:${host}/48211/eod-batch`,
        kind: "process",
        host,
        name: "48211/eod-batch",
        role: "cause",
      },
      { id: `host:${host}`, kind: "host", host, name: "", role: "affected" },
      {
        id: `service:${host}/postgresql.service`,
        kind: "service",
        host,
        name: "postgresql.service",
        role: "impacted",
      },
    ],
    changes: [
      {
        id: "batch-eod-7",
        kind: "batch",
        title: "EOD-7 starts with 8 workers",
        target: "service:eod-batch",
        by: "scheduler",
        link: "http://127.0.0.1/batch/eod-7",
        atMs: startMs - 120_000,
        beforeMs: 120_000,
        relation: "same",
        hops: 0,
      },
    ],
    similar: [
      {
        incident: "INC-51be07",
        startedMs: startMs - 21 * 86_400_000,
        likeness: 0.82,
        cause: { entity: `process:${host}/311/eod-batch`, confirmed: true, comment: "workers doubled" },
      },
    ],
    confirmedCause: null,
    owner: null,
    acknowledgements: [],
    feedback: null,
    timeline: [
      { atMs: startMs - 20_000, text: text("timeline.started") },
      { atMs: startMs + 20_000, text: text("timeline.opened") },
      {
        atMs: startMs + 30_000,
        text: text("timeline.cause", { ...processArgs, cause: "cause.process.cpu" }),
      },
      { atMs: startMs + 60_000, text: text("timeline.severity", { severity: "critical" }) },
    ],
    completeness: 0.997,
  };
}

export function silentIncident(startMs: number, nowMs: number): Incident {
  const entity = "host:web-h5-07";
  const silence: Evidence = {
    ...evidence("", startMs, nowMs),
    host: "web-h5-07",
    metric: "",
    entity,
    unit: "s",
    direction: "down",
    startedMs: startMs + 2 * minute,
    value: 190,
    expectedLow: 0,
    expectedHigh: 30,
  };
  return {
    ...cpuIncident(startMs, nowMs),
    id: "INC-20c4de",
    revision: 2,
    severity: "major",
    title: text("incident.silent", { host: "web-h5-07", cause: "cause.unreachable" }),
    startedMs: startMs + 2 * minute,
    detectedMs: startMs + 2 * minute + 30_000,
    hosts: ["web-h5-07"],
    impact: [text("impact.blind", { host: "web-h5-07" })],
    causes: [
      {
        entity,
        kind: "silence",
        confidence: 0.71,
        text: text("cause.unreachable"),
        evidence: [silence],
        counterEvidence: [],
      },
    ],
    symptoms: [silence],
    entities: [{ id: entity, kind: "host", host: "web-h5-07", name: "", role: "affected" }],
    owner: "陈伟",
    acknowledgements: [{ by: "陈伟", atMs: startMs + 4 * minute, comment: "calling the data centre" }],
    timeline: [
      { atMs: startMs + 2 * minute, text: text("timeline.started") },
      { atMs: startMs + 2 * minute + 30_000, text: text("timeline.opened") },
      { atMs: startMs + 4 * minute, text: text("timeline.acknowledged", { by: "陈伟" }) },
    ],
    completeness: 0.4,
  };
}

export function resolvedIncident(nowMs: number): Incident {
  const startMs = nowMs - 5 * 60 * minute;
  const args = {
    value: 0.957,
    low: 0.4,
    high: 0.71,
    unit: "1",
    metric: "system.memory.utilization",
    host: "pay-02",
    name: "pay-02",
  };
  return {
    ...cpuIncident(startMs, startMs + 11 * minute),
    id: "INC-51be07",
    severity: "major",
    state: "resolved",
    title: text("incident.cause", {
      ...args,
      ...processArgs,
      process: "java",
      pid: "2210",
      causeValue: 12_800_000_000,
      causeUnit: "By",
      symptom: "symptom.memory",
      cause: "cause.process.memory",
    }),
    hosts: ["pay-02"],
    causes: [
      {
        entity: "process:pay-02/2210/java",
        kind: "exhaustion",
        confidence: 0.74,
        text: text("cause.process.memory", {
          ...processArgs,
          process: "java",
          pid: "2210",
          causeValue: 12_800_000_000,
          causeUnit: "By",
        }),
        evidence: [],
        counterEvidence: [],
      },
    ],
    resolvedMs: startMs + 11 * minute,
    owner: "Li Na",
  };
}

export function unidentifiedIncident(startMs: number, nowMs: number): Incident {
  const known = cpuIncident(startMs, nowMs);
  const candidates = known.causes.map((cause, i) => ({ ...cause, confidence: 0.31 - i * 0.1 }));
  return {
    ...known,
    severity: "warning",
    title: text("incident.unknown", { ...cpuArgs, symptom: "symptom.cpu" }),
    causes: candidates,
    reopened: 2,
    completeness: 0.91,
  };
}

export function changes(scenario: Scenario, startMs: number): Change[] {
  if (scenario === "empty" || scenario === "calm") return [];
  const of = (id: string, kind: Change["kind"], title: string, name: string, agoMs: number): Change => {
    const target = { of: "service", name } as const;
    return { id, kind, title, target, by: "scheduler", link: "", atMs: startMs - agoMs };
  };
  return [
    of("batch-eod-7", "batch", "EOD-7 starts with 8 workers", "eod-batch", 120_000),
    of("ci-2141", "release", "web 2.14.1", "web", 9 * minute),
  ];
}

/** What follows from the answers of these incidents, each counted alone. */
export function feedbackList(of: readonly Incident[]): FeedbackList {
  const answered = of.flatMap(({ id, feedback, symptoms, causes }) => {
    if (feedback === null) return [];
    const signs = [...symptoms, ...causes.flatMap((cause) => cause.evidence)];
    return [{ incident: id, feedback, shown: signs.filter(({ series }) => series !== "") }];
  });
  return {
    feedbacks: answered.map(({ incident, feedback, shown }) => ({
      incident,
      ...feedback,
      untilMs: feedback.atMs + 180 * 86_400_000,
      series: shown.length,
    })),
    series: answered.flatMap(({ feedback, shown }) =>
      shown.map(({ host: on, series, metric }) => ({
        host: on,
        series,
        metric,
        entityKind: metric.startsWith("process.") ? ("process" as const) : ("host" as const),
        useful: feedback.verdict === "useful" ? 1 : 0,
        noise: feedback.verdict === "noise" ? 1 : 0,
        factor: feedback.verdict === "noise" ? 1.25 : 0.9,
      })),
    ),
    kinds: [],
  };
}

const ready: Warmup = {
  collecting: 0,
  provisional: 0,
  ready: 431,
  readyAtMs: null,
  workdays: 431,
  restdays: 431,
};

export function hosts(scenario: Scenario, nowMs: number): Host[] {
  if (scenario === "empty") return [];
  const names = [
    "core-db-01",
    "core-db-02",
    host,
    "pay-01",
    "pay-02",
    "pay-03",
    "web-h5-05",
    "web-h5-06",
    "web-h5-07",
    "mq-01",
    "batch-01",
    "gw-01",
  ];
  const troubled = scenario === "incident" || scenario === "unidentified";
  return names.map((name, i): Host => {
    const silent = scenario === "blind" || (troubled && name === "web-h5-07");
    const young = name === "gw-01";
    return {
      host: name,
      agentId: `a-${(7919 * (i + 3)).toString(16)}`,
      agentVersion: name === "mq-01" ? "0.0.9" : "0.1.0",
      os: i % 3 === 0 ? "Red Hat Enterprise Linux 9.6" : "Kylin V10 SP3",
      state: silent ? "silent" : name === "batch-01" ? "stopped" : "up",
      firstSeenMs: nowMs - (young ? 14 * minute : 40 * 86_400_000),
      lastSeenMs: silent ? nowMs - 4 * minute : name === "batch-01" ? nowMs - 90 * minute : nowMs - 3000,
      intervalMs: 10_000,
      series: 431 + i * 17,
      warmup: young
        ? {
            collecting: 120,
            provisional: 214,
            ready: 96,
            readyAtMs: nowMs + 46 * minute,
            workdays: 0,
            restdays: 0,
          }
        : name === "pay-03"
          ? {
              collecting: 0,
              provisional: 61,
              ready: 370,
              readyAtMs: nowMs + 12 * minute,
              workdays: 291,
              restdays: 0,
            }
          : ready,
      anomalies: troubled && name === host ? 5 : 0,
      hostScore: young
        ? null
        : troubled && name === host
          ? {
              score: 2.31,
              unusual: {
                share: 0.16,
                metrics: [
                  "system.cpu.utilization system",
                  "system.disk.io write sda",
                  "system.network.packet.count receive bond0.storage",
                ],
              },
            }
          : { score: 0.4 + (i % 5) / 10, unusual: null },
      clockErrorMs: name === "pay-01" ? 94_000 : 0,
      forecasts: name === host ? forecasts(nowMs) : [],
      maintenance:
        name === "core-db-02" ? { untilMs: nowMs + 50 * minute, reason: "storage firmware" } : null,
    };
  });
}

function forecasts(nowMs: number): Forecast[] {
  const hour = 3_600_000;
  return [
    {
      series: "system.filesystem.utilization{system.filesystem.mountpoint=/archive}",
      metric: "system.filesystem.utilization",
      entity: `filesystem:${host}//archive`,
      unit: "1",
      what: "full",
      value: 0.81,
      likelyMs: nowMs + 9.5 * hour,
      earliestMs: nowMs + 8 * hour,
      latestMs: nowMs + 12 * hour,
      told: true,
    },
    {
      series: "process.memory.usage{process.pid=4711}",
      metric: "process.memory.usage",
      entity: `process:${host}/4711/java`,
      unit: "By",
      what: "full",
      value: 2.4e10,
      likelyMs: nowMs + 70 * hour,
      earliestMs: nowMs + 52 * hour,
      latestMs: nowMs + 110 * hour,
      told: false,
    },
  ];
}

export function system(scenario: Scenario, nowMs: number): SystemState {
  const all = hosts(scenario, nowMs);
  const up = all.filter(({ state }) => state === "up").length;
  return {
    nowMs,
    watermarkMs: nowMs - (up === 0 ? 4 * minute : 2400),
    hostsUp: up,
    hostsTotal: all.length,
    series: all.reduce((sum, { series }) => sum + series, 0),
    samplesPerSecond: up * 48.3,
    detectionLagMs: 38.4,
    warmup: {
      collecting: 120,
      provisional: 275,
      ready: 5_720,
      readyAtMs: nowMs + 46 * minute,
      workdays: 5_410,
      restdays: 0,
    },
    weakSignals: scenario === "calm" ? 3 : 0,
    feedbacks: 0,
    lostSamples: scenario === "incident" ? 1_862 : 0,
    version: "0.1.0",
  };
}

export function incidents(scenario: Scenario, startMs: number, nowMs: number): Incident[] {
  const past = [resolvedIncident(startMs)];
  if (scenario === "empty") return [];
  if (scenario === "incident") return [cpuIncident(startMs, nowMs), silentIncident(startMs, nowMs), ...past];
  return scenario === "unidentified" ? [unidentifiedIncident(startMs, nowMs), ...past] : past;
}
