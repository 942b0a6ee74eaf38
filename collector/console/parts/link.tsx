/** A link within the console: a real address, so that it can be opened in another tab, copied and sent. */
import type { ComponentChildren } from "preact";
import { go } from "../state/navigation.ts";
import { type Route, routePath } from "../view/route.ts";

export interface LinkProps {
  readonly to: Route;
  readonly class?: string;
  readonly current?: boolean;
  readonly children: ComponentChildren;
}

export function Link({ to, class: className, current, children }: LinkProps) {
  const follow = (event: MouseEvent): void => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    go(to);
  };
  return (
    <a
      href={routePath(to)}
      class={className}
      onClick={follow}
      aria-current={current === true ? "page" : undefined}
    >
      {children}
    </a>
  );
}
