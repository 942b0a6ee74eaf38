/** How far learning is: one bar of three segments, told apart by filling as well as by lightness. */
import type { Warmup } from "#shared/contract/api.ts";
import { t, timeStyle } from "../state/settings.ts";
import { nowMs } from "../state/store.ts";
import { seasonProgress, warmupShares } from "../view/hosts.ts";
import { formatMoment } from "../view/time.ts";

const steps = ["ready", "provisional", "collecting"] as const;

export function WarmupBar({ warmup }: { warmup: Warmup }) {
  const shares = warmupShares(warmup);
  const percent = (share: number): number => Math.round(share * 100);
  const label = t("warmup.bar", {
    ready: percent(shares.ready),
    provisional: percent(shares.provisional),
    collecting: percent(shares.collecting),
  });
  return (
    <span class="warmup" role="img" aria-label={label} title={label}>
      {steps.map((step) => (
        <span
          key={step}
          class={`warmup-${step}`}
          style={{ flexGrow: shares[step] }}
          hidden={shares[step] === 0}
        />
      ))}
    </span>
  );
}

/** "100 % ready", or how much is and when the rest will be. */
export function warmupText(warmup: Warmup): string {
  const shares = warmupShares(warmup);
  const total = warmup.collecting + warmup.provisional + warmup.ready;
  if (total === 0) return t("warmup.none");
  // Rounded down: 100 % means all of them.
  const ready = `${Math.floor(shares.ready * 100)} % ${t("warmup.ready")}`;
  if (warmup.readyAtMs === null || shares.ready === 1) return ready;
  return `${ready} · ${t("warmup.readyAt", { at: formatMoment(warmup.readyAtMs, nowMs.value, timeStyle.value) })}`;
}

/** "time of day known for 140 of 284 series; weekends not yet". */
export function seasonText(warmup: Warmup): string {
  const progress = seasonProgress(warmup);
  if (progress === null) return "";
  const { workdays, restdays } = warmup;
  const total = warmup.collecting + warmup.provisional + warmup.ready;
  const day = t(`season.workdays.${progress.workdays}`, { known: workdays, total });
  return `${day}${t("season.and")}${t(`season.restdays.${progress.restdays}`, { known: restdays, total })}`;
}
