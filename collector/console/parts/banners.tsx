/** What the operator must know about the page itself: that it is stale, old, or was away for a while. */
import { t, timeStyle } from "../state/settings.ts";
import { fresh, lastHeardMs, missed, nowMs, outdated, toldSystem, unreadableFrames } from "../state/store.ts";
import { language } from "../state/settings.ts";
import { detectionBehindMs } from "../view/freshness.ts";
import { formatAge, formatMoment } from "../view/time.ts";

export function Banners() {
  return (
    <div class="banners">
      <div role="status">
        <StaleBanner />
      </div>
      <BehindBanner />
      <AbsenceBanner />
      <BuildBanner />
    </div>
  );
}

function moment(atMs: number): string {
  return formatMoment(atMs, nowMs.value, timeStyle.value);
}

function StaleBanner() {
  const { state, ageMs } = fresh.value;
  if (state === "live" || state === "connecting") return null;
  const age = formatAge(ageMs, language.value);
  const text =
    lastHeardMs.value === null
      ? t("fresh.bannerNever", { age })
      : t("fresh.banner", { at: moment(lastHeardMs.value), age });
  return <p class={`banner banner-${state}`}>{text}</p>;
}

function BehindBanner() {
  const system = toldSystem.value;
  const behindMs = detectionBehindMs(system);
  if (behindMs === null || system === null || fresh.value.state !== "live") return null;
  const age = formatAge(behindMs, language.value);
  return <p class="banner banner-stale">{t("fresh.behind", { age, at: moment(system.watermarkMs) })}</p>;
}

function AbsenceBanner() {
  const absence = missed.value;
  if (absence === null) return null;
  const text = t("absence.text", {
    from: moment(absence.fromMs),
    to: moment(absence.toMs),
    opened: absence.opened.length,
    resolved: absence.resolved.length,
  });
  return (
    <p class="banner banner-note" role="status">
      {text}
      <button type="button" class="quiet" onClick={() => (missed.value = null)}>
        {t("absence.dismiss")}
      </button>
    </p>
  );
}

function BuildBanner() {
  if (!outdated.value && unreadableFrames.value === 0) return null;
  return (
    <p class="banner banner-note" role="status">
      {outdated.value ? t("fresh.newBuild") : t("fresh.unreadable", { n: unreadableFrames.value })}
      <button type="button" class="quiet" onClick={() => location.reload()}>
        {t("fresh.reload")}
      </button>
    </p>
  );
}
