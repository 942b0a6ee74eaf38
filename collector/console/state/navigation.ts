/** Which screen is open, kept in the address, so that a link to an incident can be sent to a colleague. */
import { parseRoute, type Route, routePath } from "../view/route.ts";
import { rowId } from "../view/incident-list.ts";
import { signal } from "./signals.ts";
import { selectedId } from "./store.ts";

export const route = signal<Route>(parseRoute(location.pathname));

/** Scroll position of the screens that were left, so that "back" returns to the same row. */
const scrolls = new Map<string, number>();

export function go(next: Route): void {
  const path = routePath(next);
  if (path === location.pathname) return;
  scrolls.set(location.pathname, scrollY);
  history.pushState(null, "", path);
  show(next, scrolls.get(path) ?? 0);
}

/** Back to the list that the open screen belongs to; false when a list is open already. */
export function goUp(): boolean {
  if (route.value.screen === "incident" || route.value.screen === "feedback") go({ screen: "incidents" });
  else if (route.value.screen === "host") go({ screen: "hosts" });
  else return false;
  return true;
}

export function startNavigation(): void {
  addEventListener("popstate", () =>
    show(parseRoute(location.pathname), scrolls.get(location.pathname) ?? 0),
  );
}

function show(next: Route, top: number): void {
  route.value = next;
  // After the new screen is drawn; its height decides how far the page scrolls.
  requestAnimationFrame(() => {
    scrollTo({ top });
    focusScreen(next);
  });
}

/** The keyboard goes on where it was in a list, and else begins at the new screen, not at the top of the page. */
function focusScreen(next: Route): void {
  const selected = next.screen === "incidents" && selectedId.value !== null ? selectedId.value : "";
  const row = document.getElementById(rowId(selected))?.querySelector("a");
  (row ?? document.getElementById("main"))?.focus({ preventScroll: true });
}
