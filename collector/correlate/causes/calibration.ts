/**
 * Written by `npm run make:calibration -- --data DIR` (`test/eval/root-cause/make-calibration.ts`), never by hand: a logistic regression
 * over 83 cases of 4 public systems (online-boutique, petshop, sock-shop, train-ticket), and as many windows without a fault.
 */
export const calibration = { intercept: -3.68, ofStrength: 2.5, ofMargin: 1.85 } as const;
