/**
 * Scenarios: incidents told in the field's own language, in the manner of Prometheus' promqltest.
 *
 * ```
 * # What happens, in a sentence.
 * topology web -> payments -> core-db
 * load 10s
 *   latency_seconds{service="core-db"}  0.04~0.005 x60  0.40~0.02 x30
 * expect no incident before 10m
 * expect incident by 10m30s root core-db touches payments
 * expect resolved by 20m
 * expect incidents 1
 * ```
 *
 * A series belongs to the host of its label `host`, else `service`, else "host"; those two labels are not part of it. Values:
 * `level~noise xCOUNT` is COUNT ticks of level plus uniform noise of at most `noise`; `a..b xCOUNT` goes from a to b; `_ xCOUNT` is
 * absent. `counter` before the values makes them rates per second of a growing total. Noise comes from one seed.
 *
 * About hosts: `addresses web-01 10.1.7.11`; `left web-01 bye at 10m` (or closed, timeout) ends its connection; `gone after 2h` counts
 * a host that was not heard for so long as gone, and `expect gone web-01 by 3h` wants that.
 *
 * About changes: `change rel-1 release service=core-db at 9m50s told 11m: new pool settings` is told at its own time unless it says when.
 * `expect incident by 12m root core-db action rel-1` wants that change named as what caused it, `... without action` wants none named;
 * `expect ruled out web by 12m` wants it said that this was looked at, `expect state flapping by 30m` wants the newest state.
 * `expect suppressed pay-01 by 16m` wants an incident of that host that a dead host's speaks for, `expect unsuppressed pay-01 by 20m` one
 * that it no longer speaks for.
 */
import { type Change, changeKinds, changeTargets } from "#shared/contract/change.ts";
import { type Incident, isOver } from "#shared/contract/incident.ts";
import { parseDuration } from "#shared/duration.ts";
import { canonicalLabels, type Series } from "#shared/series.ts";
import { type Chain, type ChainResult, createChain } from "#collector/chain.ts";
import { type ConnectionEnd, usualPolicy } from "#collector/detect/detect.ts";
import { Past } from "./past.ts";

/** An arbitrary Monday, 00:00 UTC; scenario times count from here. */
export const epochMs = Date.UTC(2026, 0, 5);
const tickEveryMs = 2_000;

interface Load {
  readonly intervalMs: number;
  readonly rows: readonly Row[];
}

interface Row {
  readonly host: string;
  readonly series: Series;
  readonly values: Float64Array;
}

export interface Expectation {
  readonly line: number;
  readonly text: string;
}

interface Left {
  readonly host: string;
  readonly end: ConnectionEnd;
  readonly atMs: number;
}

interface ToldChange {
  readonly change: Change;
  readonly toldMs: number;
}

export interface Scenario {
  readonly edges: readonly (readonly [string, string])[];
  readonly loads: readonly Load[];
  readonly expectations: readonly Expectation[];
  readonly addresses: readonly (readonly [host: string, addresses: readonly string[]])[];
  readonly lefts: readonly Left[];
  readonly changes: readonly ToldChange[];
  /** As shipped when it is null. */
  readonly hostGoneMs: number | null;
}

export interface Played {
  readonly chain: Chain;
  /** Every state that every incident was in, in order, with the scenario time at which it was told. */
  readonly told: readonly { readonly atMs: number; readonly incident: Incident }[];
  readonly gone: readonly { readonly atMs: number; readonly host: string }[];
}

