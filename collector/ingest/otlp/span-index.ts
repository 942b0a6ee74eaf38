/**
 * Which service a span belongs to, so that the service that called can be found by the parent of the one that answered.
 *
 * Either may come first: a server's span often arrives before that of its client, from another process. Bounded: the oldest
 * is forgotten. A pair that is missed costs a name (an address instead of a service), never a count.
 */
import { limits } from "#shared/limits.ts";
import type { SpanKind } from "../decode/otlp.ts";

export interface Known<T> {
  readonly owner: T;
  readonly service: string;
  readonly kind: SpanKind;
  /** What the span calls, as its attributes name it. */
  readonly callee: string;
}

export class SpanIndex<T> {
  readonly #spans = new Map<string, Known<T>>();
  /** Services that answered, by the span that called them, while that is not known. */
  readonly #waiting = new Map<string, string>();

  /** Remembers a span; the service that has already answered it, if one has. */
  add(spanId: string, known: Known<T>): string | undefined {
    put(this.#spans, spanId, known);
    const service = this.#waiting.get(spanId);
    this.#waiting.delete(spanId);
    return service;
  }

  /** The span that called; when it is not known yet, `service` waits for it. */
  callerOf(parentId: string, service: string): Known<T> | undefined {
    const caller = this.#spans.get(parentId);
    if (caller === undefined) put(this.#waiting, parentId, service);
    return caller;
  }
}

function put<V>(map: Map<string, V>, key: string, value: V): void {
  if (map.size >= limits.otlpSpansRememberedMax) map.delete(map.keys().next().value!);
  map.set(key, value);
}
