/** Keeps the window's title and icon at what `view/badge.ts` says. Icons are files: the policy allows no data: addresses. */
import { route } from "../state/navigation.ts";
import { t } from "../state/settings.ts";
import { computed, effect } from "../state/signals.ts";
import { counts, fresh } from "../state/store.ts";
import { badge } from "../view/badge.ts";

export function startBadge(): void {
  const title = computed(() => badge(counts.value, fresh.value, pageName()));
  effect(() => {
    document.title = title.value.title;
    const href = `/icon-${title.value.icon}.svg`;
    const link = document.getElementById("icon");
    // Setting the same address again would fetch and flicker.
    if (link?.getAttribute("href") !== href) link?.setAttribute("href", href);
  });
}

function pageName(): string {
  const open = route.value;
  switch (open.screen) {
    case "incidents":
      return "";
    case "incident":
      return open.id;
    case "hosts":
      return t("nav.hosts");
    case "host":
      return open.host;
    case "feedback":
      return t("feedback.all");
  }
}
