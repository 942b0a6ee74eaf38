/** The ranked causes with what speaks for and against each; or, plainly, that none was identified. */
import type { Cause, Incident } from "#shared/contract/incident.ts";
import { renderText } from "#shared/text/text.ts";
import { Confidence } from "../parts/confidence.tsx";
import { entityName } from "../parts/entity-name.tsx";
import { EvidenceLine } from "../parts/evidence.tsx";
import { Sentence } from "../parts/sentence.tsx";
import { language, t } from "../state/settings.ts";
import { rankCauses } from "../view/confidence.ts";
import { inWords } from "#shared/text/metric-words.ts";

/** More is not read at night; the charts below show all of it. */
const evidenceShownMax = 6;

export function Causes({ incident }: { incident: Incident }) {
  const { identified, candidates } = rankCauses(incident);
  const starts = incident.symptoms.map((symptom) => symptom.startedMs);
  const firstSymptomMs = starts.length === 0 ? null : Math.min(...starts);
  return (
    <section aria-labelledby="causes-title">
      <h2 id="causes-title">{t("page.causes")}</h2>
      {identified.length === 0 && (
        <div class="cause cause-none">
          <p class="cause-title">{t("cause.notIdentified")}</p>
          <p class="faint">{t("cause.notIdentifiedHint")}</p>
        </div>
      )}
      <CauseList causes={identified} firstSymptomMs={firstSymptomMs} />
      {candidates.length > 0 && (
        <details class="candidates">
          <summary>{t("cause.candidates")}</summary>
          <CauseList causes={candidates} firstSymptomMs={firstSymptomMs} />
        </details>
      )}
    </section>
  );
}

interface CauseListProps {
  readonly causes: readonly Cause[];
  readonly firstSymptomMs: number | null;
}

function CauseList({ causes, firstSymptomMs }: CauseListProps) {
  return (
    <ol class="causes">
      {causes.map((cause, i) => (
        <CauseCard
          key={cause.entity + cause.kind}
          cause={cause}
          rank={i + 1}
          firstSymptomMs={firstSymptomMs}
        />
      ))}
    </ol>
  );
}

interface CauseCardProps {
  readonly cause: Cause;
  readonly rank: number;
  readonly firstSymptomMs: number | null;
}

function CauseCard({ cause, rank, firstSymptomMs }: CauseCardProps) {
  return (
    <li class={rank === 1 ? "cause cause-first" : "cause"}>
      <p class="cause-title">
        <span class="rank" aria-hidden="true">
          {rank}
        </span>
        <span>
          <Sentence text={renderText(inWords(cause.text, language.value), language.value)} />
        </span>
      </p>
      <p class="cause-meta">
        <Confidence confidence={cause.confidence} bar />
        <span>{t(`cause.${cause.kind}`)}</span>
        <span>{entityName(cause.entity)}</span>
      </p>
      {cause.evidence.length > 0 && (
        <>
          <h3>{t("cause.evidence")}</h3>
          <ul class="evidences">
            {cause.evidence.slice(0, evidenceShownMax).map((evidence) => (
              <EvidenceLine
                key={`${evidence.series} ${evidence.startedMs}`}
                evidence={evidence}
                firstSymptomMs={firstSymptomMs}
              />
            ))}
          </ul>
        </>
      )}
      {cause.counterEvidence.length > 0 ? (
        <>
          <h3>{t("cause.counter")}</h3>
          <ul class="evidences counter">
            {cause.counterEvidence.map((text) => {
              const line = renderText(text, language.value);
              return <li key={line}>{line}</li>;
            })}
          </ul>
        </>
      ) : (
        rank === 1 && <p class="faint">{t("cause.counterNone")}</p>
      )}
    </li>
  );
}
