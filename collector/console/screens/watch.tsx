/** What is being watched, how well and how fast: the ground on which "nothing abnormal" stands. */
import type { ComponentChildren } from "preact";
import { formatNumber } from "#shared/units.ts";
import { Link } from "../parts/link.tsx";
import { HostMark } from "../parts/marks.tsx";
import { Moment } from "../parts/moment.tsx";
import { seasonText, WarmupBar, warmupText } from "../parts/warmup-bar.tsx";
import { language, t } from "../state/settings.ts";
import { toldHosts, toldSystem } from "../state/store.ts";
import { RecentChanges } from "./recent-changes.tsx";
import { formatLag } from "../view/time.ts";

const silentShown = 4;

export function Watch() {
  const system = toldSystem.value;
  return (
    <aside class="watch" aria-labelledby="watch-title">
      <h2 id="watch-title">{t("watch.title")}</h2>
      {system === null ? (
        <p class="faint">{t("watch.unknown")}</p>
      ) : (
        <>
          <dl class="facts">
            <Fact name={t("watch.hosts")}>
              <Link to={{ screen: "hosts" }}>
                {system.hostsUp}/{system.hostsTotal}
              </Link>
            </Fact>
            <Fact name={t("watch.series")}>{grouped(system.series)}</Fact>
            <Fact name={t("watch.rate")}>{grouped(Math.round(system.samplesPerSecond))}</Fact>
            <Fact name={t("watch.lag")}>{formatLagFine(system.detectionLagMs)}</Fact>
            <Fact name={t("watch.weak")}>{grouped(system.weakSignals)}</Fact>
            <Fact name={t("watch.lost")}>{grouped(system.lostSamples)}</Fact>
            <Fact name={t("watch.feedback")}>
              <Link to={{ screen: "feedback" }}>{grouped(system.feedbacks)}</Link>
            </Fact>
            <Fact name={t("watch.upTo")}>
              <Moment atMs={system.watermarkMs} />
            </Fact>
            <Fact name={t("watch.version")}>{system.version}</Fact>
          </dl>
          <SilentHosts />
          <RecentChanges />
          <h3>{t("watch.baselines")}</h3>
          <WarmupBar warmup={system.warmup} />
          <p class="faint">{warmupText(system.warmup)}</p>
          <p class="faint">{seasonText(system.warmup)}</p>
          {system.warmup.provisional > 0 && <p class="faint">{t("warmup.hint")}</p>}
        </>
      )}
    </aside>
  );
}

function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

function SilentHosts() {
  const silent = (toldHosts.value ?? []).filter((host) => host.state === "silent");
  if (silent.length === 0) return null;
  return (
    <>
      <h3>
        {t("watch.silent")} · {silent.length}
      </h3>
      <ul class="plain">
        {silent.slice(0, silentShown).map((host) => (
          <li key={host.host}>
            <HostMark host={host} word={false} />{" "}
            <Link to={{ screen: "host", host: host.host }}>{host.host}</Link>{" "}
            <span class="faint">
              <Moment atMs={host.lastSeenMs} zone={false} />
            </span>
          </li>
        ))}
        {silent.length > silentShown && (
          <li>
            <Link to={{ screen: "hosts" }}>{t("watch.more", { n: silent.length - silentShown })}</Link>
          </li>
        )}
      </ul>
    </>
  );
}

function grouped(count: number): string {
  return count.toLocaleString("en").replaceAll(",", " ");
}

/** Below a second in milliseconds: this is where the product is fast, and where a slowdown shows first. */
function formatLagFine(lagMs: number): string {
  return lagMs < 1000 ? `${formatNumber(lagMs)} ms` : formatLag(lagMs, language.value);
}
