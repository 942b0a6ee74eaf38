/**
 * How fast everything is learned, for one interval between samples.
 *
 * Noise is averaged over a number of samples, trouble is judged over a stretch of time. So every constant is a number of
 * samples and a time, whichever is longer: the level follows 20 samples, but never less than three minutes. What looks for the
 * unprecedented works by steps of a minute (or the interval, if longer) and counts in units of 450 s, because an hour's
 * worth of one-second samples holds no more history than an hour's worth of minutes.
 */
export interface Scales {
  /** Per sample: weights of a new sample in the level, in the short mean, in the variances. */
  readonly level: number;
  /** The level's while an anomaly is open: two hours. */
  readonly openLevel: number;
  readonly sustained: number;
  readonly variance: number;
  /** Samples before a series is judged by its own history. */
  readonly warmupSamples: number;
  /** How many samples of its own its kind's variance stands for, and by what that is more at this interval. */
  readonly priorSamples: number;
  readonly priorWidening: number;
  /** Samples up to which an equal share of all is more than one of the weights above. */
  readonly youngSamples: number;
  /** Per step. */
  readonly stepMs: number;
  /** Steps in one unit of 450 s, at least 1. */
  readonly unit: number;
  readonly slowLevel: number;
  readonly longMean: number;
  readonly volatility: number;
  readonly forget: number;
  readonly recordDecay: number;
  readonly episodeSteps: number;
  readonly warmSteps: number;
  readonly muteSteps: number;
  /** From which the records raise an alarm: log 1.07 for steps of 300 s (1.04 to 1.09 give the same figures), log 1.48 for 60 s. */
  readonly alarmEvidence: number;
}

/** Six hours of one-second samples. */
const youngSamplesMax = 21_600;
/** 1 / (samples + 1), so that young series cost no division. */
export const shares = Float64Array.from({ length: youngSamplesMax }, (_, samples) => 1 / (samples + 1));
/** The priors are of samples this far apart; what is counted over a shorter time varies more. */
const priorIntervalMs = 10_000;
const minuteMs = 60_000;
const unitMs = 450_000;

let last: Scales | undefined;
let lastIntervalMs = 0;

export function scalesOf(intervalMs: number): Scales {
  if (last !== undefined && intervalMs === lastIntervalMs) return last;
  const stepMs = Math.max(minuteMs, intervalMs);
  const unit = Math.max(1, unitMs / stepMs);
  const episodeSteps = Math.round(100 * unit);
  const youngSamples = Math.min(youngSamplesMax, Math.max(3000, Math.round((6 * 3_600_000) / intervalMs)));
  last = {
    level: 1 / Math.max(20, 180_000 / intervalMs),
    openLevel: 1 / Math.max(20, 7_200_000 / intervalMs),
    sustained: 1 / Math.max(3, 30_000 / intervalMs),
    variance: 1 / youngSamples,
    youngSamples,
    warmupSamples: Math.max(18, Math.ceil(180_000 / intervalMs)),
    priorSamples: Math.max(12, Math.ceil(120_000 / intervalMs)),
    priorWidening: Math.sqrt(Math.max(1, priorIntervalMs / intervalMs)),
    stepMs,
    unit,
    slowLevel: 0.01 / unit,
    longMean: 3 / (24 * unit + 1),
    volatility: 0.05 / unit,
    forget: 2 ** (-1 / (700 * unit)),
    recordDecay: 2 ** (-episodeSteps / (20_000 * unit)),
    episodeSteps,
    warmSteps: Math.round(120 * unit),
    muteSteps: Math.round(100 * unit),
    alarmEvidence: Math.log(1.07) * (1 + 3 * Math.log(Math.max(1, unit / 1.5))),
  };
  lastIntervalMs = intervalMs;
  return last;
}
