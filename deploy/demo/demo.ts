/**
 * `npm run demo`: a small bank on this machine, with buttons that make things go wrong, and an exam of what Causeway makes of it.
 * The command line of it; `README.md` beside this file tells what there is to see.
 */
import fs from "node:fs";
import { join, resolve } from "node:path";
import { parseArgs } from "node:util";
import { systemClock } from "#shared/clock.ts";
import { parseDuration } from "#shared/duration.ts";
import { errorText } from "#shared/errors.ts";
import { inWords } from "#shared/text/metric-words.ts";
import { renderText } from "#shared/text/text.ts";
import { runFault } from "./bank.ts";
import { examRecordFile, runExam, summaryOf } from "./exam/exam.ts";
import { type Fault, faultSecondsMax } from "./faults/fault.ts";
import { faultNamed, loadFaults } from "./faults/faults.ts";
import { root } from "./plan.ts";
import { bankOf, waitWarm, watchIncidents } from "./running.ts";
import { runningBank, startBank, type Started } from "./start.ts";

const help = `npm run demo -- COMMAND

  start                    the bank, its agents and the collector with the console, until Ctrl-C (the default)
  list                     the faults
  fault NAME               makes one, for its time or --seconds; tells the incidents that it brings
  exam                     makes all of them, in an order of chance, and prints how they were told

  --data DIR               where everything is kept (.causeway-demo)
  --faults DIR             more faults: each file exports one as "fault"
  start: --listen 127.0.0.1:7430, --interval 10s, --seed 1, --rate 20 (transactions a second at the busiest hour),
         --day 24h (a day of the bank), --entries 300000 (rows of its database), --namespaces (a network namespace a host; root)
  fault, exam: --seconds N
  exam: --seed 1, --only a,b, --pause 300 (seconds before, between and after), --json FILE; starts the bank if it does not run
`;

const { values: options, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    data: { type: "string", default: join(root, ".causeway-demo") },
    faults: { type: "string" },
    listen: { type: "string" },
    interval: { type: "string", default: "10s" },
    seed: { type: "string", default: "1" },
    rate: { type: "string", default: "20" },
    day: { type: "string", default: "24h" },
    entries: { type: "string", default: "300000" },
    namespaces: { type: "boolean", default: false },
    seconds: { type: "string" },
    only: { type: "string" },
    pause: { type: "string", default: "300" },
    json: { type: "string" },
    help: { type: "boolean", default: false },
  },
});
const data = resolve(options.data);
const cut = new AbortController();

async function main(): Promise<void> {
  const command = options.help ? "help" : (positionals[0] ?? "start");
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.on(signal, () => cut.abort());
  switch (command) {
    case "help":
      say(help);
      return;
    case "start":
      return start();
    case "list":
      return list();
    case "fault":
      return fault();
    case "exam":
      return exam();
    default:
      throw new Error(`there is no command "${command}"\n\n${help}`);
  }
}

async function start(): Promise<void> {
  const running = await runningBank(data);
  if (running !== null) {
    say(`the bank runs already (process ${running.pid}): console at ${running.url}`);
    process.exitCode = 2;
    return;
  }
  const started = await open();
  say(`console at ${started.url}`);
  say(
    "six hosts, nine services; the collector knows them after about three minutes. Then try, in another terminal:",
  );
  say(
    "  npm run demo -- list\n  npm run demo -- fault slow-query\n  npm run demo -- exam --only cpu-hog,process-crash --pause 60",
  );
  await aborted();
  say("stopping");
  await started.stop();
}

function open(): Promise<Started> {
  return startBank({
    data,
    listen: options.listen,
    seed: number("seed", 0, 2 ** 32 - 1),
    perSecondMax: number("rate", 0.1, 200),
    dayMs: parseDuration(options.day, "--day"),
    entries: number("entries", 1_000, 2_000_000),
    intervalMs: parseDuration(options.interval, "--interval"),
    namespaces: options.namespaces,
    say,
  });
}

