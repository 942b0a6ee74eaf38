/** What a service may say of itself, without saying how: OpenTelemetry in a process of its own, nothing in a test. */
import type { Reply } from "./message.ts";

export type Attributes = Readonly<Record<string, string | number>>;
export type Headers = Readonly<Record<string, string | string[] | undefined>>;
export type Count = (value: number, attributes: Attributes) => void;
export type Measure = (value: number, attributes: Attributes) => void;

export interface Telemetry {
  /** Runs the answer to one request, as a span whose parent stands in `headers`; `run` never rejects. */
  serve(route: string, headers: Headers, run: () => Promise<Reply>): Promise<Reply>;
  /** Runs one call to `peer`, as a span; writes the context into `headers`. `run` never rejects. */
  call(
    peer: string,
    route: string,
    headers: Record<string, string>,
    run: () => Promise<Reply>,
  ): Promise<Reply>;
  count(name: string, unit: string, description: string): Count;
  /** A histogram of seconds. */
  measure(name: string, unit: string, description: string): Measure;
  gauge(name: string, unit: string, description: string, read: () => number, attributes?: Attributes): void;
  /** Sends what is left. */
  close(): Promise<void>;
}

export const noTelemetry: Telemetry = {
  serve: (_route, _headers, run) => run(),
  call: (_peer, _route, _headers, run) => run(),
  count: () => () => {},
  measure: () => () => {},
  gauge: () => {},
  close: () => Promise.resolve(),
};
