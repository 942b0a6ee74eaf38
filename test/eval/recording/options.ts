/** What the evaluations on a recording of one's own are told: `--data DIR [--json FILE] [--verbose]`. */
import { parseArgs } from "node:util";
import { UsageError } from "../detection.ts";

export interface RecordingOptions {
  /** As `npm start` leaves it. */
  readonly folder: string;
  readonly json: string | undefined;
  readonly verbose: boolean;
}

/** `dataFolder` is what the environment says. Throws `UsageError`, and `parseArgs`' errors. */
export function recordingOptions(args: readonly string[], dataFolder: string | undefined): RecordingOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      data: { type: "string" },
      json: { type: "string" },
      verbose: { type: "boolean", default: false },
    },
  });
  const folder = values.data ?? dataFolder;
  if (folder === undefined)
    throw new UsageError("say where a collector's data are: --data DIR or CAUSEWAY_DATA");
  return { folder, json: values.json, verbose: values.verbose };
}
