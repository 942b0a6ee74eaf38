/**
 * Losses that no spooled frame carries yet. Neighbours of one reason become one record, so that an outage of weeks stays a
 * short list; beyond the limit the two oldest of one reason do.
 */
import { limits } from "#shared/limits.ts";
import { lossReasons, type LossRecord } from "#shared/wire/wire.ts";

export interface SavedLosses {
  readonly waiting: readonly LossRecord[];
  readonly dirty: boolean;
}

export class LossList {
  #waiting: LossRecord[] = [];
  /** In a frame that is encoded and not yet in the spool. */
  #taken: LossRecord[] = [];
  #dirty = false;

  add(loss: LossRecord): void {
    this.#dirty = true;
    const before = this.#waiting.findLastIndex(({ reason }) => reason === loss.reason);
    const last = this.#waiting[before];
    const joins = last !== undefined && before === this.#waiting.length - 1;
    if (last !== undefined && (joins || this.#waiting.length >= limits.lossesPerFrameMax)) {
      this.#waiting[before] = join(last, loss);
    } else {
      this.#waiting.push(loss);
    }
  }

  /** What the next frame carries. */
  take(): LossRecord[] {
    const taken = this.#waiting.slice(0, limits.lossesPerFrameMax);
    if (taken.length === 0) return taken;
    this.#dirty = true;
    this.#waiting = this.#waiting.slice(taken.length);
    this.#taken.push(...taken);
    return taken;
  }

  /** The frames that took losses will not come into the spool. */
  giveBack(): void {
    const taken = this.#taken;
    this.#taken = [];
    for (const loss of taken) this.add(loss);
  }

  /**
   * What must be stored for the next start, in the transaction that also stores the frames that took the first `carried` of
   * the losses taken; null when nothing changes.
   */
  changed(carried: number): string | null {
    if (!this.#dirty && carried === 0) return null;
    return JSON.stringify([...this.#taken.slice(carried), ...this.#waiting]);
  }

  /** That transaction has succeeded. */
  noted(carried: number): void {
    this.#dirty = false;
    this.#taken = this.#taken.slice(carried);
  }

  /** For a transaction that may fail: what `restore` goes back to. */
  save(): SavedLosses {
    return { waiting: [...this.#waiting], dirty: this.#dirty };
  }

  restore({ waiting, dirty }: SavedLosses): void {
    this.#waiting = [...waiting];
    this.#dirty = dirty;
  }

  /** Reads what `changed` gave; anything else is ignored. */
  load(text: string | null): void {
    if (text === null) return;
    const stored: unknown = JSON.parse(text);
    if (Array.isArray(stored)) this.#waiting = stored.filter(isLoss).slice(0, limits.lossesPerFrameMax);
  }
}

function join(a: LossRecord, b: LossRecord): LossRecord {
  return {
    reason: a.reason,
    fromMs: Math.min(a.fromMs, b.fromMs),
    toMs: Math.max(a.toMs, b.toMs),
    series: Math.max(a.series, b.series),
    samples: a.samples + b.samples,
  };
}

function isLoss(value: unknown): value is LossRecord {
  if (typeof value !== "object" || value === null || !("reason" in value)) return false;
  const loss = value as LossRecord;
  const numbers = [loss.fromMs, loss.toMs, loss.series, loss.samples];
  return (
    lossReasons.includes(loss.reason) &&
    numbers.every((number) => Number.isSafeInteger(number) && number >= 0)
  );
}
