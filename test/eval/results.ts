/**
 * The page of results: ours beside what others are reported to reach, what we miss, and the command that gives it again.
 *
 * Nothing in it but the data and the code decides: no date, no duration, so that a change in it is a change in the product.
 */
import type { SetName } from "./data/series.ts";
import type { DetectionRun } from "./detection.ts";
import { type Figures, markdown, shown, type Table } from "./report.ts";
import {
  asdRivals,
  kpiRivals,
  nabOf31,
  type NabRival,
  nabRivals,
  nabWithoutFuture,
  type Rival,
  smdRivals,
  wsdRivals,
} from "./rivals.ts";

const titles: Readonly<Record<SetName, string>> = {
  nab: "NAB",
  kpi2018: "KPI 2018",
  wsd: "WSD",
  smd: "SMD",
  asd: "ASD",
};

export function resultsPage(run: DetectionRun, command: string): string {
  const lines = [
    "# Detection on public data",
    "",
    "Written by the evaluation itself; `test/eval/README.md` says what each figure means and how it can be fooled.",
    "",
    "```",
    command,
    "```",
    "",
    "The detector has one configuration for all sets. It sees one row at a time, in order: neither the length nor the range of",
    "a series, nor labels. **Look-ahead** is whatever of a series a detector is given before it judges its first row: NAB hands each",
    "one the smallest and largest value of the whole file, the future included. Ours ignores it; who uses it is marked below.",
    "Thresholds are those that the training halves chose, or the shipped constant; only NAB, by its own rule, sweeps over the very",
    "files, and the point F1 of hosts is each machine's best, as in the literature.",
  ];
  for (const [name, report] of run.sets) {
    lines.push("", `## ${titles[name]}`, "", `${report.what}.`, "");
    for (const table of besides(name, run.figures)) lines.push(...markdown(table), "");
    lines.push(...markdown(allFigures(report.figures, run.figures)));
    for (const table of report.misses) {
      const rows =
        table.rows.length > 0 ? table.rows : [table.head.map((_, column) => (column === 0 ? "none" : ""))];
      lines.push("", ...markdown({ ...table, title: `**${table.title}**`, rows }));
    }
  }
  return `${lines.join("\n")}\n`;
}

function besides(name: SetName, figures: DetectionRun["figures"]): Table[] {
  switch (name) {
    case "nab":
      return nabTables(figures);
    case "kpi2018":
      return [rivalTable(kpiRivals, figures)];
    case "wsd":
      return [rivalTable(wsdRivals, figures)];
    case "smd":
      return [rivalTable(smdRivals, figures)];
    case "asd":
      return [rivalTable(asdRivals, figures)];
  }
}

const profiles = ["nab.standard", "nab.low_fp", "nab.low_fn"] as const;

function nabTables(figures: DetectionRun["figures"]): Table[] {
  const [own] = figures.values();
  const head = [
    "detector",
    "standard",
    "low FP",
    "low FN",
    "windows hit",
    "false rows",
    "look-ahead",
    "source",
  ];
  const ours = [...figures].map(([judge, found]) => [
    `**${judge}**`,
    ...profiles.map((key) => tenths(found[key])),
    counted(found["nab.windows_hit"]),
    counted(found["nab.false_rows"]),
    "none",
    "this run",
  ]);
  const nobodies = ["blind", "random", "null"].map((nobody) => [
    nobody === "blind" ? "an alarm every 400 rows, blind" : nobody,
    ...profiles.map((key) => tenths(own![`${key}.${nobody}`])),
    "",
    "",
    "none",
    "this run",
  ]);
  const row = ({
    name,
    figures: theirs,
    windowsHit,
    falseRows,
    lookAhead,
    origin,
    source,
  }: NabRival): string[] => [
    name,
    ...profiles.map((key) => tenths(theirs[key])),
    counted(windowsHit),
    counted(falseRows),
    lookAhead,
    `${origin}: ${source}`,
  ];
  const windows = own!["nab.windows"];
  const isWhole = windows === 116;
  return [
    {
      title: "**This run**",
      head,
      rows: [...ours, ...nobodies, ...(windows === 57 ? nabOf31.map(row) : [])],
    },
    {
      title: isWhole
        ? "**Others, on the same files**"
        : "**Others, on all 58 files and 116 windows: not this run's files, so not its scale**",
      head,
      rows: [...nabRivals, ...nabWithoutFuture].map(row),
    },
  ];
}

function tenths(value: number | undefined): string {
  return value === undefined ? "" : value.toFixed(1);
}

function counted(value: number | undefined): string {
  return value === undefined ? "" : `${value}`;
}

function rivalTable(rivals: readonly Rival[], figures: DetectionRun["figures"]): Table {
  const [own] = figures.values();
  const keys = [...new Set(rivals.flatMap((rival) => Object.keys(rival.figures)))];
  const rows: string[][] = [];
  for (const key of keys) {
    for (const [judge, found] of figures) rows.push([key, `**${judge}**`, shown(found[key]), "this run"]);
    const chance = own![`${key}.random`];
    if (chance !== undefined && !figures.has("random")) rows.push([key, "random", shown(chance), "this run"]);
    for (const rival of rivals) {
      const theirs = rival.figures[key];
      if (theirs !== undefined)
        rows.push([key, rival.name, shown(theirs), `${rival.origin}: ${rival.source}`]);
    }
  }
  return { title: "", head: ["figure", "detector", "value", "source"], rows };
}

function allFigures(own: Figures, figures: DetectionRun["figures"]): Table {
  const judges = [...figures.keys()];
  return {
    title: "**All figures of this run**",
    head: ["figure", ...judges],
    rows: Object.keys(own).map((key) => [key, ...judges.map((judge) => shown(figures.get(judge)![key]))]),
  };
}
