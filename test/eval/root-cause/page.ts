/** The section of the page of results that root causes have: ours beside the same run's baselines and what others report, and misses. */
import { causeConfidenceMin } from "#shared/contract/incident.ts";
import { reliability } from "../figures/ranking.ts";
import { type Figures, markdown, shown, type Table } from "../report.ts";
import { clockErrorsS } from "./evaluate.ts";
import { published } from "./published.ts";
import { product } from "./rankers.ts";
import { type RootCauseRun, statedOf, type SystemReport } from "./run.ts";

const measures = ["ac1", "ac3", "avg5"] as const;

export function page(run: RootCauseRun, command: string): string {
  const lines = [
    "# Root causes on public data",
    "",
    "Written by the evaluation itself; `test/eval/README.md` says what each figure means.",
    "",
    "```",
    command,
    "```",
    "",
    "Faults were injected on purpose, so who is to blame is known. One configuration for all systems, which are never pooled. AC@k: the",
    "guilty entity is among the first k. Visible: faults that some metric shows; faults in code that only logs or spans show are in",
    "**all**. Clock: the trouble is noticed so many seconds after it began. Intervals are 95 %, by bootstrap over cases.",
  ];
  for (const [system, report] of run.systems) {
    lines.push(
      "",
      `## ${system}`,
      "",
      `${report.cases} cases.`,
      "",
      ...markdown(systemTable(system, report)),
    );
    lines.push("", ...markdown(clockTable(system, report)));
    if (system in published) lines.push("", ...markdown(publishedTable(system)));
    const misses = missesOf(report);
    const none = [misses.head.map((_, column) => (column === 0 ? "none" : ""))];
    lines.push("", ...markdown({ ...misses, rows: misses.rows.length > 0 ? misses.rows : none }));
  }
  lines.push("", "## How sure", "");
  lines.push(
    `Confidence is calibrated on these very cases (\`collector/correlate/causes/calibration.ts\`). Below ${causeConfidenceMin} no cause is named.`,
  );
  for (const table of confidenceTable(run)) lines.push("", ...markdown(table));
  return `${lines.join("\n")}\n`;
}

/** Bold titles are for markdown; a terminal shows them as they are. */
export function systemTable(system: string, { figures }: SystemReport): Table {
  const rows: string[][] = [];
  for (const [part, name] of [
    [system, "all"],
    [`${system}.visible`, "visible"],
    [`${system}.metric`, "metric"],
  ] as const) {
    for (const [ranker, found] of figures) {
      const cases = found[`${part}.cases`];
      if (cases === undefined) continue;
      const interval = `${shown(found[`${part}.ac1.low`])} - ${shown(found[`${part}.ac1.high`])}`;
      rows.push([
        name,
        ranker,
        `${cases}`,
        ...measures.map((measure) => shown(found[`${part}.${measure}`])),
        interval,
      ]);
    }
  }
  return { title: "", head: [system, "ranker", "cases", "AC@1", "AC@3", "Avg@5", "AC@1, 95 %"], rows };
}

function clockTable(system: string, { figures }: SystemReport): Table {
  const keys = [system, `${system}.visible`, `${system}.metric`];
  const rows = [...figures].flatMap(([ranker, found]) =>
    keys
      .filter((key) => `${key}.ac1` in found)
      .map((key) => [ranker, key, ...clockErrorsS.map((errorS) => shown(atClock(found, key, errorS)))]),
  );
  const head = ["ranker", "AC@1 of", ...clockErrorsS.map((errorS) => `${errorS} s`)];
  return { title: "**When the trouble is noticed late**", head, rows };
}

function atClock(found: Figures, key: string, errorS: number): number | undefined {
  return errorS === 0 ? found[`${key}.ac1`] : found[`${key}.ac1.clock${errorS > 0 ? "+" : ""}${errorS}s`];
}

function publishedTable(system: string): Table {
  return {
    title: "**Others, on all cases of the system: not this run's cases, so an anchor and no race**",
    head: ["method", "AC@1", "AC@3", "Avg@5", "source"],
    rows: published[system]!.map(({ name, origin, source, figures }) => [
      name,
      ...measures.map((measure) => (figures[measure] === undefined ? "" : shown(figures[measure]))),
      `${origin}: ${source}`,
    ]),
  };
}

export function missesOf({ outcomes }: SystemReport): Table {
  const rows = outcomes
    .filter(({ place, metricPlace, visible }) => place !== 1 || (visible && metricPlace !== 1))
    .map(({ id, fault, truth, place, metricPlace, visible, first, confidence }) => [
      id,
      fault,
      truth,
      placeText(place),
      visible ? placeText(metricPlace) : "",
      first ?? "nothing",
      confidence === undefined ? "" : confidence.toFixed(2),
    ]);
  const head = ["case", "fault", "guilty", "rank", "rank of the metric", "ranked first", "confidence"];
  return { title: "**Misses**", head, rows };
}

function placeText(place: number): string {
  return Number.isFinite(place) ? `${place}` : "none";
}

export function confidenceTable(run: RootCauseRun): Table[] {
  const systems = [...run.systems];
  const stated = systems.flatMap(([, { outcomes }]) => statedOf(outcomes));
  const bins = reliability(stated).map(({ from, to, count, stated: said, right }) => [
    `${from} - ${to}`,
    `${count}`,
    said.toFixed(2),
    right.toFixed(2),
  ]);
  const rows = systems.map(([system]) => [
    system,
    ...["named", "named.right", "quiet.named", "confidence.brier"].map((key) =>
      shown(run.figures[`${system}.${key}`]),
    ),
  ]);
  return [
    {
      title: `**What ${product.name} says, and how often it is right, over all systems**`,
      head: ["confidence", "cases", "said", "right"],
      rows: bins,
    },
    {
      title: "**Causes that are named**",
      head: ["system", "named", "right of those", "named where nothing is wrong", "Brier score"],
      rows,
    },
  ];
}