/** Throws an Error that names the line for anything it cannot read. */
export function parseScenario(text: string, seed = 1): Scenario {
  const random = mulberry32(seed);
  const edges: [string, string][] = [];
  const loads: { intervalMs: number; rows: Row[] }[] = [];
  const expectations: Expectation[] = [];
  const addresses: [string, string[]][] = [];
  const lefts: Left[] = [];
  const changes: ToldChange[] = [];
  let hostGoneMs: number | null = null;
  for (const [index, whole] of text.split("\n").entries()) {
    const line = whole.replace(/(^|\s)#.*$/, "").trimEnd();
    if (line.trim() === "") continue;
    const words = line.trim().split(/\s+/);
    if (words[0] === "topology") edges.push(...edgesOf(words.slice(1)));
    else if (words[0] === "load")
      loads.push({ intervalMs: parseDuration(words[1] ?? "", `line ${index + 1}: load`), rows: [] });
    else if (words[0] === "addresses") addresses.push([words[1] ?? "", words.slice(2)]);
    else if (words[0] === "left") lefts.push(leftOf(words, index + 1));
    else if (words[0] === "change") changes.push(changeOf(line.trim(), index + 1));
    else if (words[0] === "gone") hostGoneMs = parseDuration(words[2] ?? "", `line ${index + 1}: gone after`);
    else if (words[0] === "expect") expectations.push({ line: index + 1, text: words.slice(1).join(" ") });
    else if (/^\s/.test(line) && loads.length > 0)
      loads.at(-1)!.rows.push(rowOf(line.trim(), index + 1, random));
    else
      throw new Error(
        `line ${index + 1}: want topology, addresses, left, change, gone, load, expect or an indented series, got ${JSON.stringify(line)}`,
      );
  }
  return { edges, loads, expectations, addresses, lefts, changes, hostGoneMs };
}

function leftOf([, host = "", end = "", , at = ""]: readonly string[], line: number): Left {
  if (end !== "bye" && end !== "closed" && end !== "timeout")
    throw new Error(
      `line ${line}: want left HOST bye, closed or timeout at TIME, got ${JSON.stringify(end)}`,
    );
  return { host, end, atMs: parseDuration(at, `line ${line}: left`) };
}

function changeOf(line: string, lineNumber: number): ToldChange {
  const match = /^change (\S+) (\w+) (\w+)=(\S+) at (\w+)(?: told (\w+))?: (.*)$/.exec(line);
  const [, id = "", kindName, ofName, name = "", at = "", told = at, title = ""] = match ?? [];
  const kind = changeKinds.find((one) => one === kindName);
  const of = changeTargets.find((one) => one === ofName);
  if (kind === undefined || of === undefined)
    throw new Error(
      `line ${lineNumber}: want change ID KIND service|host|entity=NAME at TIME [told TIME]: TITLE, got ${JSON.stringify(line)}`,
    );
  const atMs = epochMs + parseDuration(at, `line ${lineNumber}: change`);
  const toldMs = parseDuration(told, `line ${lineNumber}: change told`);
  return { change: { id, kind, atMs, title, target: { of, name }, by: "", link: "" }, toldMs };
}

function edgesOf(words: readonly string[]): [string, string][] {
  const names = words.filter((word) => word !== "->");
  return names.slice(1).map((name, index) => [names[index]!, name]);
}

function rowOf(line: string, lineNumber: number, random: () => number): Row {
  const match = /^([\w.:]+)(?:\{([^}]*)\})?\s+(.*)$/.exec(line);
  if (match === null)
    throw new Error(`line ${lineNumber}: want metric{label="value"} values, got ${JSON.stringify(line)}`);
  const [, metric = "", labelText = "", valueText = ""] = match;
  const labels = [...labelText.matchAll(/([\w.]+)="([^"]*)"/g)].map(
    ([, name = "", value = ""]) => [name, value] as const,
  );
  const host =
    (labels.find(([name]) => name === "host") ?? labels.find(([name]) => name === "service"))?.[1] ?? "host";
  const counter = valueText.startsWith("counter ");
  const own = canonicalLabels(labels.filter(([name]) => name !== "host" && name !== "service"));
  const unit = /_seconds$|\.time$/.test(metric) ? "s" : /_bytes$|\.usage$|\.io$/.test(metric) ? "By" : "1";
  const series: Series = {
    metric,
    unit,
    instrument: counter ? "counter" : "gauge",
    decimals: 4,
    labels: own,
  };
  return { host, series, values: valuesOf(valueText.replace(/^counter /, ""), lineNumber, random) };
}

