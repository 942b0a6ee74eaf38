/** Addresses of screens, both ways. An address that is none is the list of incidents: a mistyped link still helps. */
export type Route =
  | { readonly screen: "incidents" }
  | { readonly screen: "incident"; readonly id: string }
  | { readonly screen: "hosts" }
  | { readonly screen: "host"; readonly host: string }
  | { readonly screen: "feedback" };

export function parseRoute(pathname: string): Route {
  const [first, second, ...rest] = pathname.split("/").filter((part) => part !== "");
  const name = decode(second);
  if (rest.length === 0 && first === "incidents" && name !== null) return { screen: "incident", id: name };
  if (rest.length === 0 && first === "hosts") {
    return name === null ? { screen: "hosts" } : { screen: "host", host: name };
  }
  if (first === "feedback" && second === undefined) return { screen: "feedback" };
  return { screen: "incidents" };
}

export function routePath(route: Route): string {
  switch (route.screen) {
    case "incidents":
      return "/";
    case "incident":
      return `/incidents/${encodeURIComponent(route.id)}`;
    case "hosts":
      return "/hosts";
    case "host":
      return `/hosts/${encodeURIComponent(route.host)}`;
    case "feedback":
      return "/feedback";
  }
}

function decode(part: string | undefined): string | null {
  if (part === undefined) return null;
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}
