/**
 * Written by `npm run make:calibration -- --data DIR` (`test/eval/root-cause/make-calibration.ts`), never by hand: a logistic regression
 * over 83 cases of 4 public systems (online-boutique, petshop, sock-shop, train-ticket), and as many windows without a fault.
 */
export const calibration = { intercept: -3.3, ofStrength: 0.3, ofRise: 2.29, ofMargin: 0.85 } as const;