function valuesOf(text: string, lineNumber: number, random: () => number): Float64Array {
  const values: number[] = [];
  for (const [, what = "", count = ""] of text.matchAll(/(\S+)\s+x(\d+)/g)) {
    const match = /^(?:(_)|(-?[\d.]+)(?:\.\.(-?[\d.]+))?(?:~([\d.]+))?)$/.exec(what);
    if (match === null)
      throw new Error(`line ${lineNumber}: want level~noise, from..to or _, got ${JSON.stringify(what)}`);
    const [, absent, from = "0", to, noise = "0"] = match;
    const ticks = Number(count);
    for (let index = 0; index < ticks; index += 1) {
      const level =
        to === undefined ? Number(from) : Number(from) + ((Number(to) - Number(from)) * index) / ticks;
      values.push(absent === "_" ? Number.NaN : level + Number(noise) * (2 * random() - 1));
    }
  }
  if (values.length === 0) throw new Error(`line ${lineNumber}: no values`);
  return Float64Array.from(values);
}

/** Plays a scenario through a fresh chain. */
export function play(scenario: Scenario): Played {
  const { hostGoneMs, addresses, lefts, changes } = scenario;
  const chain = createChain(hostGoneMs === null ? {} : { policy: { ...usualPolicy, hostGoneMs } });
  const told: { atMs: number; incident: Incident }[] = [];
  const gone: { atMs: number; host: string }[] = [];
  const past = new Past();
  const tell = ({ incidents, departures }: ChainResult): void => {
    const atMs = chain.nowMs() - epochMs;
    for (const incident of incidents) told.push({ atMs, incident });
    for (const { host, what } of departures) if (what === "gone") gone.push({ atMs, host });
    for (const request of chain.wanted())
      tell(chain.apply({ kind: "history", id: request.id, histories: past.of(request) }));
  };
  for (const [host, own] of addresses) chain.apply({ kind: "addresses", host, addresses: own });
  for (const [caller, callee] of scenario.edges) chain.topology.declare(caller, callee);
  for (const load of scenario.loads) {
    const hosts = Map.groupBy(load.rows, ({ host }) => host);
    for (const [host, rows] of hosts) {
      for (const [number, { series }] of rows.entries()) {
        past.define(host, number, series);
        chain.apply({ kind: "define", host, number, series });
      }
    }
    const ticks = Math.max(...load.rows.map(({ values }) => values.length));
    const totals = new Map<Row, number>();
    for (let tick = 0; tick < ticks; tick += 1) {
      const timeMs = epochMs + tick * load.intervalMs;
      for (let nowMs = timeMs; nowMs < timeMs + load.intervalMs; nowMs += tickEveryMs) {
        for (const { host, end, atMs } of lefts) {
          const due = atMs >= nowMs - epochMs && atMs < nowMs - epochMs + tickEveryMs;
          if (due) tell(chain.apply({ kind: "left", host, end, nowMs }));
        }
        for (const { change, toldMs } of changes) {
          const due = toldMs >= nowMs - epochMs && toldMs < nowMs - epochMs + tickEveryMs;
          if (due) tell(chain.apply({ kind: "changes", changes: [change], nowMs }));
        }
        tell(chain.apply({ kind: "tick", nowMs }));
        if (nowMs > timeMs) continue;
        for (const [host, rows] of hosts) {
          const values = Float64Array.from(rows, (row) => valueAt(row, tick, load.intervalMs, totals));
          if (values.every(Number.isNaN)) continue;
          const series = Uint32Array.from(rows.keys());
          const batch = { host, timeMs, intervalMs: load.intervalMs, series, values };
          past.add(batch);
          tell(chain.apply({ kind: "batch", batch }));
        }
      }
    }
  }
  return { chain, told, gone };
}

function valueAt(row: Row, tick: number, intervalMs: number, totals: Map<Row, number>): number {
  const value = row.values[tick] ?? Number.NaN;
  if (row.series.instrument === "gauge" || Number.isNaN(value)) return value;
  const total = (totals.get(row) ?? 0) + Math.max(0, value) * (intervalMs / 1000);
  totals.set(row, total);
  return total;
}

/** What the scenario expected and did not get, a sentence each; [] when all came true. */
export function unmet(scenario: Scenario, played: Played): string[] {
  return scenario.expectations.flatMap(({ line, text }) => {
    const problem = check(text, played);
    return problem === null ? [] : [`line ${line}: expect ${text}: ${problem}`];
  });
}

