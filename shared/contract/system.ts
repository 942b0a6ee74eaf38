/** `GET /api/v1/system`: the state of the whole, and what an auditor asks: which policy judged when. */
import * as z from "zod/mini";
import { systemStateSchema } from "./live.ts";

export const judgeSchema = z.object({
  /** SHA-256 of detection's policy (rules, calendar, maintenance windows) as JSON with sorted keys; "" before 0.1.0 kept it. */
  policy: z.string(),
  version: z.string(),
  /** When it began to judge; it did so until the next one began. */
  sinceMs: z.int(),
});
export type Judge = z.infer<typeof judgeSchema>;

export const systemReportSchema = z.object({
  state: systemStateSchema,
  /** The calendar's zone, and what class of day it is there now. */
  calendar: z.object({ zone: z.string(), dayClass: z.string() }),
  /** Oldest first, at most `limits.judgesKeptMax`; the last one judges now. */
  judges: z.array(judgeSchema),
});
export type SystemReport = z.infer<typeof systemReportSchema>;
