/**
 * When drawing fails, a blank page would look like a dead product. Says what happened and offers the only thing that helps;
 * the address stays, so a reload leads back here.
 */
import { Component, type ComponentChildren } from "preact";
import { errorText } from "#shared/errors.ts";
import { t } from "../state/settings.ts";

interface State {
  readonly problem: string | null;
}

export class ErrorBoundary extends Component<{ children: ComponentChildren }, State> {
  override state: State = { problem: null };

  static override getDerivedStateFromError(error: unknown): State {
    return { problem: errorText(error) };
  }

  override render() {
    if (this.state.problem === null) return this.props.children;
    return (
      <main>
        <h1>{t("broken.title")}</h1>
        <p role="alert">{t("broken.text")}</p>
        <p class="id">{this.state.problem}</p>
        <p>
          <button type="button" class="button" onClick={() => location.reload()}>
            {t("fresh.reload")}
          </button>
        </p>
      </main>
    );
  }
}
