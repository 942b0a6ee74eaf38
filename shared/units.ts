/** Values as people read them: 1.4 GiB, 52 %, 3.2 cores. Used by the console, the log and the sentences of incidents. */

const binaryPrefixes = ["", "Ki", "Mi", "Gi", "Ti", "Pi"];
const decimalPrefixes = ["", "k", "M", "G", "T", "P"];

/** Three significant digits at most; no exponent below 1e15. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) return "–";
  if (value === 0) return "0";
  const magnitude = Math.floor(Math.log10(Math.abs(value)));
  const places = Math.min(6, Math.max(0, 2 - magnitude));
  return String(Number(value.toFixed(places)));
}

/** `unit` is UCUM; a rate has `/s` at its end (`By/s`). A dimensionless `1` reads as a percentage, its rate as so many a second. */
export function formatValue(value: number, unit: string): string {
  if (!Number.isFinite(value)) return "–";
  const perSecond = unit.endsWith("/s") ? "/s" : "";
  const base = perSecond === "" ? unit : unit.slice(0, -2);
  if (base === "1" && perSecond === "") return `${formatNumber(value * 100)} %`;
  if (base === "1") return `${scaled(value, 1000, decimalPrefixes)}/s`;
  if (base === "By") return `${scaled(value, 1024, binaryPrefixes)}B${perSecond}`;
  if (base === "s" && perSecond !== "") return `${formatNumber(value)} s/s`;
  if (base === "s")
    return Math.abs(value) >= 1 || value === 0
      ? `${formatNumber(value)} s`
      : `${formatNumber(value * 1000)} ms`;
  const word = /^\{(.*)\}$/.exec(base)?.[1];
  const shown = word === undefined ? base : counted(value, word);
  return `${scaled(value, 1000, decimalPrefixes)}${shown === "" ? "" : ` ${shown}`}${perSecond}`;
}

/** UCUM annotates what is counted in the singular. */
function counted(value: number, word: string): string {
  if (Math.abs(value) === 1 || !/[a-z]$/.test(word)) return word;
  if (/(?:s|x|ch|sh)$/.test(word)) return `${word}es`;
  return /[^aeiou]y$/.test(word) ? `${word.slice(0, -1)}ies` : `${word}s`;
}

function scaled(value: number, step: number, prefixes: readonly string[]): string {
  let rest = value;
  let index = 0;
  while (Math.abs(rest) >= step && index < prefixes.length - 1) {
    rest /= step;
    index += 1;
  }
  const prefix = prefixes[index] ?? "";
  return step === 1024 ? `${formatNumber(rest)} ${prefix}` : `${formatNumber(rest)}${prefix}`;
}
