import assert from "node:assert/strict";
import { test } from "node:test";
import * as fc from "fast-check";
import { surpriseOfFailures, surpriseOfScarcity } from "#collector/detect/counts/tails.ts";

/** P(K = k) of n as a product of n ordinary factors: Polya's urn, no gamma function. */
function urn(n: number, k: number, a: number, b: number): number {
  let chance = 1;
  for (let i = 0; i < k; i += 1) chance *= ((a + i) * (n - i)) / ((a + b + i) * (k - i));
  for (let j = 0; j < n - k; j += 1) chance *= (b + j) / (a + b + k + j);
  return chance;
}

/** P(N = k) from P(N = 0) upwards. */
function negativeBinomial(k: number, expected: number, dispersion: number): number {
  const size = 1 / dispersion;
  let chance = (size / (size + expected)) ** size;
  for (let i = 1; i <= k; i += 1) chance *= ((size + i - 1) / i) * (expected / (size + expected));
  return chance;
}

function sumOf(from: number, to: number, chance: (k: number) => number): number {
  let sum = 0;
  for (let k = from; k <= to; k += 1) sum += chance(k);
  return sum;
}

const near = (got: number, want: number, within: number, what: string): void =>
  assert.ok(Math.abs(got - want) <= within, `${what}: got ${got}, want ${want}`);

test("so many failures are as improbable as the sum of all that is worse", () => {
  for (const n of [1, 3, 10, 40, 160]) {
    for (const share of [0.0005, 0.003, 0.1, 0.5, 0.97]) {
      for (const concentration of [0.5, 30, 2000]) {
        for (const failed of [1, 2, n >> 2, n >> 1, n]) {
          if (failed < 1 || failed > n) continue;
          const [a, b] = [share * concentration, (1 - share) * concentration];
          const tail = sumOf(failed, n, (k) => urn(n, k, a, b));
          const want = Math.min(16, Math.max(0, -Math.log10(tail)));
          near(
            surpriseOfFailures(failed, n, share, concentration),
            want,
            1e-6,
            `${failed} of ${n} at ${share}`,
          );
        }
      }
    }
  }
});

test("failures that do not depend on each other are binomial: 2 of 3 at 1 % are 2.98e-4", () => {
  near(surpriseOfFailures(2, 3, 0.01, 1e8), -Math.log10(3 * 0.01 ** 2 * 0.99 + 0.01 ** 3), 1e-4, "2 of 3");
});

test("so few events are as improbable as the sum of all that are fewer", () => {
  for (const expected of [0.3, 4, 40, 400]) {
    for (const dispersion of [0.001, 0.04, 0.5, 5]) {
      for (const events of [0, 1, 3, 30]) {
        const tail = sumOf(0, events, (k) => negativeBinomial(k, expected, dispersion));
        const want = Math.min(16, Math.max(0, -Math.log10(tail)));
        near(surpriseOfScarcity(events, expected, dispersion), want, 1e-6, `${events} of ${expected}`);
      }
    }
  }
});

const count = fc.integer({ min: 0, max: 400 });
const share = fc.double({ min: 1e-6, max: 0.999, noNaN: true });
const concentration = fc.double({ min: 0.1, max: 1e6, noNaN: true });

test("more failures are never less improbable, nor is the same number of fewer", () => {
  fc.assert(
    fc.property(count, count, share, concentration, (failed, others, p, c) => {
      const one = surpriseOfFailures(failed, failed + others, p, c);
      assert.ok(one >= 0 && one <= 16);
      assert.ok(surpriseOfFailures(failed + 1, failed + others + 1, p, c) >= one - 1e-9);
      assert.ok(surpriseOfFailures(failed, failed + others + 1, p, c) <= one + 1e-9);
    }),
    { seed: 1 },
  );
});

test("fewer events are never less improbable, nor are the same where more are expected", () => {
  const dispersion = fc.double({ min: 0, max: 10, noNaN: true });
  fc.assert(
    fc.property(
      count,
      fc.double({ min: 0.01, max: 1000, noNaN: true }),
      dispersion,
      (events, expected, d) => {
        const one = surpriseOfScarcity(events, expected, d);
        assert.ok(one >= 0 && one <= 16);
        assert.ok(surpriseOfScarcity(events + 1, expected, d) <= one + 1e-9);
        assert.ok(surpriseOfScarcity(events, expected * 1.5, d) >= one - 1e-9);
      },
    ),
    { seed: 2 },
  );
});

test("a billion events are judged like a million with the same share", () => {
  for (const failing of [0.004, 0.01]) {
    const million = surpriseOfFailures(failing * 1e6, 1e6, 0.003, 3000);
    const billion = surpriseOfFailures(failing * 1e9, 1e9, 0.003, 3000);
    near(billion, million, 1e-6, `${failing}`);
    assert.ok(million > 0.5 && million < 16, `${million}`);
  }
  assert.equal(surpriseOfScarcity(0, 1e12, 0), 16);
});
