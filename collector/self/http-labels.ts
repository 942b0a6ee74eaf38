/** Routes and status classes of the HTTP listener, as labels of its metrics. */
export const httpRoutes = [
  "incidents",
  "incident",
  "command",
  "change",
  "changes",
  "hosts",
  "host_series",
  "series",
  "ledger",
  "system",
  "topology",
  "feedback",
  "metrics",
  "healthy",
  "ready",
  "console",
  "otlp",
  "upgrade",
  "none",
] as const;
export type HttpRoute = (typeof httpRoutes)[number];

/** The status classes: exact codes would be a label that only a reader of the source could list. */
export const httpCodes = ["2xx", "3xx", "4xx", "5xx"] as const;
export type HttpCode = (typeof httpCodes)[number];
