// The console as an operator has it: built, served under the strict policy, in a real browser.
import assert from "node:assert/strict";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import type { BrowserContextOptions, Page } from "playwright-core";
import { build } from "vite";
import { type Clock, systemClock } from "#shared/clock.ts";
import { openBrowser, type TestBrowser } from "#test/setup/browser.ts";
import { cpuIncident } from "./mock-data.ts";
import { acknowledged, answered, MockCollector } from "./mock-server.ts";
import type { Scenario } from "./mock-data.ts";

const config = fileURLToPath(new URL("../../../collector/console/vite.config.ts", import.meta.url));
const scriptBytesMax = 90 * 1024;
const cpuId = "INC-7f3a91";

let directory = "";
let chromium: TestBrowser | null = null;
let missing = "";

before(async () => {
  directory = `${await mkdtemp(join(tmpdir(), "causeway-console-"))}/`;
  await build({ configFile: config, logLevel: "error", build: { outDir: directory, emptyOutDir: true } });
  const found = await openBrowser();
  if ("missing" in found) missing = found.missing;
  else chromium = found;
});

after(async () => {
  await chromium?.close();
  await rm(directory, { recursive: true, force: true });
});

/** A page on a mock collector. Whatever the browser complains about is in `complaints`. */
interface Console {
  readonly page: Page;
  readonly mock: MockCollector;
  readonly complaints: string[];
}

async function withConsole(
  scenario: Scenario,
  path: string,
  run: (open: Console) => Promise<void>,
  options: BrowserContextOptions = {},
  clock: Clock = systemClock,
): Promise<void> {
  assert.ok(chromium !== null, "BUG: no browser");
  const mock = await MockCollector.start(scenario, { directory, clock });
  const usual = { viewport: { width: 1366, height: 768 }, locale: "en-GB", timezoneId: "Asia/Hong_Kong" };
  const context = await chromium.browser.newContext({ ...usual, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(5000);
  const complaints: string[] = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) complaints.push(message.text());
  });
  page.on("pageerror", (error) => complaints.push(String(error)));
  page.on("request", (request) => {
    if (!request.url().startsWith(mock.url)) complaints.push(`request to ${request.url()}`);
  });
  try {
    await page.goto(mock.url + path);
    await run({ page, mock, complaints });
  } finally {
    await context.close();
    await mock.close();
  }
}

test("the console's script is small enough for a slow line, and nothing is inline", async () => {
  const assets = await readdir(join(directory, "assets"));
  let scriptBytes = 0;
  for (const name of assets.filter((one) => one.endsWith(".js"))) {
    scriptBytes += gzipSync(await readFile(join(directory, "assets", name)), { level: 9 }).length;
  }
  assert.ok(scriptBytes <= scriptBytesMax, `${scriptBytes} bytes, limit is ${scriptBytesMax}`);
  const html = await readFile(join(directory, "index.html"), "utf8");
  assert.doesNotMatch(html, /<style|style=|<script>|data:|https?:/);
});

/** What can be pressed and is lower than 24 pixels (WCAG 2.5.8), or has no name. */
const unfit = `
  [...document.querySelectorAll("main button, main a, main label.check, header button, header a")]
    .filter((one) => one.getBoundingClientRect().height > 0)
    .filter((one) => one.getBoundingClientRect().height < 24 || (one.innerText || one.ariaLabel || "").trim() === "")
    .map((one) => one.outerHTML.slice(0, 120))`;

/** Each comparison of two names asks for the collator's function. */
const countComparisons = `
  globalThis.comparisons = 0;
  const { get } = Object.getOwnPropertyDescriptor(Intl.Collator.prototype, "compare");
  Object.defineProperty(Intl.Collator.prototype, "compare", {
    get() {
      comparisons += 1;
      return get.call(this);
    },
  });`;

