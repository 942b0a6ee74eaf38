// The colours of the theme, held to the contrasts that WCAG 2.2 AA asks for.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { test } from "node:test";
import { fileURLToPath } from "node:url";

const css = readFileSync(
  fileURLToPath(new URL("../../../collector/console/styles/theme.css", import.meta.url)),
  "utf8",
);

/** The custom properties of the first block that `selector` opens. */
function tokens(selector: string): ReadonlyMap<string, string> {
  const start = css.indexOf(`${selector} {`);
  assert.notEqual(start, -1, `theme.css has no ${selector}`);
  const block = css.slice(start, css.indexOf("}", start));
  return new Map(
    [...block.matchAll(/--([\w-]+):\s*([^;]+);/g)].map(([, name, value]) => [name!, value!.trim()]),
  );
}

function luminance(hex: string): number {
  const [r, g, b] = [1, 3, 5]
    .map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255)
    .map((share) => (share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4));
  return 0.2126 * r! + 0.7152 * g! + 0.0722 * b!;
}

function contrast(a: string, b: string): number {
  const [dark, light] = [luminance(a), luminance(b)].sort((x, y) => x - y);
  return (light! + 0.05) / (dark! + 0.05);
}

const light = tokens(":root");
const dark = tokens(':root[data-theme="dark"]');

for (const [name, theme] of [
  ["light", light],
  ["dark", dark],
] as const) {
  const colour = (token: string): string => theme.get(token) ?? assert.fail(`no --${token} in ${name}`);

  test(`text is readable on every ground (${name})`, () => {
    const grounds = ["bg", "panel", "raised", "warn-soft", "critical-soft"];
    for (const text of ["text", "text-2", "text-3", "warn", "critical", "info"]) {
      for (const ground of grounds) {
        const ratio = contrast(colour(text), colour(ground));
        assert.ok(ratio >= 4.5, `--${text} on --${ground}: ${ratio.toFixed(2)}`);
      }
    }
    assert.ok(contrast(colour("button-text"), colour("button")) >= 7);
  });

  test(`marks, lines and the focus stand out (${name})`, () => {
    for (const mark of ["ok", "info", "warn", "critical", "focus", "chart-line", "chart-abnormal"]) {
      for (const ground of ["bg", "panel"]) {
        const ratio = contrast(colour(mark), colour(ground));
        assert.ok(ratio >= 3, `--${mark} on --${ground}: ${ratio.toFixed(2)}`);
      }
    }
  });
}

test("dark is the same whether the system or the reader chose it", () => {
  assert.deepEqual(tokens(':root:not([data-theme="light"])'), dark);
});
