/**
 * One tick of one host as the detectors see it: what is judged, by column. Scratch that is used again for the next tick.
 */
export class Tick {
  timeMs = 0;
  /** How many of the columns below are in use. */
  length = 0;
  series = new Uint32Array(0);
  /** What is judged: the value, or a counter's rate. */
  values = new Float64Array(0);
  /** How unusual each value is: squared deviations in units of the expected one (`level.ts`). */
  unusual = new Float64Array(0);
  /** Columns that need a second look. */
  attended = new Uint32Array(0);
  attendedCount = 0;
  /** The last step that ended: means of the samples in it, by column. */
  readonly step = { series: new Uint32Array(0), values: new Float64Array(0), length: 0 };

  reserve(columns: number): void {
    if (columns <= this.values.length) return;
    const capacity = Math.max(64, columns, this.values.length * 2);
    this.series = new Uint32Array(capacity);
    this.values = new Float64Array(capacity);
    this.unusual = new Float64Array(capacity);
    this.attended = new Uint32Array(capacity);
    this.step.series = new Uint32Array(capacity);
    this.step.values = new Float64Array(capacity);
  }
}
