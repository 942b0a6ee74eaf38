/**
 * Schemas without compiled validators. Those need `eval`, which the console's Content-Security-Policy forbids; even asking
 * whether it is there is reported as a violation. A page calls this before its first parse. Costs some microseconds a frame.
 */
import * as z from "zod/mini";

export function validateWithoutEval(): void {
  z.config({ jitless: true });
}
