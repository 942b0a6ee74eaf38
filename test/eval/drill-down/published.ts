/**
 * What other methods reach on the same kind of data. `measured`: with the methods' published code or an exact port of it, by these
 * figures; the papers themselves give no figures for these cases.
 */

/** On all 135 of RobustSpot's cases: name, top 1, F1, source. */
export const publishedShares: readonly (readonly string[])[] = [
  ["RobustSpot, one answer", "0.640", "0.654", "measured: its code, knee detection re-implemented"],
  ["RobustSpot, three answers", "", "0.425", "measured: its code, knee detection re-implemented"],
  ["Adtributor", "", "0.274", "measured: its code"],
  ["AutoRoot", "0.170", "0.261", "measured: its code"],
  ["recursive Adtributor", "0.096", "0.104", "measured: its code"],
  ["RiskLoc, asked about the ratio", "0.020", "0.025", "measured: its code"],
  ["Poisson scan over pooled history", "0.778", "0.755", "measured: what this scan came from"],
];

/** On RiskLoc's own data S. */
export const publishedVolumes: readonly (readonly string[])[] = [
  ["RiskLoc, on 100 cases of S", "", "0.597", "measured: an exact port of its code"],
  ["AutoRoot, on 30 cases of S", "", "0.435", "measured: its code"],
  ["Adtributor, on cases of S", "", "0.080", "measured: its code"],
];
