/**
 * Who may import whom. These tables are the architecture: a new arrow is one line here, with its reason, in the same commit.
 */
import {
  filesOf,
  importsOf,
  isSource,
  matchesOf,
  packageOf,
  type Problem,
  type Rule,
  scan,
  type Tree,
} from "./tree.ts";

/**
 * A room is a folder, or one file with rights of its own; `collector` without a stage is the files directly in `collector/`. Every room may import itself and what
 * stands behind it here. The longest name that fits a path is its room.
 */
const rooms: ReadonlyMap<string, readonly string[]> = new Map([
  ["shared", []],
  ["agent", ["shared"]],
  ["agent/collect", ["shared"]],
  ["agent/send", ["shared"]],
  ["collector", ["shared"]],
  // The way of a sample from the journal on, as one pure function; the only place where these five meet.
  [
    "collector/chain.ts",
    [
      "shared",
      "collector/topology",
      "collector/detect",
      "collector/changes",
      "collector/correlate",
      "collector/incident",
      "collector/transactions",
    ],
  ],
  ["collector/ingest", ["shared", "collector/ingest/decode"]],
  ["collector/ingest/decode", ["shared"]],
  ["collector/journal", ["shared"]],
  ["collector/topology", ["shared"]],
  ["collector/detect", ["shared"]],
  ["collector/changes", ["shared"]],
  ["collector/correlate", ["shared"]],
  ["collector/correlate/drilldown", ["shared"]],
  // The cube of transactions answers by the drill-down, which is a pure function of counts and knows no more than shared.
  ["collector/transactions", ["shared", "collector/correlate/drilldown"]],
  ["collector/incident", ["shared"]],
  // What the operator set becomes what detection and topology are told: the one impure neighbour of their types.
  ["collector/policy", ["shared", "collector/detect", "collector/topology"]],
  ["collector/store", ["shared"]],
  ["collector/push", ["shared"]],
  ["collector/notify", ["shared"]],
  ["collector/self", ["shared"]],
  ["collector/console", ["shared"]],
  ["deploy", ["shared"]],
]);

/** Files that put the stages together: they import every room of their side. */
const assemblers: readonly { readonly place: string; readonly reason: string }[] = [
  { place: "agent/agent.ts", reason: "the whole agent on one screen" },
  { place: "agent/main.ts", reason: "picks clock, files and transport" },
  { place: "collector/collector.ts", reason: "the whole collector on one screen" },
  { place: "collector/main.ts", reason: "picks adapters" },
  {
    place: "collector/commands.ts",
    reason: "an operator's command, from the API through the journal to its answer",
  },
  { place: "collector/follow.ts", reason: "what happens to one journal record, from stage to stage" },
];

interface Arrow {
  readonly from: string;
  readonly to: string;
  readonly typesOnly?: true;
  readonly reason: string;
}

/** Single arrows that the rooms do not allow; `from` is a file or a room, `to` a file or a room. */
const arrows: readonly Arrow[] = [
  {
    from: "agent/exposition.ts",
    to: "agent/collect/recorder.ts",
    typesOnly: true,
    reason: "shows the last tick of the recorder that is passed in",
  },
  {
    from: "collector/config.ts",
    to: "collector/policy",
    reason: "the schema of detection's settings, a section of the collector's",
  },
  {
    from: "collector/view.ts",
    to: "collector/journal/journal.ts",
    typesOnly: true,
    reason: "passes on the journal that is passed in",
  },
  {
    from: "collector/history.ts",
    to: "collector/journal/journal.ts",
    typesOnly: true,
    reason: "a stretch of the past is a range of the journal that is passed in",
  },
  {
    from: "collector/view.ts",
    to: "collector/store/store.ts",
    typesOnly: true,
    reason: "the ledger and the incidents of the store that is passed in",
  },
  {
    from: "collector/self",
    to: "collector/ingest/counters.ts",
    reason: "the metrics behind the counters that the doors ask for; the doors' words are the labels' values",
  },
  {
    from: "collector/ingest",
    to: "collector/journal/journal.ts",
    reason: "what was admitted is appended; the journal itself is passed in, its entries are made here",
  },
  {
    from: "agent/send",
    to: "agent/collect/recorder.ts",
    typesOnly: true,
    reason: "frames are made from the recorder's columns; the recorder itself is passed in",
  },
  {
    from: "collector/push",
    to: "collector/store/store.ts",
    typesOnly: true,
    reason: "push sends the store's deltas; the store itself is passed in",
  },
  {
    from: "collector/push",
    to: "collector/self/metrics.ts",
    typesOnly: true,
    reason: "the typed names of our own metrics; the metrics themselves are passed in",
  },
  {
    from: "collector/push",
    to: "collector/self/http-labels.ts",
    typesOnly: true,
    reason: "the typed names of our own metrics; the metrics themselves are passed in",
  },
];

