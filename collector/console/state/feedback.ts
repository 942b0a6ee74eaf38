/** Operators' answers and what they changed, asked for again whenever an answer that this page knows of has changed. */
import { useEffect } from "preact/hooks";
import type { FeedbackList } from "#shared/contract/api.ts";
import { fetchFeedback } from "./api.ts";
import { computed, type Signal, useSignal } from "./signals.ts";
import { incidents, toldSystem } from "./store.ts";

/** Changes with every answer: those of incidents that are shown here, and the number of all. */
const stamp = computed(() => {
  const answers = [...incidents.value.values()].flatMap(({ id, feedback }) =>
    feedback === null ? [] : [`${id} ${feedback.verdict} ${feedback.atMs}`],
  );
  return [toldSystem.value?.feedbacks ?? 0, ...answers].join("\n");
});

export interface Asked {
  /** Null until the first answer. */
  readonly list: FeedbackList | null;
  readonly problem: string | null;
}

/** `incident`: of that one only. */
export function useFeedback(incident: string | null): Signal<Asked> {
  const asked = useSignal<Asked>({ list: null, problem: null });
  const changed = stamp.value;
  useEffect(() => {
    let gone = false;
    fetchFeedback(incident).then(
      (list) => !gone && (asked.value = { list, problem: null }),
      (error: unknown) => {
        const problem = error instanceof Error ? error.message : String(error);
        if (!gone) asked.value = { list: asked.value.list, problem };
      },
    );
    return () => void (gone = true);
  }, [incident, changed]);
  return asked;
}
