/** `npm run build:console`: the console, `dist/console`. */
import { fileURLToPath } from "node:url";
import { build } from "vite";

export async function buildConsole(): Promise<void> {
  const consoleRoot = fileURLToPath(new URL("../collector/console", import.meta.url));
  await build({ root: consoleRoot, configFile: `${consoleRoot}/vite.config.ts`, logLevel: "warn" });
}

if (import.meta.main) await buildConsole();
