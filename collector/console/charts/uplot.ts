/**
 * One small chart on uPlot: a curve, what was expected as a shaded band, the abnormal stretch thick and tinted.
 *
 * The only door to uPlot. It draws on a canvas and sets styles through the object model, which a strict
 * Content-Security-Policy allows. Cursors of charts with the same `syncKey` move together. 22 KB of the bundle.
 */
import "./browser-language.ts";
import uPlot from "uplot";
import "uplot/dist/uPlot.min.css";
import type { Curve, TimeRange, ValueRange } from "../view/chart-data.ts";
import type { Palette } from "./palette.ts";

export interface ChartContent {
  readonly curve: Curve;
  readonly time: TimeRange;
  readonly values: ValueRange;
  readonly band: { readonly low: number; readonly high: number } | null;
  readonly stretches: readonly TimeRange[];
}

export interface ChartOptions {
  readonly width: number;
  readonly height: number;
  readonly formatValue: (value: number) => string;
  /** Bytes: the axis is divided at 4 MiB, not at 4.77. */
  readonly binary: boolean;
  readonly syncKey: string;
  readonly palette: Palette;
  readonly formatTime: (atMs: number) => string;
  /** The index under the cursor, or null when the cursor has left. */
  readonly cursorMoved: (index: number | null) => void;
}

export interface Chart {
  show(content: ChartContent): void;
  resize(width: number, height: number): void;
  destroy(): void;
}

export function createChart(target: HTMLElement, first: ChartContent, options: ChartOptions): Chart {
  let content = first;
  const plot = new uPlot(
    {
      width: options.width,
      height: options.height,
      ms: 1,
      padding: [6, 18, 0, 0],
      legend: { show: false },
      cursor: {
        y: false,
        drag: { setScale: false, x: false, y: false },
        sync: { key: options.syncKey },
        points: { size: 7 },
      },
      scales: {
        x: { time: true, range: () => [content.time.fromMs, content.time.toMs] },
        y: { range: () => [content.values.min, content.values.max] },
      },
      axes: axes(options),
      series: [{}, line(options.palette.line, 1.5), line(options.palette.abnormal, 2.5)],
      hooks: {
        drawClear: [(u) => drawBackground(u, content, options.palette)],
        setCursor: [(u) => options.cursorMoved(u.cursor.idx ?? null)],
      },
    },
    columns(first.curve),
    target,
  );
  return {
    show(next) {
      content = next;
      plot.setData(columns(next.curve));
    },
    resize: (width, height) => plot.setSize({ width, height }),
    destroy: () => plot.destroy(),
  };
}

const powersOfTwo = Array.from({ length: 60 }, (_, exponent) => 2 ** exponent);

function columns({ timesMs, values, abnormal }: Curve): uPlot.AlignedData {
  return [[...timesMs], [...values], [...abnormal]];
}

function axes({ palette, formatValue, formatTime, binary }: ChartOptions): uPlot.Axis[] {
  const shared = {
    stroke: palette.text,
    font: "11px system-ui, sans-serif",
    grid: { stroke: palette.grid, width: 1 },
    ticks: { show: false },
  };
  return [
    {
      ...shared,
      size: 24,
      gap: 4,
      space: 64,
      grid: { show: false },
      values: (_, splits) => splits.map(formatTime),
    },
    {
      ...shared,
      size: 62,
      ...(binary ? { incrs: powersOfTwo } : {}),
      gap: 6,
      space: 30,
      values: (_, splits) => splits.map(formatValue),
    },
  ];
}

function line(stroke: string, width: number): uPlot.Series {
  return {
    stroke,
    width,
    spanGaps: false,
    points: { show: true, size: width * 2, fill: stroke, filter: lonely },
  };
}

/** A sample between two gaps makes no line; it is drawn as a point, or it would not be seen at all. */
function lonely(u: uPlot, seriesIndex: number): number[] {
  const values = u.data[seriesIndex] ?? [];
  const there = (i: number): boolean => typeof values[i] === "number";
  const indexes: number[] = [];
  for (let i = 0; i < values.length; i += 1) {
    if (there(i) && !there(i - 1) && !there(i + 1)) indexes.push(i);
  }
  return indexes;
}

function drawBackground(u: uPlot, { band, stretches }: ChartContent, palette: Palette): void {
  const { ctx, bbox } = u;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const stretch of stretches) {
    const left = u.valToPos(stretch.fromMs, "x", true);
    const right = Math.max(left + 2, u.valToPos(stretch.toMs, "x", true));
    ctx.fillStyle = palette.stretch;
    ctx.fillRect(left, bbox.top, right - left, bbox.height);
    // The ribbon stays visible where the tint alone would be too faint.
    ctx.fillStyle = palette.abnormal;
    ctx.fillRect(left, bbox.top + bbox.height - 3, right - left, 3);
  }
  if (band !== null) {
    const top = u.valToPos(band.high, "y", true);
    const bottom = u.valToPos(band.low, "y", true);
    ctx.fillStyle = palette.band;
    ctx.fillRect(bbox.left, top, bbox.width, Math.max(1, bottom - top));
    ctx.fillStyle = palette.bandEdge;
    for (const edge of [top, bottom]) ctx.fillRect(bbox.left, edge - 0.5, bbox.width, 1);
  }
  ctx.restore();
}
