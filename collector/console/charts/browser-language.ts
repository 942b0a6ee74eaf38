/**
 * uPlot asks `Intl` for the browser's language while it loads, and `Intl` throws for one that is no language tag:
 * Chromium started under `LANG=C`, as on a wall display, says "en-US@posix", and the page would stay empty. Imported
 * before uPlot, for this effect.
 */
if (!isLanguageTag(navigator.language)) {
  Object.defineProperty(navigator, "language", { value: "en", configurable: true });
}

function isLanguageTag(text: string): boolean {
  try {
    return Intl.getCanonicalLocales(text).length === 1;
  } catch {
    return false;
  }
}
