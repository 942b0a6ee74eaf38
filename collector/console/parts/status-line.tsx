/** The line that is on every screen: is anything wrong, can this page be trusted, who is missing. */
import { formatNumber } from "#shared/units.ts";
import { go } from "../state/navigation.ts";
import { language, t, theme, themes } from "../state/settings.ts";
import { arranged, counts, fresh, known, toldHosts, toldSystem } from "../state/store.ts";
import { route } from "../state/navigation.ts";
import { formatLag } from "../view/time.ts";
import { Icon } from "./icon.tsx";
import { Link } from "./link.tsx";
import { SeverityMark, ShapeIcon } from "./marks.tsx";
import { helpOpen } from "./help-dialog.tsx";

export function StatusLine() {
  const screen = route.value.screen;
  const hosts = screen === "hosts" || screen === "host";
  const incidents = screen === "incidents" || screen === "incident";
  return (
    <header class="status-line">
      <div class="status-inner">
        <Link to={{ screen: "incidents" }} class="brand">
          <Logo /> <span class="brand-name">Causeway</span>
        </Link>
        <nav aria-label={t("nav.label")}>
          <Link to={{ screen: "incidents" }} current={incidents}>
            {t("nav.incidents")}
          </Link>
          <Link to={{ screen: "hosts" }} current={hosts}>
            {t("nav.hosts")}
          </Link>
        </nav>
        <div class="status-facts" role="group" aria-label={t("status.label")}>
          <Counts />
          <HostsReporting />
          <LostSamples />
        </div>
        <Freshness />
        <div class="tools">
          <ThemeButton />
          <button
            type="button"
            class="tool"
            lang={language.value === "en" ? "zh-CN" : "en"}
            onClick={() => (language.value = language.value === "en" ? "zh-CN" : "en")}
          >
            {t("language.label")}
          </button>
          <button
            type="button"
            class="tool"
            aria-label={t("help.label")}
            title={t("help.label")}
            onClick={() => (helpOpen.value = true)}
          >
            ?
          </button>
        </div>
      </div>
      <p class="hidden-text" role="status">
        {known.value ? spokenCounts() : ""}
      </p>
    </header>
  );
}

function Counts() {
  if (!known.value) return null;
  const blind = toldSystem.value?.hostsUp === 0;
  if (counts.value.length === 0 && (blind || fresh.value.state !== "live")) {
    return (
      <span class="mark mark-calm">
        <ShapeIcon shape="hatch" />
        <span class="mark-word">{t("calm.unknownTitle")}</span>
      </span>
    );
  }
  if (counts.value.length === 0) {
    return (
      <span class="mark mark-calm">
        <ShapeIcon shape="square" />
        <span class="mark-word">{t("severity.calm")}</span>
      </span>
    );
  }
  return (
    <>
      {counts.value.map(({ severity, count }) => (
        <button key={severity} type="button" class="count" onClick={() => go({ screen: "incidents" })}>
          <b>{count}</b> <SeverityMark severity={severity} />
        </button>
      ))}
    </>
  );
}

function spokenCounts(): string {
  if (arranged.value.open.length === 0) return t("calm.text");
  return counts.value.map(({ severity, count }) => `${count} ${t(`severity.${severity}`)}`).join(", ");
}

function HostsReporting() {
  const system = toldSystem.value;
  if (system === null) return null;
  // A host that was stopped on purpose is not missing.
  const missing = (toldHosts.value ?? []).some((host) => host.state === "silent");
  return (
    <Link to={{ screen: "hosts" }} class={missing ? "fact fact-missing" : "fact"}>
      {system.hostsUp}/{system.hostsTotal} <span class="wide-only">{t("status.hosts")}</span>
    </Link>
  );
}

function LostSamples() {
  const lost = toldSystem.value?.lostSamples ?? 0;
  return lost === 0 ? null : (
    <span class="fact fact-lost">{t("status.lost", { n: formatNumber(lost) })}</span>
  );
}

function Freshness() {
  const { state, ageMs } = fresh.value;
  const age = formatLag(ageMs, language.value);
  const text =
    state === "connecting"
      ? t("fresh.connecting")
      : t(state === "live" ? "fresh.live" : "fresh.stale", { age });
  return (
    <span class={`fresh fresh-${state}`} title={t("fresh.hint")}>
      <span class="pulse" aria-hidden="true" />
      {text}
    </span>
  );
}

function ThemeButton() {
  const label = t("theme.label", { name: t(`theme.${theme.value}`) });
  const next = themes[(themes.indexOf(theme.value) + 1) % themes.length] ?? "auto";
  return (
    <button type="button" class="tool" aria-label={label} title={label} onClick={() => (theme.value = next)}>
      <Icon name={theme.value} />
    </button>
  );
}

/** A causeway: a road on arches. */
function Logo() {
  return (
    <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
      <path
        d="M2 17c3.4-7.4 16.6-7.4 20 0M2 17h20M7.2 17v-3.4M12 17v-4.800M16.8 17v-3.4"
        fill="none"
        stroke="currentColor"
        stroke-width="1.8"
        stroke-linecap="round"
      />
    </svg>
  );
}
