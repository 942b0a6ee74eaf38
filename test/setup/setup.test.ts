/** The outside programs that tests use are found or fetched, and work. */
import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { openBrowser } from "./browser.ts";
import { debianProgram } from "./debian.ts";

/** Prints why and skips. */
function skip(t: TestContext, reason: string): void {
  t.diagnostic(reason);
  t.skip(reason);
}

test("promtool is found or fetched, and runs", async (t) => {
  const promtool = await debianProgram("promtool");
  if (typeof promtool !== "string") return skip(t, promtool.missing);
  assert.match(execFileSync(promtool, ["--version"], { encoding: "utf8" }), /promtool, version/);
});

test("a program that cannot be had is a reason, not a failure", async () => {
  const cacheFolder = mkdtempSync(join(tmpdir(), "causeway-setup-"));
  const before = process.env["PATH"];
  process.env["PATH"] = "";
  try {
    const answer = await debianProgram("promtool", { cacheFolder, searchPath: "" });
    assert.ok(typeof answer === "object");
    assert.match(answer.missing, /promtool: .* apt-get and dpkg are needed, and this machine lacks them/);
  } finally {
    process.env["PATH"] = before;
    rmSync(cacheFolder, { recursive: true });
  }
});

test("a browser shows a page from loopback, runs its script, keeps its policy and is gone after closing", async (t) => {
  const opened = await openBrowser();
  if ("missing" in opened) return skip(t, opened.missing);
  const page =
    '<!doctype html><title>before</title><p id="p">数据</p><script src="/a.js"></script><script>document.title = "inline"</script>';
  const server = createServer((request, response) => {
    const script = request.url === "/a.js";
    response.setHeader("content-security-policy", "default-src 'self'");
    response.setHeader("content-type", script ? "text/javascript" : "text/html; charset=utf-8");
    response.end(script ? 'document.title += " after " + document.getElementById("p").textContent' : page);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  try {
    const { port } = server.address() as AddressInfo;
    const tab = await opened.browser.newPage();
    await tab.goto(`http://127.0.0.1:${port}/`);
    assert.equal(await tab.title(), "before after 数据", "the page's script runs, the inline one is refused");
    assert.ok((await tab.screenshot()).length > 1000);
    await tab.close();
    const second = await opened.browser.newPage();
    await second.goto(`http://127.0.0.1:${port}/`);
    assert.equal(await second.title(), "before after 数据", "it survives a closed page");
  } finally {
    await opened.close();
    server.close();
  }
  assert.throws(() => process.kill(opened.pid, 0), /ESRCH/);
});
