/** The theme's colours for canvases, which cannot read custom properties themselves: read once for each change of theme. */
import { computed, effect, signal } from "../state/signals.ts";
import { theme } from "../state/settings.ts";

export interface Palette {
  readonly line: string;
  readonly band: string;
  readonly bandEdge: string;
  readonly stretch: string;
  readonly abnormal: string;
  readonly grid: string;
  readonly text: string;
}

const revision = signal(0);

export const palette = computed<Palette>(() => {
  void revision.value;
  const style = getComputedStyle(document.documentElement);
  const token = (name: string): string => style.getPropertyValue(name).trim();
  return {
    line: token("--chart-line"),
    band: token("--chart-band"),
    bandEdge: token("--chart-band-edge"),
    stretch: token("--chart-stretch"),
    abnormal: token("--chart-abnormal"),
    grid: token("--line"),
    text: token("--text-3"),
  };
});

export function startPalette(): void {
  const changed = (): void => {
    // A frame later: the document's own effect has set the theme by then.
    requestAnimationFrame(() => (revision.value += 1));
  };
  for (const query of ["(prefers-color-scheme: dark)", "(prefers-contrast: more)"]) {
    matchMedia(query).addEventListener("change", changed);
  }
  effect(() => {
    void theme.value;
    changed();
  });
}
