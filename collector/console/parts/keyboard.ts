/** Listens to single keys and does what `view/keys.ts` makes of them. */
import { shownIds } from "../screens/incidents-screen.tsx";
import { browserClock } from "../state/browser-clock.ts";
import { go, goUp, route } from "../state/navigation.ts";
import { singleKeys } from "../state/settings.ts";
import { selectedId } from "../state/store.ts";
import { neighbour, rowId } from "../view/incident-list.ts";
import { type Command, type KeyState, pressKey } from "../view/keys.ts";
import { command } from "./command-dialog.tsx";
import { helpOpen } from "./help-dialog.tsx";

export function startKeyboard(): void {
  let state: KeyState = null;
  addEventListener("keydown", (event) => {
    // A dialog has the keyboard for itself.
    if (singleKeys.value === "off" || document.querySelector("dialog[open]") !== null) return;
    const typing = isTyping(event.target);
    if (typing && event.key === "Escape") return (event.target as HTMLElement).blur();
    const pressed = pressKey(state, {
      key: event.key,
      atMs: browserClock.monotonicMs(),
      modified: event.ctrlKey || event.altKey || event.metaKey,
      typing,
    });
    state = pressed.state;
    if (pressed.command !== null && run(pressed.command)) event.preventDefault();
  });
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement &&
    (target.isContentEditable ||
      ["TEXTAREA", "SELECT"].includes(target.tagName) ||
      (target instanceof HTMLInputElement && target.type !== "checkbox"))
  );
}

/** True when the key was used; an unused one keeps its meaning in the browser. */
function run(name: Command): boolean {
  switch (name) {
    case "next":
      return move(1);
    case "previous":
      return move(-1);
    case "open":
      return openSelected();
    case "back":
      return goUp();
    case "acknowledge":
      return acknowledge();
    case "useful":
    case "noise":
    case "withdraw":
    case "cause":
      return answer(name);
    case "help":
      helpOpen.value = true;
      return true;
    case "goIncidents":
      go({ screen: "incidents" });
      return true;
    case "goHosts":
      go({ screen: "hosts" });
      return true;
    case "goFeedback":
      go({ screen: "feedback" });
      return true;
    case "search":
      document.getElementById("search")?.focus();
      return document.getElementById("search") !== null;
  }
}

function move(step: number): boolean {
  if (route.value.screen !== "incidents") return false;
  const id = neighbour(shownIds.value, selectedId.value, step);
  if (id === null) return false;
  selectedId.value = id;
  document.getElementById(rowId(id))?.querySelector("a")?.focus();
  return true;
}

/** Enter on a focused link or button is the browser's; only a selection that lost its focus is opened here. */
function openSelected(): boolean {
  const idle = document.activeElement === document.body || document.activeElement === null;
  if (route.value.screen !== "incidents" || selectedId.value === null || !idle) return false;
  go({ screen: "incident", id: selectedId.value });
  return true;
}

/** Only where the incident is read whole: an answer is given after it was understood. */
function answer(kind: "useful" | "noise" | "withdraw" | "cause"): boolean {
  if (route.value.screen !== "incident") return false;
  command(kind, route.value.id);
  return true;
}

function acknowledge(): boolean {
  const id = route.value.screen === "incident" ? route.value.id : selectedId.value;
  if (id === null || (route.value.screen !== "incident" && route.value.screen !== "incidents")) return false;
  command("acknowledge", id);
  return true;
}
