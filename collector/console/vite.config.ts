/**
 * Builds the console to `dist/console`: hashed files, nothing inline, nothing from another origin, so that it runs under
 * `Content-Security-Policy: default-src 'self'`.
 */
import { fileURLToPath } from "node:url";

export default {
  root: fileURLToPath(new URL(".", import.meta.url)),
  base: "/",
  build: {
    outDir: fileURLToPath(new URL("../../dist/console", import.meta.url)),
    emptyOutDir: true,
    target: "es2022",
    // A data: address would need its own entry in the policy.
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    sourcemap: false,
  },
};
