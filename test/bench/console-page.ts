/**
 * The console in a real browser, as a benchmark looks at it: an operator who clicks, and a recorder in the page.
 *
 * A click's time begins when the browser got it, so that the wait for a busy page is in it, and ends when what it must show has been
 * painted. Long tasks are the browser's own measure of a page that does not answer: 50 ms and more without a pause.
 */
import { setTimeout as sleep } from "node:timers/promises";
import type { CDPSession, Page } from "playwright-core";
import { openBrowser, type TestBrowser } from "../setup/browser.ts";
import type { Missing } from "../setup/debian.ts";

/** In the page before its own scripts. `after` resolves with the milliseconds from the next click to the paint that shows `selector`. */
const recorder = `(() => {
  const bench = (globalThis.bench = { incidentAtMs: null, reset, after });
  let wanted = null;
  let clickedMs = null;
  function reset() {
    bench.tasks = [];
    bench.longestFrameMs = 0;
  }
  function after(selector) {
    clickedMs = null;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error("the page did not show " + selector)), 20000);
      const painted = new MessageChannel();
      painted.port1.onmessage = ({ data }) => {
        clearTimeout(timer);
        resolve(performance.now() - data);
      };
      wanted = { selector, painted: painted.port2 };
    });
  }
  reset();
  new PerformanceObserver((list) => {
    for (const { duration } of list.getEntries()) bench.tasks.push(duration);
  }).observe({ type: "longtask" });
  addEventListener("click", ({ timeStamp }) => (clickedMs = timeStamp), true);
  let lastMs = performance.now();
  requestAnimationFrame(function frame(nowMs) {
    bench.longestFrameMs = Math.max(bench.longestFrameMs, nowMs - lastMs);
    lastMs = nowMs;
    if (bench.incidentAtMs === null && document.querySelector(".status-facts .count")) bench.incidentAtMs = Date.now();
    if (wanted !== null && clickedMs !== null && document.querySelector(wanted.selector)) {
      wanted.painted.postMessage(clickedMs);
      wanted = null;
    }
    requestAnimationFrame(frame);
  });
})()`;

/** What is clicked, and what it must show; what it shows must not be there before. */
const steps = {
  hosts: ["header nav a[href='/hosts']", "table.hosts tbody tr"],
  host: ["table.hosts tbody th a", ".host-head"],
  list: ["header nav a[href='/']", ".watch"],
  incident: [".row .row-link", ".incident .cause"],
  entity: [".entities dd a", ".host-head"],
} as const satisfies Record<string, readonly [string, string]>;

export type Step = keyof typeof steps;

/** Each begins and ends at the list. */
const quietWalk: readonly Step[] = ["hosts", "host", "list"];
const troubledWalk: readonly Step[] = ["incident", "entity", "hosts", "host", "list"];

export interface Looked {
  readonly clicks: readonly { readonly step: Step; readonly ms: number }[];
  /** 0: none. */
  readonly longestTaskMs: number;
  /** Of the time, in tasks of 50 ms and more. */
  readonly longTaskShare: number;
  readonly longestFrameMs: number;
}

export interface PageSize {
  readonly heapMb: number;
  readonly nodes: number;
}

export class ConsolePage {
  readonly #opened: TestBrowser;
  readonly #page: Page;
  readonly #session: CDPSession;
  /** What the browser complained of. */
  readonly complaints: readonly string[];

  /** On the overview, with everything that it shows at first. */
  static async open(url: string): Promise<ConsolePage | Missing> {
    const opened = await openBrowser();
    if ("missing" in opened) return opened;
    try {
      const page = await opened.browser.newPage({ viewport: { width: 1366, height: 768 }, locale: "en-GB" });
      const complaints: string[] = [];
      page.on("pageerror", (error) => complaints.push(String(error)));
      page.setDefaultTimeout(20_000);
      await page.addInitScript({ content: recorder });
      await page.goto(url);
      await page.locator(".watch .facts").waitFor();
      const session = await page.context().newCDPSession(page);
      await session.send("Performance.enable");
      return new ConsolePage(opened, page, session, complaints);
    } catch (error) {
      await opened.close();
      throw error;
    }
  }

  private constructor(opened: TestBrowser, page: Page, session: CDPSession, complaints: readonly string[]) {
    this.#opened = opened;
    this.#page = page;
    this.#session = session;
    this.complaints = complaints;
  }

  /** Walks through the screens, a click every `pauseMs`, at least once and until `work` is done; through the incident as soon as there is one. */
  async lookWhile(work: Promise<unknown>, pauseMs: number): Promise<Looked> {
    const state = { over: false };
    const done = work.finally(() => (state.over = true));
    // Told below; until then a failure of the page's must not be hidden by it.
    done.catch(() => {});
    const beganMs = performance.now();
    await this.#page.evaluate("bench.reset()");
    const clicks: { step: Step; ms: number }[] = [];
    do {
      for (const step of (await this.incidentAtMs()) === null ? quietWalk : troubledWalk) {
        clicks.push({ step, ms: await this.#click(step) });
        await sleep(pauseMs);
      }
    } while (!state.over);
    await done;
    const tasks = await this.#page.evaluate<number[]>("bench.tasks");
    return {
      clicks,
      longestTaskMs: Math.max(0, ...tasks),
      longTaskShare: tasks.reduce((sum, ms) => sum + ms, 0) / (performance.now() - beganMs),
      longestFrameMs: await this.#page.evaluate<number>("bench.longestFrameMs"),
    };
  }

  async #click(step: Step): Promise<number> {
    const [what, shows] = steps[step];
    const painted = this.#page.evaluate<number>(`bench.after(${JSON.stringify(shows)})`);
    painted.catch(() => {});
    await this.#page.locator(what).first().click();
    return painted;
  }

  /** When the first incident was on the screen, whichever screen was open; null when there was none. */
  incidentAtMs(): Promise<number | null> {
    return this.#page.evaluate<number | null>("bench.incidentAtMs");
  }

  async size(): Promise<PageSize> {
    await this.#session.send("HeapProfiler.collectGarbage");
    const { metrics } = await this.#session.send("Performance.getMetrics");
    const of = (wanted: string): number => metrics.find(({ name }) => name === wanted)?.value ?? Number.NaN;
    return { heapMb: of("JSHeapUsedSize") / 1024 / 1024, nodes: of("Nodes") };
  }

  /** The incident, if there is one, else what is open. */
  async screenshot(path: string): Promise<void> {
    if ((await this.incidentAtMs()) !== null) await this.#click("incident");
    await this.#page.screenshot({ path });
  }

  close(): Promise<void> {
    return this.#opened.close();
  }
}