/** Must give the same for the same samples: no clock, no chance, no environment, no module of Node. */
const pureRooms = [
  "collector/chain.ts",
  "collector/detect/",
  "collector/changes/",
  "collector/correlate/",
  "collector/incident/",
  "collector/topology/",
  "collector/transactions/",
  "collector/ingest/decode/",
  "collector/ingest/otlp/",
  "collector/ingest/held-ticks.ts",
  "shared/",
];

/** The parts of `shared` that touch the world. A pure file may import types from them and nothing else. */
const impureShared = [
  "shared/clock.ts",
  "shared/frame-log.ts",
  "shared/frame-log-file.ts",
  "shared/config-file.ts",
  "shared/config-parts.ts",
];

export function isPure(path: string): boolean {
  return pureRooms.some((room) => path.startsWith(room)) && !impureShared.includes(path);
}

const openTelemetry: { readonly places: readonly string[]; readonly reason: string } = {
  places: ["collector/self/tracing.ts", "deploy/demo/kit/telemetry.ts"],
  reason:
    "the collector's traces of itself; and the demonstration's services, which are programs of their own",
};

/** Where an npm package may be imported, if not in one file only. */
const packagePlaces: ReadonlyMap<string, { readonly places: readonly string[]; readonly reason: string }> =
  new Map([
    [
      "ws",
      {
        places: ["collector/ingest/agent-socket.ts", "collector/push/push.ts"],
        reason: "one for agents, one for consoles; the agent has a client of its own, for memory",
      },
    ],
    ["@opentelemetry/api", openTelemetry],
    ["@opentelemetry/sdk-node", openTelemetry],
    ["preact", { places: ["collector/console/"], reason: "every component is written in it" }],
    [
      "vite",
      {
        places: ["collector/console/vite.config.ts", "deploy/build-console.ts"],
        reason: "its configuration and its start",
      },
    ],
    ["zod", { places: ["shared/contract/"], reason: "the schemas are the contract" }],
  ]);

export function roomOf(path: string): string | null {
  let best: string | null = null;
  for (const room of rooms.keys()) {
    if ((path === room || path.startsWith(`${room}/`)) && room.length > (best?.length ?? 0)) best = room;
  }
  return best;
}

export interface ArrowTables {
  readonly arrows: readonly Arrow[];
}

export function forbiddenArrows(tree: Tree, tables: ArrowTables = { arrows }): Problem[] {
  const problems: Problem[] = [];
  for (const [path, text] of filesOf(tree, isSource)) {
    for (const { target, line, typesOnly } of importsOf(path, text)) {
      if (packageOf(target, tree) !== null || target.startsWith("node:")) continue;
      if (!isAllowed(path, target, typesOnly, tables.arrows)) {
        problems.push(
          `${path}:${line}: imports ${target}, an arrow that test/tidy/arrows.ts does not have; pass it in as an argument, move ` +
            `what both need to shared/, or add the arrow with its reason`,
        );
      }
    }
  }
  return problems;
}

function isAllowed(path: string, target: string, typesOnly: boolean, extra: readonly Arrow[]): boolean {
  const from = roomOf(path);
  const to = roomOf(target);
  if (from === null || to === null) return false;
  if (from === to || rooms.get(from)?.includes(to) === true) return true;
  if (
    assemblers.some(({ place }) => place === path) &&
    to.split("/")[0] === path.split("/")[0] &&
    to !== "collector/console"
  )
    return true;
  return extra.some(
    (arrow) =>
      (arrow.from === path || arrow.from === from) &&
      (arrow.to === target || arrow.to === to) &&
      (arrow.typesOnly !== true || typesOnly),
  );
}

