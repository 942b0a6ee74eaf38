/**
 * Which service a span belongs to, so that the service that called can be found by the parent of the one that answered.
 *
 * Either may come first: a server's span often arrives before that of its client, from another process. Bounded: the oldest
 * is forgotten. A pair that is missed costs a name (an address instead of a service) and the time between both, never a count.
 */
import { limits } from "#shared/limits.ts";
import type { SpanKind } from "../decode/otlp.ts";
import type { Callee } from "./outcome.ts";

export interface Known<T> {
  readonly owner: T;
  readonly service: string;
  readonly kind: SpanKind;
  /** Whom the span calls, as its attributes say; null unless a client's. */
  readonly callee: Callee | null;
  /** By its owner's corrected clock. */
  readonly endMs: number;
  readonly durationMs: number;
}

/** The span that answered. */
export interface Answer {
  readonly service: string;
  readonly durationMs: number;
}

export class SpanIndex<T> {
  readonly #spans = new Map<string, Known<T>>();
  /** Answers by the span that called, while that is not known. */
  readonly #waiting = new Map<string, Answer>();

  /** Remembers a span; the answer to it, if that has come already. */
  add(spanId: string, known: Known<T>): Answer | undefined {
    put(this.#spans, spanId, known);
    const answer = this.#waiting.get(spanId);
    this.#waiting.delete(spanId);
    return answer;
  }

  /** The span that called; when it is not known yet, `answer` waits for it. */
  callerOf(parentId: string, answer: Answer): Known<T> | undefined {
    const caller = this.#spans.get(parentId);
    if (caller === undefined) put(this.#waiting, parentId, answer);
    return caller;
  }
}

function put<V>(map: Map<string, V>, key: string, value: V): void {
  if (map.size >= limits.otlpSpansRememberedMax) map.delete(map.keys().next().value!);
  map.set(key, value);
}
