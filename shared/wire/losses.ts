/** What is missing: the section of a frame in which an agent accounts for samples that will not come. */
import { WireError } from "../errors.ts";
import { limits } from "../limits.ts";
import type { ByteReader, ByteWriter } from "./bytes.ts";

/** Why samples are missing. The position is the code on the wire: append only. */
export const lossReasons = [
  "spool_full",
  "spool_expired",
  "agent_restart",
  "tick_missed",
  "spool_corrupt",
  "disk_full",
  "shed",
  "too_late",
  "clock",
  "too_many_series",
  "invalid",
] as const;
export type LossReason = (typeof lossReasons)[number];

export interface LossRecord {
  readonly reason: LossReason;
  readonly fromMs: number;
  readonly toMs: number;
  readonly series: number;
  readonly samples: number;
}

export function writeLosses(out: ByteWriter, losses: readonly LossRecord[]): void {
  out.varint(losses.length);
  for (const loss of losses) {
    out.byte(lossReasons.indexOf(loss.reason));
    out.varint(loss.fromMs);
    out.varint(loss.toMs - loss.fromMs);
    out.varint(loss.series);
    out.varint(loss.samples);
  }
}

export function readLosses(part: ByteReader): LossRecord[] {
  const count = part.varint("losses", limits.lossesPerFrameMax);
  const losses: LossRecord[] = [];
  for (let index = 0; index < count; index += 1) {
    const code = part.byte();
    const reason = lossReasons[code];
    if (reason === undefined) throw new WireError("malformed", `loss reason ${code} is not known here`);
    const fromMs = part.varint("loss from");
    const toMs = fromMs + part.varint("loss duration");
    losses.push({
      reason,
      fromMs,
      toMs,
      series: part.varint("loss series"),
      samples: part.varint("loss samples"),
    });
  }
  return losses;
}