async function list(): Promise<void> {
  for (const { name, does, seconds, cause } of await loadFaults(options.faults)) {
    say(`${name.padEnd(20)} ${does.en}`);
    say(`${"".padEnd(20)} ${does.zh}`);
    say(`${"".padEnd(20)} ${cause.kind} ${cause.name} on ${cause.host}, ${seconds} s`);
  }
}

async function fault(): Promise<void> {
  const chosen = faultNamed(positionals[1] ?? "", await loadFaults(options.faults));
  const running = await runningBank(data);
  if (running === null) throw new Error(`the bank does not run with ${data}; start it: npm run demo`);
  const seconds = secondsOf(chosen);
  const watching = await watchIncidents(running.url, ({ id, state, title, severity, updatedMs }) => {
    if (updatedMs >= startedMs)
      say(`  ${id} ${severity} ${state}: ${renderText(inWords(title, "en"), "en")}`);
  });
  const startedMs = systemClock.nowMs();
  say(`${chosen.does.en}\n${chosen.does.zh}\nfor ${seconds} s; Ctrl-C ends it`);
  try {
    await runFault(chosen, bankOf(chosen, data, running.url, say), {
      clock: systemClock,
      seconds,
      cut: cut.signal,
    });
    say("the fault has ended");
  } finally {
    watching.stop();
  }
}

async function exam(): Promise<void> {
  const faults = chosenFaults(await loadFaults(options.faults));
  const seed = number("seed", 0, 2 ** 32 - 1);
  const pauseMs = number("pause", 1, 7_200) * 1000;
  const running = await runningBank(data);
  const started = running === null ? await open() : null;
  const url = started?.url ?? running?.url ?? "";
  try {
    await waitWarm(url, cut.signal, say);
    if (cut.signal.aborted) return;
    say(`${faults.length} faults from seed ${seed}, ${pauseMs / 1000} s of quiet before, between and after`);
    const score = await runExam({
      clock: systemClock,
      faults,
      seed,
      pauseMs,
      seconds: options.seconds === undefined ? undefined : number("seconds", 1, faultSecondsMax),
      bankOf: (one) => bankOf(one, data, url, say),
      watch: (told) => watchIncidents(url, told),
      cut: cut.signal,
      say,
      note: (record) => fs.writeFileSync(join(data, examRecordFile), `${JSON.stringify(record, null, 2)}\n`),
    });
    say(`\n${summaryOf(score)}`);
    if (options.json !== undefined)
      fs.writeFileSync(options.json, `${JSON.stringify({ seed, ...score }, null, 2)}\n`);
  } finally {
    await started?.stop();
  }
}

function chosenFaults(faults: readonly Fault[]): readonly Fault[] {
  return options.only === undefined
    ? faults
    : options.only.split(",").map((name) => faultNamed(name.trim(), faults));
}

function secondsOf(chosen: Fault): number {
  return options.seconds === undefined ? chosen.seconds : number("seconds", 1, faultSecondsMax);
}

function number(name: "seed" | "rate" | "entries" | "seconds" | "pause", min: number, max: number): number {
  const text = options[name] ?? "";
  const value = Number(text);
  if (text === "" || !(value >= min && value <= max))
    throw new Error(`--${name}: want a number from ${min} to ${max}, got "${text}"`);
  return value;
}

function aborted(): Promise<void> {
  return new Promise((resolve) => {
    // A promise alone does not keep a process alive; its children's pipes do.
    if (cut.signal.aborted) resolve();
    cut.signal.addEventListener("abort", () => resolve(), { once: true });
  });
}

function say(text: string): void {
  process.stdout.write(`${text}\n`);
}

main().then(
  () => process.exit(),
  (error: unknown) => {
    process.stderr.write(`demo: ${errorText(error)}\n`);
    process.exit(2);
  },
);
