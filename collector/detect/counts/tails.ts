/**
 * How improbable a count is: -log10 of a tail probability, 0 to 16, the scale of every score.
 *
 * Too many failures: K of n is beta-binomial, as if the failure probability itself were drawn anew for each window from a Beta
 * distribution with this mean and concentration (Skellam 1948); the larger the concentration, the nearer to a binomial.
 * Too few events: N is negative binomial, a Poisson variable whose rate varies by a gamma factor of this relative variance.
 * Both tails are summed term by term, each from the one before: some tens of terms as a rule, some thousands at worst.
 */

const surpriseMax = 16;
/** What the rest of a tail may be of all of it. */
const enough = 1e-9;
/**
 * Larger counts are judged as this many in proportion: by then the share itself varies far more than its count does, and a window is
 * never less improbable for being larger.
 */
const countMax = 100_000;
/** A relative variance below this cannot be told from none: a hundredth of the rate. */
const dispersionMin = 1e-4;

/**
 * -log10 P(K >= failed) of `trials` that fail with a probability of mean `share` (0 to 1, exclusive) and this concentration (> 0; the
 * correlation of two trials is 1 / (concentration + 1)). 0 where nothing was tried.
 */
export function surpriseOfFailures(
  failed: number,
  trials: number,
  share: number,
  concentration: number,
): number {
  if (!(trials > 0) || failed <= 0) return 0;
  const scale = Math.min(1, countMax / trials);
  const n = trials * scale;
  const first = Math.min(failed * scale, n);
  const a = share * concentration;
  const b = concentration - a;
  const logFirst =
    logGamma(n + 1) -
    logGamma(first + 1) -
    logGamma(n - first + 1) +
    logBeta(first + a, n - first + b) -
    logBeta(a, b);
  let term = 1;
  let sum = 1;
  for (let k = first; k + 1 <= n; k += 1) {
    const step = ((n - k) * (k + a)) / ((k + 1) * (n - k - 1 + b));
    term *= step;
    sum += term;
    if (step < 1 && term < enough * sum * (1 - step)) break;
  }
  return toScore(-(logFirst + Math.log(sum)) / Math.LN10);
}

/**
 * -log10 P(N <= events) where `expected` (> 0) are expected and their rate varies with this relative variance (>= 0): a rate that is
 * usually within a fifth has 0.04.
 */
export function surpriseOfScarcity(events: number, expected: number, dispersion: number): number {
  const size = 1 / Math.max(dispersionMin, dispersion);
  const scale = Math.min(1, countMax / expected);
  const chance = (expected * scale) / (size + expected * scale);
  const first = Math.floor(Math.max(0, events) * scale);
  const logFirst =
    logGamma(first + size) -
    logGamma(size) -
    logGamma(first + 1) +
    size * Math.log1p(-chance) +
    first * Math.log(chance);
  let term = 1;
  let sum = 1;
  for (let k = first; k >= 1; k -= 1) {
    const step = k / ((k - 1 + size) * chance);
    term *= step;
    sum += term;
    if (step < 1 && term < enough * sum * (1 - step)) break;
  }
  return toScore(-(logFirst + Math.log(sum)) / Math.LN10);
}

/**
 * The score that is wanted where a policy or feedback multiplies what is wanted. A more sensitive policy tells smaller differences, but
 * hardly less certain ones: at half of the score every hour would have its alarm.
 */
export function scoreWanted(usual: number, factor: number): number {
  return Math.min(surpriseMax, usual * (factor > 1 ? factor : 0.75 + 0.25 * factor));
}

function toScore(surprise: number): number {
  return Math.min(surpriseMax, Math.max(0, surprise));
}

function logBeta(a: number, b: number): number {
  return logGamma(a) + logGamma(b) - logGamma(a + b);
}

/** Lanczos' approximation with g = 7 and Godfrey's nine coefficients, good to 1e-13. */
const lanczosG = 7;
const lanczosFirst = 0.999_999_999_999_809_9;
const lanczos = [
  676.520_368_121_885_1, -1259.139_216_722_402_8, 771.323_428_777_653_1, -176.615_029_162_140_6,
  12.507_343_278_686_905, -0.138_571_095_265_720_12, 9.984_369_578_019_572e-6, 1.505_632_735_149_311_6e-7,
];
const halfLogTau = 0.5 * Math.log(2 * Math.PI);

/** ln Γ(x) for x > 0. */
function logGamma(x: number): number {
  // Below a half the series loses digits; one step of the recurrence keeps them, however small x is.
  if (x < 0.5) return logGamma(x + 1) - Math.log(x);
  let sum = lanczosFirst;
  for (let index = 0; index < lanczos.length; index += 1) sum += lanczos[index]! / (x + index);
  const t = x + lanczosG - 0.5;
  return halfLogTau + (x - 0.5) * Math.log(t) - t + Math.log(sum);
}
