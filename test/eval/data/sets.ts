/** The data sets that a folder has: a sub-folder each, any of them may be missing. */
import { existsSync } from "node:fs";
import { join } from "node:path";
import { loadHosts } from "./multivariate.ts";
import { loadNab } from "./nab.ts";
import type { Corpus, SetName } from "./series.ts";
import { loadUnivariate } from "./univariate.ts";

export const setNames = ["nab", "kpi2018", "wsd", "smd", "asd"] as const satisfies readonly SetName[];

/** Where each can be had by anybody. */
export const publicSources =
  "NAB github.com/numenta/NAB; KPI 2018 github.com/NetManAIOps/KPI-Anomaly-Detection; WSD github.com/CSTCloudOps/datasets; " +
  "SMD and ASD github.com/zhhlee/InterFusion";

const loaders: { readonly [Name in SetName]: (folder: string) => Corpus[Name] } = {
  nab: loadNab,
  kpi2018: loadUnivariate,
  wsd: loadUnivariate,
  smd: loadHosts,
  asd: loadHosts,
};

/** A set's data, or null when the folder does not have it. Throws `DataError` when it has it and it is damaged. */
export function loadSet<Name extends SetName>(folder: string, name: Name): Corpus[Name] | null {
  const own = join(folder, name);
  return existsSync(own) ? loaders[name](own) : null;
}

export function isSetName(name: string): name is SetName {
  return (setNames as readonly string[]).includes(name);
}
