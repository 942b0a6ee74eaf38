/**
 * Rules about names and words: what a file may be called, how it begins, how long it may be, and what no file says.
 */
import {
  filesOf,
  isCode,
  isSource,
  matchesOf,
  type Problem,
  resolve,
  type Rule,
  scan,
  type Tree,
} from "./tree.ts";

interface BannedWord {
  readonly pattern: RegExp;
  readonly where: (path: string) => boolean;
  /** `bare`: code without strings and comments; `code`: with strings; `text`: everything. */
  readonly in: "bare" | "code" | "text";
  readonly except?: readonly { readonly place: string; readonly reason: string }[];
  readonly instead: string;
}

const sides = (path: string): boolean => /^(?:agent|collector|shared)\/.*\.tsx?$/.test(path);
const anyCode = (path: string): boolean => isCode(path) && !path.startsWith("test/tidy/");

export const bannedWords: readonly BannedWord[] = [
  {
    pattern:
      /\bDate\.now\b|\bnew Date\(\s*\)|\bset(?:Timeout|Interval)\b|\bperformance\.now\b|\bnode:timers[\w/]*/g,
    where: sides,
    in: "code",
    except: [
      { place: "shared/clock.ts", reason: "the system clock itself" },
      {
        place: "collector/console/state/browser-clock.ts",
        reason: "the browser's clock, behind the same interface",
      },
    ],
    instead: "take a Clock as an argument (shared/clock.ts)",
  },
  {
    pattern: /\bexport default\b/g,
    where: anyCode,
    in: "bare",
    except: [{ place: "collector/console/vite.config.ts", reason: "vite asks for it" }],
    instead: "export it by name",
  },
  {
    pattern: /\bas any\b|<any>|:\s*any\b/g,
    where: anyCode,
    in: "bare",
    instead: "say what it is, or unknown and check",
  },
  { pattern: /\beval\s*\(|\bnew Function\b/g, where: anyCode, in: "bare", instead: "write the code" },
  {
    pattern: /\b(?:TODO|FIXME|XXX)\b/g,
    where: anyCode,
    in: "text",
    instead: "do it, or write down the limit that it is",
  },
  {
    pattern: /\b(?:test|it|describe|suite)\.only\(|\bonly:\s*true\b/g,
    where: anyCode,
    in: "bare",
    instead: "run one test by its file or by --test-name-pattern",
  },
  {
    pattern: /\bprocess\.env\b/g,
    where: sides,
    in: "bare",
    except: [
      { place: "agent/main.ts", reason: "the command line and the environment are main's" },
      { place: "collector/main.ts", reason: "the command line and the environment are main's" },
      { place: "collector/self/tracing.ts", reason: "OpenTelemetry is configured by OTEL_ variables" },
    ],
    instead: "read it in main.ts and pass it in",
  },
  {
    pattern: /\b(?:cmdline|environ)\b/g,
    where: sides,
    in: "code",
    instead: "command lines and environments hold passwords: never read them; use comm and the unit's name",
  },
];

export const words: Rule = (tree) =>
  bannedWords.flatMap((word) =>
    [...filesOf(tree, word.where)].flatMap(([path, text]) => {
      if (word.except?.some(({ place }) => place === path) === true) return [];
      const searched = word.in === "text" ? text : scan(text)[word.in];
      return [...matchesOf(searched, word.pattern)].map(
        ({ line, match }) => `${path}:${line}: ${match.trim()}: ${word.instead}`,
      );
    }),
  );

/** A language's own spelling is right even where it is not kebab-case. */
const oddNames = new Set(["shared/text/zh-CN.ts"]);

export const fileNames: Rule = (tree) =>
  [
    ...filesOf(tree, (path) => isCode(path) || /^(?:agent|collector|shared|test)\/.*\.css$/.test(path)),
  ].flatMap(([path]) => {
    const name = path.split("/").at(-1) ?? "";
    if (/^index\.tsx?$/.test(name))
      return [`${path}: a folder's door is the file with the folder's name, not index`];
    if (oddNames.has(path) || /^[a-z0-9]+(?:-[a-z0-9]+)*(?:\.[a-z0-9]+)+$/.test(name)) return [];
    return [`${path}: name files in kebab-case`];
  });

export const openings: Rule = (tree) =>
  [...filesOf(tree, isSource)]
    .filter(([, text]) => !/^(?:#!.*\n)?\/\*\*\s/.test(text))
    .map(([path]) => `${path}:1: begin with a /** comment */ that says what the file is for`);

const linesMax = 450;

export const lengths: Rule = (tree) =>
  [...filesOf(tree, isSource)].flatMap(([path, text]): Problem[] => {
    const lines = text.split("\n").length - (text.endsWith("\n") ? 1 : 0);
    return lines > linesMax
      ? [`${path}: ${lines} lines, limit is ${linesMax}; it holds more than one idea: split it`]
      : [];
  });

/** Files that nobody imports because something else starts them. */
const entryPoints: readonly { readonly place: string; readonly reason: string }[] = [
  { place: "agent/main.ts", reason: "the agent's command" },
  { place: "collector/main.ts", reason: "the collector's command" },
  { place: "collector/console/vite.config.ts", reason: "read by vite" },
  { place: "deploy/local/start.ts", reason: "npm start" },
  { place: "test/collector/console/mock-server.ts", reason: "started by hand, to look at the console" },
];

/** A file that no other file imports, and no string or page names, does nothing. Tests do not count as users of source. */
export const deadFiles: Rule = (tree) =>
  [...filesOf(tree, isCode)]
    .filter(([path]) => !/\.(?:test|d)\.ts$/.test(path) && !entryPoints.some(({ place }) => place === path))
    .filter(([path]) => !isUsed(tree, path))
    .map(
      ([path]) =>
        `${path}: used by no other file${isSource(path) ? " of the product" : ""}; use it or delete it`,
    );

function isUsed(tree: Tree, path: string): boolean {
  const name = path.split("/").at(-1) ?? "";
  for (const [user, text] of tree) {
    const counts = isSource(path) ? isSource(user) || user.endsWith(".html") : isCode(user);
    if (counts && user !== path && text.includes(name) && namesFile(user, text, path)) return true;
  }
  return (tree.get("package.json") ?? "").includes(path);
}

/** Imports, paths of workers and child processes, scripts of pages: any string that leads from `user` to `path`. */
function namesFile(user: string, text: string, path: string): boolean {
  const searched = user.endsWith(".html") ? text : scan(text).code;
  for (const [, target = ""] of searched.matchAll(/["'`]([^"'`\n]*\.tsx?)["'`]/g)) {
    const folder = user.slice(0, user.lastIndexOf("/"));
    const besides = `${folder}/${target.replace(/^\//, "")}`;
    if (besides === path || target === path || resolve(user, target) === path) return true;
  }
  return false;
}
