/** The whole page: status line, banners, the open screen, dialogs. */
import { Banners } from "./parts/banners.tsx";
import { CommandDialog } from "./parts/command-dialog.tsx";
import { HelpDialog } from "./parts/help-dialog.tsx";
import { StatusLine } from "./parts/status-line.tsx";
import { FeedbackScreen } from "./screens/feedback-screen.tsx";
import { HostScreen } from "./screens/host-screen.tsx";
import { HostsScreen } from "./screens/hosts-screen.tsx";
import { IncidentScreen } from "./screens/incident-screen.tsx";
import { IncidentsScreen } from "./screens/incidents-screen.tsx";
import { route } from "./state/navigation.ts";
import { t } from "./state/settings.ts";
import { fresh } from "./state/store.ts";

export function App() {
  return (
    <div class={`page page-${fresh.value.state}`}>
      <a class="skip" href="#main">
        {t("app.skip")}
      </a>
      <StatusLine />
      <Banners />
      <main id="main" tabIndex={-1}>
        <Screen />
      </main>
      <CommandDialog />
      <HelpDialog />
    </div>
  );
}

function Screen() {
  const open = route.value;
  switch (open.screen) {
    case "incidents":
      return <IncidentsScreen />;
    case "incident":
      return <IncidentScreen key={open.id} id={open.id} />;
    case "hosts":
      return <HostsScreen />;
    case "host":
      return <HostScreen key={open.host} name={open.host} />;
    case "feedback":
      return <FeedbackScreen />;
  }
}
