/** What is wrong with a body that cannot be read. `reason` is a metric's label: a closed set of words. */
export const decodeReasons = ["truncated", "malformed", "too_deep", "too_many"] as const;
export type DecodeReason = (typeof decodeReasons)[number];

export class DecodeError extends Error {
  override readonly name = "DecodeError";
  readonly reason: DecodeReason;
  constructor(reason: DecodeReason, message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
