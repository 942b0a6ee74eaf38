/** The section of the drill-down on the page of results: ours beside others, and what we miss. Nothing in it depends on the machine. */
import type { DrillRun } from "../drill-down.ts";
import { type Figures, markdown, type Table } from "../report.ts";
import { type Answer, keyOf } from "./figures.ts";
import { publishedShares, publishedVolumes } from "./published.ts";

export function tableOf(
  what: "shares" | "volumes",
  prefix: string,
  answers: ReadonlyMap<string, readonly Answer[]>,
  figures: Figures,
): Table {
  const rows = [...answers.keys()].map((name, number) => {
    const key = keyOf(prefix, name, number);
    const ms = `${figures[`${key}.p50_ms`]!.toFixed(2)} / ${figures[`${key}.p99_ms`]!.toFixed(2)}`;
    return [name, withInterval(figures, `${key}.top1`), withInterval(figures, `${key}.f1`), ms];
  });
  return { title: "", head: [what, "top 1, exact", "F1", "ms, median / p99"], rows };
}

function withInterval(figures: Figures, key: string): string {
  const [value, low, high] = [key, `${key}_low`, `${key}_high`].map((one) => figures[one]!.toFixed(3));
  return `${value} [${low}, ${high}]`;
}

export function drillPage({ shares, volumes, figures }: DrillRun): string {
  const withoutMs = ({ title, head, rows }: Table): Table => ({
    title,
    head: [...head.slice(0, 3), "source"],
    rows: rows.map((row) => [`**${row[0]!}**`, row[1]!, row[2]!, "this run"]),
  });
  const sharesTable = withoutMs(tableOf("shares", "drilldown", shares, figures));
  const volumesTable = withoutMs(tableOf("volumes", "drilldown.volume", volumes, figures));
  const lines = [
    "# Drill-down on public data",
    "",
    "Which combination of attributes is a failure about? Written by the evaluation itself; `test/eval/README.md` says what each figure means.",
    "",
    "```",
    "npm run eval -- drill-down --data DIR",
    "```",
    "",
    "One configuration for all cases. Each case is one minute of counts by attributes, beside the calmer half of the minutes before. In",
    "brackets: 95 % of 2,000 bootstraps over cases.",
    "",
    "## Shares of failures",
    "",
    `RobustSpot's cases of a video service, ${figures["drilldown.cases"]} of them in this run. What others reach is on all 135.`,
    "",
    ...markdown({ ...sharesTable, rows: [...sharesTable.rows, ...publishedShares] }),
    "",
    "**Missed first, or not named at all**",
    "",
    ...markdown(missesOf(shares.values().next().value!)),
    "",
    "## Volumes",
    "",
    `Made by code after the recipe of RiskLoc's data S (48,000 leaves), ${figures["drilldown.volume.cases"]} cases; not the same cases as others'.`,
    "",
    ...markdown({ ...volumesTable, rows: [...volumesTable.rows, ...publishedVolumes] }),
  ];
  return `${lines.join("\n")}\n`;
}

function missesOf(answers: readonly Answer[]): Table {
  const rows = answers
    .filter(
      ({ guilty, named }) => !guilty.includes(named[0] ?? "") || guilty.some((one) => !named.includes(one)),
    )
    .map(({ id, guilty, named }) => [
      id,
      guilty.join(" or "),
      named.length === 0 ? "nothing" : named.join(", then "),
    ]);
  return { title: "", head: ["case", "guilty", "named"], rows: rows.length > 0 ? rows : [["none", "", ""]] };
}
