/** The container files keep their promises. No Docker is needed: what can be checked in the text is checked here. */
import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { at, parseYaml } from "./compose-text.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const folder = `${root}deploy/containers/`;
const dockerfiles = readdirSync(folder).filter((name) => name.endsWith(".Dockerfile"));

interface Instruction {
  readonly name: string;
  readonly text: string;
}

function instructionsOf(text: string): Instruction[] {
  const joined = text.replaceAll(/^\s*#.*\n/gm, "").replaceAll(/\\\n\s*/g, " ");
  return joined.split("\n").flatMap((line) => {
    const [, name, rest] = /^([A-Z]+)\s+(.*)$/.exec(line) ?? [];
    if (line.trim() !== "" && name === undefined) return [{ name: "?", text: line }];
    return name === undefined ? [] : [{ name, text: rest ?? "" }];
  });
}

/** Everything that a Dockerfile of ours must not do. `has` tells whether a path of the build context exists. */
function problemsOf(text: string, has: (path: string) => boolean): string[] {
  const all = instructionsOf(text);
  const problems: string[] = [];
  const stages = new Set(
    all.flatMap(({ name, text: from }) => (name === "FROM" ? (/ AS (\w+)$/.exec(from)?.[1] ?? []) : [])),
  );
  const last = all.slice(all.findLastIndex(({ name }) => name === "FROM"));
  for (const { name, text: rest } of all) {
    if (name === "?") problems.push(`not an instruction: ${rest}`);
    if (name === "ADD") problems.push("ADD fetches and unpacks: use COPY");
    if (name === "FROM" && !/^node:24(?:[.\d]*)-slim(?:@sha256:[0-9a-f]{64})?(?: AS \w+)?$/.test(rest)) {
      problems.push(`base ${rest}: want node:24-slim`);
    }
    if (/:latest\b/.test(rest)) problems.push(`latest is another image every day: ${rest}`);
    if (name === "RUN" && /(?:curl|wget)[^|]*\|\s*(?:ba)?sh/.test(rest))
      problems.push(`runs what it downloads: ${rest}`);
    if (name === "RUN" && /\bnpm (?:install|i)\b/.test(rest))
      problems.push("npm install ignores the lock file: use npm ci");
    if (name === "RUN" && /\bnpm ci\b/.test(rest) && !rest.includes("--ignore-scripts")) {
      problems.push("npm ci without --ignore-scripts runs code of dependencies");
    }
    if (name === "COPY") problems.push(...copyProblems(rest, stages, has));
  }
  const user = last.findLast(({ name }) => name === "USER")?.text;
  if (user === undefined || /^(?:root|0)(?::|$)/.test(user))
    problems.push("the last stage runs as root: set USER");
  for (const wanted of ["HEALTHCHECK", "ENTRYPOINT"]) {
    if (!last.some(({ name }) => name === wanted)) problems.push(`the last stage has no ${wanted}`);
  }
  return problems;
}

function copyProblems(rest: string, stages: ReadonlySet<string>, has: (path: string) => boolean): string[] {
  const words = rest.split(/\s+/);
  const stage = words.find((word) => word.startsWith("--from="))?.slice("--from=".length);
  if (stage !== undefined) return stages.has(stage) ? [] : [`COPY from a stage that is not there: ${stage}`];
  const sources = words.filter((word) => !word.startsWith("--")).slice(0, -1);
  return sources.filter((source) => !has(source)).map((source) => `COPY ${source}: not in the build context`);
}

function ignoreRules(name: string): string[] {
  return readFileSync(`${folder}${name}.dockerignore`, "utf8")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"));
}

test("there is an image for the agent and one for the collector", () => {
  assert.deepEqual(dockerfiles.sort(), ["agent.Dockerfile", "collector.Dockerfile"]);
});

for (const name of dockerfiles) {
  test(`${name} is pinned, runs nothing that it downloads, copies what exists and does not run as root`, () => {
    const [first, ...allowed] = ignoreRules(name);
    assert.equal(first, "*", "nothing enters the build unless it is named");
    const has = (path: string) =>
      allowed.some((rule) => path === rule.slice(1) || path.startsWith(`${rule.slice(1)}/`)) &&
      // The example configurations are the one thing that may come later than this file.
      (existsSync(`${root}${path}`) || path.startsWith("deploy/config/"));
    assert.deepEqual(problemsOf(readFileSync(`${folder}${name}`, "utf8"), has), []);
  });
}

test("the images are built by scripts that package.json has", () => {
  const { scripts } = JSON.parse(readFileSync(`${root}package.json`, "utf8")) as {
    scripts: Record<string, string>;
  };
  for (const name of dockerfiles) {
    const used = [...readFileSync(`${folder}${name}`, "utf8").matchAll(/\bnpm run ([\w:-]+)/g)];
    for (const [, script = ""] of used)
      assert.ok(Object.hasOwn(scripts, script), `${name}: npm run ${script}`);
  }
});

test("a careless Dockerfile is found out", () => {
  const careless = [
    "FROM node:latest AS build",
    "ADD https://example.com/a.tgz /",
    "RUN curl -s https://example.com/install | sh",
    "RUN npm install",
    "RUN npm ci",
    "FROM node:24-slim",
    "COPY nothing ./",
    "COPY --from=other /a /b",
    "USER root",
  ].join("\n");
  assert.equal(problemsOf(careless, () => false).length, 11);
  const good = "FROM node:24-slim\nUSER node\nHEALTHCHECK CMD x\nENTRYPOINT x\n";
  assert.deepEqual(
    problemsOf(good, () => true),
    [],
  );
});

test("compose runs both without rights, with bounds, on the host's loopback", () => {
  const compose = parseYaml(readFileSync(`${folder}compose.yaml`, "utf8"));
  for (const service of ["collector", "agent"]) {
    const value = (...keys: string[]) => at(compose, "services", service, ...keys);
    const text = (...keys: string[]) => {
      const found = value(...keys);
      return typeof found === "string" ? found : assert.fail(`${service}: no ${keys.join(".")}`);
    };

    assert.ok(existsSync(`${root}${text("build", "dockerfile")}`));
    assert.ok(existsSync(`${folder}${text("build", "context")}/package.json`));
    assert.match(text("image"), /^causeway-(?:agent|collector):\d+\.\d+\.\d+$/);
    assert.equal(value("network_mode"), "host");
    assert.equal(value("read_only"), "true");
    assert.deepEqual(value("cap_drop"), ["ALL"]);
    assert.deepEqual(value("security_opt"), ["no-new-privileges:true"]);
    assert.match(text("mem_limit"), /^\d+[mg]$/);
    assert.equal(value("privileged"), undefined);
    assert.equal(value("ports"), undefined, "listeners are loopback only");
    const volumes = value("volumes");
    assert.ok(Array.isArray(volumes));
    for (const volume of volumes.map(String)) {
      if (volume.startsWith("/")) assert.match(volume, /:ro(?:,|$)/, "a folder of the host is read only");
      else assert.notEqual(at(compose, "volumes", volume.split(":")[0] ?? ""), undefined, volume);
    }
  }
  assert.equal(at(compose, "services", "agent", "pid"), "host");
});

test("a compose file that does not parse is found out", () => {
  for (const text of ["a:\n\tb: c", "a: b\n    c: d", "a: b\na: c", "a: &x b", "a\n"]) {
    assert.throws(() => parseYaml(text), /line \d/, text);
  }
  assert.deepEqual(at(parseYaml('a:\n  b: ["c, d", e] # f\n  g:\n    - "h"\n'), "a", "b"), ["c, d", "e"]);
});