function check(text: string, { told, gone }: Played): string | null {
  const time = (after: string) => new RegExp(`${after} (\\S+)`).exec(text)?.[1];
  const durationOf = (after: string) => parseDuration(time(after) ?? "", text);
  if (text.startsWith("no incident")) {
    const beforeMs = text.includes("before") ? durationOf("before") : Number.POSITIVE_INFINITY;
    const early = told.find(({ atMs, incident }) => atMs < beforeMs && incident.severity !== "info");
    return early === undefined ? null : `${early.incident.id} was told at ${early.atMs / 1000} s`;
  }
  if (text.startsWith("incidents ")) {
    const ids = new Set(told.map(({ incident }) => incident.id));
    return ids.size === Number(text.split(" ")[1]) ? null : `got ${ids.size}: ${[...ids].join(", ")}`;
  }
  if (text.startsWith("gone ")) {
    const found = gone.find(({ host }) => host === text.split(" ")[1]);
    if (found === undefined) return "it is not gone";
    return found.atMs <= durationOf("by") ? null : `gone at ${found.atMs / 1000} s`;
  }
  if (text.startsWith("state ")) {
    const state = told.filter(({ atMs }) => atMs <= durationOf("by")).at(-1)?.incident.state;
    return state === text.split(" ")[1] ? null : `it is ${state ?? "not told"}`;
  }
  if (/^(?:un)?suppressed /.test(text)) {
    const [kind, host = ""] = text.split(" ");
    const heard = told.filter(
      ({ atMs, incident }) => atMs <= durationOf("by") && incident.hosts.includes(host),
    );
    const last = new Map(heard.map(({ incident }) => [incident.id, incident]));
    const was = new Set(
      heard.filter(({ incident }) => incident.suppressedBy !== null).map(({ incident }) => incident.id),
    );
    const found = [...last.values()].some(
      ({ id, suppressedBy }) => was.has(id) && (suppressedBy !== null) === (kind === "suppressed"),
    );
    return found ? null : "no incident of this host is";
  }
  if (text.startsWith("ruled out ")) {
    const story = told.filter(({ atMs }) => atMs <= durationOf("by")).at(-1)?.incident.story;
    const out = (story?.ruledOut ?? []).map(({ what }) => what);
    const named = out.some((what) => what.split(/[:/]/).includes(text.split(" ")[2] ?? ""));
    return named ? null : `ruled out: ${out.join(", ") || "nothing"}`;
  }
  if (text.startsWith("resolved by")) {
    const byMs = durationOf("by");
    const last = new Map(
      told.filter(({ atMs }) => atMs <= byMs).map(({ incident }) => [incident.id, incident]),
    );
    const open = [...last].filter(([, incident]) => !isOver(incident));
    return open.length === 0 && last.size > 0
      ? null
      : `not resolved: ${open.map(([id]) => id).join(", ") || "no incident"}`;
  }
  if (text.startsWith("incident by")) {
    const byMs = durationOf("by");
    const incident = told.filter(({ atMs }) => atMs <= byMs).at(-1)?.incident;
    if (incident === undefined) return "none was told";
    const root = time("root");
    const cause = incident.causes[0];
    const named = cause !== undefined && cause.entity.split(/[:/]/).includes(root ?? "");
    if (root !== undefined && !named) return `root is ${cause?.entity ?? "not identified"}`;
    const action = text.includes("without action") ? undefined : time("action");
    const wantsAction = action !== undefined || text.includes("without action");
    if (wantsAction && cause?.action !== action) return `its action is ${cause?.action ?? "none"}`;
    const missing =
      text
        .split(/ touches /)[1]
        ?.split(/[ ,]+/)
        .filter((name) => !touches(incident, name)) ?? [];
    return missing.length === 0 ? null : `does not touch ${missing.join(", ")}`;
  }
  return "this expectation is not known";
}

function touches(incident: Incident, name: string): boolean {
  return incident.entities.some((entity) => entity.host === name || entity.name.split("/").includes(name));
}

/** Mulberry32: a small seeded generator, uniform in [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4294967296;
  };
}