describe("in a browser", () => {
  const browserTest = (name: string, run: () => Promise<void>): void => {
    test(name, async (context) => {
      if (chromium === null) return context.skip(`no browser: ${missing}`);
      await run();
    });
  };

  const phone = { viewport: { width: 390, height: 844 }, colorScheme: "dark" } as const;
  for (const [device, options] of [
    ["a desk", {}],
    ["a phone in the dark", phone],
  ] as const) {
    browserTest(
      `every screen keeps to the policy, the origin and the width of ${device}, and can be pressed`,
      async () => {
        await withConsole(
          "incident",
          "/",
          async ({ page, mock, complaints }) => {
            const width = page.viewportSize()?.width;
            mock.put(answered(mock.incident(cpuId)!, 7, "noise", "Wang Fang", "every night", mock.startMs));
            for (const path of ["/", `/incidents/${cpuId}`, "/hosts", "/hosts/core-db-03", "/feedback"]) {
              if (path !== "/") await page.goto(mock.url + path);
              await page.getByText("core-db-03").first().waitFor();
              if (path.startsWith("/incidents/"))
                await page.locator(".feedback-effects li").first().waitFor();
              if (path.length > 10) await page.locator(".plot canvas").first().waitFor();
              assert.equal(
                await page.evaluate("document.documentElement.scrollWidth"),
                width,
                `${path} scrolls sideways`,
              );
              assert.deepEqual(await page.evaluate(unfit), [], path);
            }
            assert.deepEqual(complaints, []);
          },
          options,
        );
      },
    );
  }

  browserTest(
    "the first screen says what is wrong, what caused it, how sure that is and that nobody is on it",
    async () => {
      await withConsole("incident", "/", async ({ page }) => {
        const first = page.locator(".row").first();
        await first.waitFor();
        const text = await first.innerText();
        for (const part of [
          "critical",
          "CPU is 98.5 % busy",
          "eod-batch",
          "very likely",
          "88 %",
          "for 6 min",
          "nobody",
        ]) {
          assert.ok(text.includes(part), `"${part}" is missing in: ${text}`);
        }
        assert.equal(await page.getByText("Causeway is starting").count(), 0);
        await page.locator(".watch").getByText("web 2.14.1").waitFor();
        assert.equal(await page.title(), "(2) ✕ Causeway");
        assert.equal(await page.getAttribute("#icon", "href"), "/icon-critical.svg");
      });
    },
  );

  browserTest(
    "a host that is unlike itself as a whole is marked, and its page says in which metrics",
    async () => {
      await withConsole("incident", "/hosts", async ({ page }) => {
        const scores = page.locator(".hosts tbody tr td:nth-child(6)");
        await page.getByText("2.3 unusual").waitFor();
        const shown = await scores.allInnerTexts();
        assert.deepEqual([...new Set(shown.map((one) => one.replace(/[\d.]+ /, "").trim()))].sort(), [
          "as usual",
          "learning",
          "unusual",
          "–",
        ]);
        await page.getByRole("link", { name: "core-db-03" }).click();
        await page
          .getByText("16 % of its metrics are unusual now; most unlike themselves: CPU busy system")
          .waitFor();
        await page.getByRole("button", { name: "中文" }).click();
        await page.getByText("差别最大的是：CPU 使用率 system、磁盘吞吐 write sda").waitFor();
      });
    },
  );

  browserTest("a frame about incidents does not put the hosts in order again", async () => {
    // The collector says by itself nothing after its first answer.
    const still: Clock = { ...systemClock, after: () => ({ cancel: () => undefined }) };
    const run = async ({ page, mock }: Console): Promise<void> => {
      await page.addInitScript({ content: countComparisons });
      await page.goto(`${mock.url}/hosts`);
      await page.locator("table.hosts tbody tr").first().waitFor();
      const before = await page.evaluate<number>("comparisons");
      assert.ok(before > 0, "the order of hosts is made with Intl.Collator");
      mock.put({ ...cpuIncident(mock.startMs, mock.startMs), id: "INC-new" });
      await page.locator("header p[role=status]").getByText("2 critical").waitFor({ state: "attached" });
      assert.equal(await page.evaluate("comparisons"), before);
      await page.locator("#search").fill("pay");
      await page.getByText("3 of 12").waitFor();
      assert.ok((await page.evaluate<number>("comparisons")) > before);
    };
    await withConsole("incident", "/about:blank", run, {}, still);
  });

  browserTest("the same incident reads in Chinese, and the choice is kept", async () => {
    await withConsole("incident", "/", async ({ page }) => {
      await page.getByRole("button", { name: "中文" }).click();
      await page.getByText("无人认领").first().waitFor();
      await page.reload();
      await page.getByText("无人认领").first().waitFor();
      assert.equal(await page.getAttribute("html", "lang"), "zh-CN");
    });
  });

  browserTest("keys walk the list, open an incident, acknowledge it and lead back", async () => {
    await withConsole("incident", "/", async ({ page, mock }) => {
      await page.locator(".row").first().waitFor();
      await page.keyboard.press("j");
      await page.keyboard.press("Enter");
      await page.waitForURL(`**/incidents/${cpuId}`);
      await page.keyboard.press("a");
      await page.getByLabel("Your name").fill("Wang Fang");
      await page.getByLabel("Comment (optional)").fill("stopping the batch");
      await page.locator("dialog button[type=submit]").click();
      await page.locator("dialog").waitFor({ state: "detached" });
      await page.locator(".actions").getByText("Acknowledged by Wang Fang").waitFor();
      assert.equal(mock.commands.length, 1);
      const { path, key, ifMatch, body } = mock.commands[0]!;
      assert.equal(path, `/api/v1/incidents/${cpuId}/acknowledge`);
      assert.match(key, /^[0-9a-f]{32}$/);
      assert.equal(ifMatch, "6");
      assert.deepEqual(body, { by: "Wang Fang", comment: "stopping the batch" });
      await page.keyboard.press("Escape");
      await page.waitForURL(`${mock.url}/`);
      await page.keyboard.press("j");
      await page.keyboard.press("a");
      assert.equal(await page.getByLabel("Your name").inputValue(), "Wang Fang", "the name is remembered");
    });
  });

  browserTest(
    "an incident tells its story, what was changed and what it is like; an operator says the cause",
    async () => {
      await withConsole("incident", `/incidents/${cpuId}`, async ({ page, mock }) => {
        const story = page.locator(".story");
        await story
          .getByText("after the change “EOD-7 starts with 8 workers” of service:eod-batch")
          .waitFor();
        await story.getByText("Ruled out: 2").click();
        await story.getByText("nothing abnormal is connected with it").waitFor();
        await page.locator(".changes").getByText("likely began it").waitFor();
        await page.locator(".similar").getByText("cause was process eod-batch 311").waitFor();
        await page.keyboard.press("e");
        await page.getByLabel("Your name").fill("Wang Fang");
        await page.getByLabel("Cause", { exact: true }).fill("switch:core-7");
        await page.locator("dialog button[type=submit]").click();
        await page.getByText("Wang Fang says the cause was").waitFor();
        assert.equal(mock.incident(cpuId)?.confirmedCause?.entity, "switch:core-7");
        await page.getByRole("button", { name: "Withdraw the cause" }).click();
        await page.locator("dialog button[type=submit]").click();
        await page.getByText("Wang Fang says the cause was").waitFor({ state: "detached" });
        assert.equal(mock.incident(cpuId)?.confirmedCause, null);
      });
    },
  );

  browserTest("who was faster is told before anything is overwritten", async () => {
    await withConsole("incident", `/incidents/${cpuId}`, async ({ page, mock }) => {
      await page.getByRole("button", { name: "Acknowledge" }).click();
      mock.beforeCommand = () => {
        mock.beforeCommand = () => undefined;
        mock.put(acknowledged(mock.incident(cpuId)!, 7, "Li Na", "", 1_790_000_000_000));
      };
      await page.getByLabel("Your name").fill("Wang Fang");
      await page.locator("dialog button[type=submit]").click();
      await page.getByText("Li Na was faster").waitFor();
      assert.equal(mock.incident(cpuId)?.owner, "Li Na");
      await page.locator("dialog button[type=submit]").click();
      await page.locator(".actions").getByText("Acknowledged by Wang Fang").waitFor();
    });
  });

  browserTest(
    "an incident is called noise by keys, says what that changed, and the answer is withdrawn from the list",
    async () => {
      await withConsole("incident", `/incidents/${cpuId}`, async ({ page, mock, complaints }) => {
        await page.getByText("Was this useful?").waitFor();
        await page.keyboard.press("w");
        assert.equal(await page.locator("dialog").count(), 0, "there is nothing to withdraw");
        await page.keyboard.press("n");
        await page.getByLabel("Your name").fill("Wang Fang");
        await page.getByLabel("Comment (optional)").fill("every night");
        await page.locator("dialog button[type=submit]").click();
        await page.locator("dialog").waitFor({ state: "detached" });
        const box = page.locator(".feedback");
        await box.getByText("Thresholds that are now 1.25 times as high").waitFor();
        const text = await box.innerText();
        for (const part of ["Noise", "Wang Fang", "every night", "CPU busy · core-db-03"])
          assert.ok(text.includes(part), `"${part}" is missing in: ${text}`);
        await page.locator(".timeline").getByText("called noise by Wang Fang").waitFor();

        await page.keyboard.press("g");
        await page.keyboard.press("f");
        await page.waitForURL("**/feedback");
        await page.getByRole("button", { name: "Withdraw" }).click();
        await page.locator("dialog button[type=submit]").click();
        await page.getByText("None is in force.").waitFor();
        assert.deepEqual(
          mock.commands.map(({ path, ifMatch, body }) => [path, ifMatch, body]),
          [
            [
              `/api/v1/incidents/${cpuId}/feedback`,
              "6",
              { by: "Wang Fang", comment: "every night", verdict: "noise" },
            ],
            [`/api/v1/incidents/${cpuId}/feedback`, "7", { by: "Wang Fang", verdict: "none" }],
          ],
        );
        assert.deepEqual(complaints, []);
      });
    },
  );

  browserTest("the list does not move under the pointer, and says that something new waits", async () => {
    await withConsole("incident", "/", async ({ page, mock }) => {
      await page.locator(".row").nth(1).hover();
      mock.put({ ...cpuIncident(mock.startMs, mock.startMs), id: "INC-new" });
      await page.getByRole("button", { name: "1 new" }).waitFor();
      assert.equal(await page.locator("#row-INC-new").count(), 0);
      await page.getByRole("button", { name: "1 new" }).click();
      await page.locator("#row-INC-new").waitFor();
    });
  });

  browserTest(
    "a collector that falls silent turns the page grey, says since when and leaves the count unvouched",
    async () => {
      await withConsole("calm", "/about:blank", async ({ page, mock }) => {
        await page.clock.install();
        await page.goto(`${mock.url}/`);
        await page.getByText("Nothing abnormal").waitFor();
        mock.mute = true;
        await page.clock.fastForward(26_000);
        await page.getByText("No news from the collector since").waitFor();
        await page.getByText("Nothing abnormal").waitFor({ state: "detached" });
        assert.equal(await page.title(), "? Causeway");
        assert.equal(await page.locator(".page-stale").count(), 1);
      });
    },
  );

  browserTest("calm is said only while something is watched", async () => {
    await withConsole("blind", "/", async ({ page }) => {
      await page.getByText("No host reports").waitFor();
      assert.equal(await page.getByText("Nothing abnormal").count(), 0);
    });
  });

  browserTest("what opened while the connection was cut is told on return", async () => {
    await withConsole("calm", "/", async ({ page, mock }) => {
      await page.getByText("Nothing abnormal").waitFor();
      mock.cut();
      mock.put({ ...cpuIncident(mock.startMs, mock.startMs), id: "INC-new" });
      await page.getByText("1 incident opened, 0 resolved").waitFor();
      await page.locator("#row-INC-new").waitFor();
    });
  });

  browserTest("a link to an incident that is not kept says so instead of showing nothing", async () => {
    await withConsole("calm", "/incidents/INC-gone", async ({ page }) => {
      await page.getByText("No incident INC-gone").waitFor();
    });
  });

  browserTest("a weak cause is not called one", async () => {
    await withConsole("unidentified", `/incidents/${cpuId}`, async ({ page }) => {
      await page.getByText("Cause not identified").first().waitFor();
      assert.equal(await page.locator(".cause-first:visible").count(), 0);
    });
  });

  browserTest("a host says what will run out, when, and between which times", async () => {
    await withConsole("incident", "/hosts/core-db-03", async ({ page, complaints }) => {
      const rows = page.locator(".forecasts li");
      await rows.first().waitFor();
      assert.deepEqual(await rows.allInnerTexts(), [
        "Filesystem /archive will be full in 9h30m (between 8h and 12h)",
        "Memory of java 4711 grows: the host's will be used up in 2d22h (between 2d4h and 4d12h)",
      ]);
      assert.deepEqual(complaints, []);
    });
  });
});
