/** The browser's entry: starts the connection, listens to keys, draws the page. */
import { render } from "preact";
import { App } from "./app.tsx";
import { startPalette } from "./charts/palette.ts";
import { ErrorBoundary } from "./parts/error-boundary.tsx";
import { startKeyboard } from "./parts/keyboard.ts";
import { startNavigation } from "./state/navigation.ts";
import { startBadge } from "./parts/window-badge.ts";
import { startStore } from "./state/store.ts";
import "./styles/theme.css";
import "./styles/page.css";
import "./styles/parts.css";
import "./styles/screens.css";

const live = startStore();
addEventListener("online", () => live.nudge());
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") live.nudge();
});
startNavigation();
startPalette();
startKeyboard();
startBadge();

const root = document.getElementById("app");
if (root === null) throw new Error("BUG: index.html has no #app");
// What index.html says while the script loads; Preact would draw beside it.
root.replaceChildren();
render(
  <ErrorBoundary>
    <App />
  </ErrorBoundary>,
  root,
);