export const unusedArrows: Rule = (tree) => {
  const imports = [...filesOf(tree, isSource)].flatMap(([path, text]) =>
    importsOf(path, text).map(({ target }) => ({ path, target })),
  );
  return arrows
    .filter(({ from, to }) => !imports.some(({ path, target }) => isIn(path, from) && isIn(target, to)))
    .map(
      ({ from, to }) => `test/tidy/arrows.ts: nothing needs the arrow ${from} -> ${to} any more; delete it`,
    );
};

function isIn(path: string, place: string): boolean {
  return path === place || roomOf(path) === place;
}

export const missingImports: Rule = (tree) =>
  [...filesOf(tree, (path) => isSource(path) || path.startsWith("test/"))].flatMap(([path, text]) => {
    if (!/\.tsx?$/.test(path)) return [];
    return importsOf(path, text)
      .filter(
        ({ target }) =>
          /^(?:agent|collector|shared|test|deploy)\//.test(target) && !target.includes("fixtures/"),
      )
      .filter(({ target }) => !tree.has(target))
      .map(({ target, line }) => `${path}:${line}: imports ${target}, which does not exist`);
  });

/** Words that read the clock, chance or the environment; looked for in code, not in comments or strings. */
const impureWords =
  /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|\bprocess\.|\bset(?:Timeout|Interval|Immediate)\b|\bperformance\.|\bcrypto\.|\bfetch\(|\btoLocale\w+|\bIntl\./g;

export const impurity: Rule = (tree) => {
  const problems: Problem[] = [];
  for (const [path, text] of filesOf(tree, (file) => isSource(file) && isPure(file))) {
    for (const { target, line, typesOnly } of importsOf(path, text)) {
      const banned = target.startsWith("node:") || (impureShared.includes(target) && !typesOnly);
      const name = packageOf(target, tree);
      const contract = name === "zod" && path.startsWith("shared/contract/");
      if (banned || (name !== null && !contract)) {
        problems.push(
          `${path}:${line}: a pure file imports ${target}; let the caller do that and pass the result in`,
        );
      }
    }
    for (const { line, match } of wordsOf(text, impureWords)) {
      problems.push(
        `${path}:${line}: a pure file uses ${match}; time, chance and settings come in as arguments`,
      );
    }
  }
  return problems;
};

function wordsOf(text: string, pattern: RegExp): { line: number; match: string }[] {
  return [...matchesOf(scan(text).bare, pattern)];
}

/** Each npm package is imported from one file, so that it can be replaced, and its failures met, in one place. */
export const packages: Rule = (tree) => {
  const users = new Map<string, string[]>();
  const problems: Problem[] = [];
  const listed = dependenciesOf(tree);
  for (const [path, text] of filesOf(tree, isSource)) {
    for (const { target, line } of importsOf(path, text)) {
      const name = packageOf(target, tree);
      if (name === null) continue;
      if (!listed.has(name))
        problems.push(`${path}:${line}: imports ${name}, which package.json does not list`);
      const places = packagePlaces.get(name)?.places;
      if (places !== undefined && !places.some((place) => path.startsWith(place))) {
        problems.push(`${path}:${line}: imports ${name}; only ${places.join(", ")} may`);
      }
      if (places === undefined) users.set(name, [...new Set([...(users.get(name) ?? []), path])]);
    }
  }
  for (const [name, paths] of users) {
    if (paths.length > 1)
      problems.push(`${name} is imported from ${paths.join(" and ")}; import it from one file`);
  }
  return problems;
};

function dependenciesOf(tree: Tree): Set<string> {
  const manifest = JSON.parse(tree.get("package.json") ?? "{}") as Record<
    string,
    Record<string, string> | undefined
  >;
  return new Set([
    ...Object.keys(manifest["dependencies"] ?? {}),
    ...Object.keys(manifest["devDependencies"] ?? {}),
  ]);
}
