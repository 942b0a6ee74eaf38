/**
 * What others are reported to reach on the same public data, and where that is said.
 *
 * `read`: the figure was read in its source. `measured`: computed from the rival's own result files or from a re-implementation,
 * with these very formulas. `recalled`: from a paper, not read again; look it up before quoting it. Figures of single papers are
 * on their own cuts of the data and often with a threshold chosen on the test half: an anchor, not a race.
 */

export type Origin = "read" | "measured" | "recalled";

export interface Rival {
  readonly name: string;
  readonly origin: Origin;
  readonly source: string;
  /** Under the keys of the evaluation, so that they can stand beside ours. */
  readonly figures: Readonly<Record<string, number>>;
}

export interface NabRival extends Rival {
  /** What of the future it was given, as it was scored. */
  readonly lookAhead: string;
  readonly windowsHit?: number;
  readonly falseRows?: number;
}

const readme = "NAB's README; windows and rows counted in its result files";
const range = "the range of the whole file";

type Scores = readonly [standard: number, lowFp: number, lowFn: number];

function nab(name: string, scores: Scores, lookAhead: string, rest: Partial<NabRival>): NabRival {
  const [standard, lowFp, lowFn] = scores;
  return {
    name,
    origin: "read",
    source: readme,
    lookAhead,
    figures: { "nab.standard": standard, "nab.low_fp": lowFp, "nab.low_fn": lowFn },
    ...rest,
  };
}

/** On all 58 files and 116 windows, each at the threshold that is best for it. */
export const nabRivals: readonly NabRival[] = [
  nab("ARTime", [74.9, 65.1, 80.4], range, { windowsHit: 106, falseRows: 217 }),
  nab("Numenta HTM", [70.5, 62.6, 75.2], range, {
    windowsHit: 96,
    falseRows: 153,
    source: "NAB's README, upper end of the range that it gives",
  }),
  nab("CAD OSE", [69.9, 67.0, 73.2], range, { windowsHit: 92, falseRows: 64 }),
  nab("nab-comportex", [64.6, 58.8, 69.6], range, { source: "NAB's README" }),
  nab("NumentaTM", [64.6, 56.7, 69.2], range, { windowsHit: 91, falseRows: 193 }),
  nab("Skyline (earthgecko)", [58.2, 46.2, 63.9], "none", { windowsHit: 87, falseRows: 265 }),
  nab("KNN-CAD", [58.0, 43.4, 64.8], "none", { windowsHit: 91, falseRows: 313 }),
  nab("htm.java", [56.8, 50.7, 61.4], range, {
    source: "NAB's README; its result files are of a better run",
  }),
  nab("Relative entropy", [54.6, 47.6, 58.8], range, { windowsHit: 78, falseRows: 156 }),
  nab("Random cut forest (AWS)", [51.7, 38.4, 59.7], "none", { windowsHit: 87, falseRows: 384 }),
  nab("Twitter ADVec", [47.1, 33.6, 53.5], "the whole file: a batch method", {
    windowsHit: 77,
    falseRows: 295,
  }),
  nab("Windowed Gaussian", [39.6, 20.9, 47.4], "none", { windowsHit: 73, falseRows: 409 }),
  nab("Skyline (Etsy)", [35.7, 27.1, 44.5], "none", { windowsHit: 72, falseRows: 497 }),
];

const again = {
  origin: "measured",
  source: "its code with only the input range changed; its authors could adapt it better",
} as const;

/** The same detectors when the range is known from the past only: their own code or an exact port, run again. */
export const nabWithoutFuture: readonly NabRival[] = [
  nab("ARTime, expanding range", [58.8, 47.4, 64.5], "none", again),
  nab("CAD OSE, range of the first 15 %", [50.2, 40.6, 55.9], "none", again),
  nab("Relative entropy, range of the first 15 %", [34.1, 16.5, 42.0], "none", again),
];

const ofPart = {
  origin: "measured",
  source: "NAB's result files of the 31 files, with these formulas",
} as const;

/** On a part of 31 files with 57 windows, each at its own best threshold there. A part has its own scale: this one is easier. */
export const nabOf31: readonly NabRival[] = [
  nab("ARTime", [78.2, 70.4, 83.1], range, ofPart),
  nab("CAD OSE", [74.1, 71.7, 76.9], range, ofPart),
  nab("Numenta HTM", [71.2, 65.0, 75.9], range, ofPart),
];

function one(key: string, name: string, value: number, origin: Origin, source: string): Rival {
  return { name, origin, source, figures: { [key]: value } };
}

const contest = "kpi2018.delay7_f1";
export const kpiRivals: readonly Rival[] = [
  one(contest, "FCVAE", 0.835, "recalled", "WWW 2024"),
  one(contest, "SR-DNN, supervised", 0.811, "recalled", "Ren et al., KDD 2019"),
  one(contest, "SR-CNN", 0.771, "recalled", "Ren et al., KDD 2019"),
  one(contest, "Spectral residual", 0.675, "read", "a third party's reproduction"),
  one(contest, "DSPOT", 0.521, "recalled", "Ren et al., KDD 2019"),
  one(contest, "DONUT", 0.347, "recalled", "Ren et al., KDD 2019"),
  one(contest, "SPOT", 0.217, "recalled", "Ren et al., KDD 2019"),
  one(contest, "Grafana's adaptive bands", 0.534, "measured", "re-implemented from its documentation"),
  one("kpi2018.event_f1", "Netdata-like k-means", 0.38, "measured", "re-implemented from its documentation"),
  one(
    "kpi2018.event_f1",
    "Grafana's adaptive bands",
    0.23,
    "measured",
    "re-implemented from its documentation",
  ),
  one("kpi2018.vus_pr", "MOMENT", 0.38, "read", "TSB-AD, 15 files of its own cut"),
  one("kpi2018.vus_pr", "POLY", 0.31, "read", "TSB-AD, 15 files of its own cut"),
];

export const wsdRivals: readonly Rival[] = [
  one("wsd.delay7_f1", "FCVAE", 0.631, "recalled", "WWW 2024"),
  one("wsd.event_f1", "Grafana's adaptive bands", 0.66, "measured", "re-implemented from its documentation"),
  one("wsd.event_f1", "Netdata-like k-means", 0.39, "measured", "re-implemented from its documentation"),
  one("wsd.vus_pr", "MOMENT", 0.5, "read", "TSB-AD, 20 files of its own cut"),
  one("wsd.vus_pr", "POLY", 0.41, "read", "TSB-AD, 20 files of its own cut"),
];

const notebook = "Sarfraz et al., ICML 2024, notebook; 28 machines";
export const smdRivals: readonly Rival[] = [
  one("smd.point_f1", "PCA error, offline", 0.572, "read", notebook),
  one("smd.point_f1", "1-nearest neighbour, offline", 0.463, "read", notebook),
  one("smd.point_f1", "L2 norm", 0.404, "read", notebook),
  one("smd.point_f1", "Range deviation", 0.132, "read", notebook),
  one("smd.vus_pr", "PCA, offline", 0.36, "read", "TSB-AD, 20 files"),
  one("smd.vus_pr", "CNN", 0.35, "read", "TSB-AD, 20 files"),
];

export const asdRivals: readonly Rival[] = [
  one("asd.point_f1", "PCA, offline", 0.44, "measured", "re-implemented; 12 servers"),
];
