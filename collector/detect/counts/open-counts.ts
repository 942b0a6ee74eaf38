/**
 * The life of what counts told on one host: opened once, told again when it grows, ended when what comes shows that it is over.
 *
 * A ratio is over when what came since is a hundred times likelier under the usual share than under half of the difference that was
 * told, as a cumulative sum: seven good ones after all failed, a few hundred after 3 % did, whatever time that takes. Nothing
 * coming is no sign of it. A volume is over with the first minute that brings a quarter of what is expected. After two hours what it
 * became is how it is, unless more than half fail.
 */
import type { Anomaly } from "#shared/anomaly.ts";
import { evidence } from "./ratio.ts";

const overEvidence = Math.log(100);
const overShare = 0.5;
const acceptMs = 2 * 3_600_000;
/** Told again when the score has grown by this much, or the value by a tenth after this long. */
const tellScore = 0.5;
const tellMs = 60_000;

export interface OpenCount {
  readonly flow: string;
  anomaly: Anomaly;
  toldMs: number;
  /** The largest share that was told: as the window grows with what is good again, the share falls, and would be ever harder to tell from the usual. */
  worst: number;
  /** Cumulative sum that it is over. */
  over: number;
}

export class OpenCounts {
  readonly #open = new Map<string, OpenCount>();
  #told: Anomaly[] = [];

  /** What `state` has of flows that are no longer judged ends. */
  constructor(state: OpenCountsState = [], isJudged: (flow: string) => boolean = () => true) {
    for (const [key, open] of state) {
      if (isJudged(open.flow)) this.#open.set(key, { ...open });
      else this.#told.push({ ...open.anomaly, ended: true });
    }
  }

  of(flow: string, what: string): OpenCount | undefined {
    return this.#open.size === 0 ? undefined : this.#open.get(`${what} ${flow}`);
  }

  all(): Anomaly[] {
    return [...this.#open.values()].map(({ anomaly }) => anomaly);
  }

  take(): readonly Anomaly[] {
    if (this.#told.length === 0) return this.#told;
    const told = this.#told;
    this.#told = [];
    return told;
  }

  open(flow: string, what: string, anomaly: Anomaly): void {
    this.#open.set(`${what} ${flow}`, {
      flow,
      anomaly,
      toldMs: anomaly.lastMs,
      worst: anomaly.value,
      over: 0,
    });
    this.#told.push(anomaly);
  }

  /** It goes on with this score and value; `now` says how it would be told now, `news` that it should be. */
  grow(
    open: OpenCount,
    now: () => Anomaly,
    {
      score,
      value,
      timeMs,
      news,
    }: { readonly score: number; readonly value: number; readonly timeMs: number; readonly news: boolean },
  ): void {
    const before = open.anomaly;
    open.worst = Math.max(open.worst, value);
    const moved = Math.abs(value - before.value) > 0.1 * Math.abs(before.value);
    const isNews = news || score >= before.score + tellScore || (timeMs - open.toldMs >= tellMs && moved);
    if (!isNews) {
      open.anomaly = { ...before, lastMs: timeMs };
      return;
    }
    const { id, startedMs, series, metric, entity, role } = before;
    const same = { id, startedMs, series, metric, entity, role, score: Math.max(score, before.score) };
    open.anomaly = { ...now(), ...same };
    open.toldMs = timeMs;
    this.#told.push(open.anomaly);
  }

  /** One more tick of an open ratio, of which `usual` is expected. True: it is over. */
  isOver(open: OpenCount, events: number, bad: number, usual: number): boolean {
    const told = usual + overShare * Math.max(0, open.worst - usual);
    if (told > usual) open.over = Math.max(0, open.over + evidence(events, bad, usual, told));
    return told <= usual || open.over >= overEvidence;
  }

  /** It has lasted so long that it is how things are. */
  isAccepted({ anomaly }: OpenCount, timeMs: number): boolean {
    return timeMs - anomaly.startedMs >= acceptMs;
  }

  end(flow: string, what: string, timeMs: number): void {
    const key = `${what} ${flow}`;
    const open = this.#open.get(key);
    if (open === undefined) return;
    this.#open.delete(key);
    this.#told.push({ ...open.anomaly, ended: true, lastMs: timeMs });
  }

  state(): OpenCountsState {
    return [...this.#open].map(([key, open]) => [key, { ...open }]);
  }
}

/** JSON. */
export type OpenCountsState = readonly (readonly [string, OpenCount])[];
