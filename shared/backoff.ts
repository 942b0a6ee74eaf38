/**
 * Full-jitter exponential backoff: the wait is uniform in [0, min(cap, base * 2^attempt)], so that a thousand agents that
 * lost the same collector do not come back in the same second (Brooker, "Exponential Backoff And Jitter", AWS 2015).
 */
export interface BackoffOptions {
  readonly baseMs: number;
  readonly capMs: number;
  /** Uniform in [0, 1). Passed in, so that a run can be repeated from its seed. */
  readonly random: () => number;
}

export class Backoff {
  #attempt = 0;
  readonly #options: BackoffOptions;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** The next wait in milliseconds. */
  nextMs(): number {
    const { baseMs, capMs, random } = this.#options;
    const ceilingMs = Math.min(capMs, baseMs * 2 ** Math.min(this.#attempt, 30));
    this.#attempt += 1;
    return random() * ceilingMs;
  }

  /** Call when the other side has proved well (an acknowledgement, not a mere connection). */
  reset(): void {
    this.#attempt = 0;
  }
}
