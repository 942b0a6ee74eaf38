/**
 * Who may speak to the listener, by the headers that a browser cannot forge.
 *
 * A page of another site can make a browser send requests here; it cannot choose the `Host` and `Origin` that the browser
 * writes. `Host` is checked against names that lead here, because a name under an attacker's control can be made to point
 * to this machine after the page was loaded (DNS rebinding). `Origin` is checked on everything that changes something and on every
 * WebSocket, which browsers open across sites without asking. Programs send no `Origin` and are let through: they are not
 * a page that somebody was lured to.
 */
import { isLoopback } from "#shared/loopback.ts";

export interface Doors {
  /** Host names beside the loopback ones, without port. */
  readonly hosts: ReadonlySet<string>;
  /** Origins beside the listener's own, as a browser writes them: `https://causeway.example`. */
  readonly origins: ReadonlySet<string>;
}

/** Whether a `Host` header names this machine's loopback or a configured name. Any port: a forwarded port is still here. */
export function hostAllowed(header: string | undefined, { hosts }: Doors): boolean {
  const name = /^(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::\d{1,5})?$/.exec(header?.toLowerCase() ?? "")?.[1];
  return name !== undefined && (isLoopback(name.replace(/[[\]]/g, "")) || hosts.has(name));
}

/** Whether a request may act: no `Origin`, the one of the page that this listener served, or a configured one. */
export function originAllowed(
  origin: string | undefined,
  host: string | undefined,
  { origins }: Doors,
): boolean {
  return origin === undefined || origin === `http://${host}` || origins.has(origin);
}

/** On every answer. Scripts, styles and sockets come from here or not at all, and no page may frame the console. */
export const securityHeaders: readonly (readonly [string, string])[] = [
  [
    "Content-Security-Policy",
    "default-src 'self'; object-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  ],
  ["X-Content-Type-Options", "nosniff"],
  ["X-Frame-Options", "DENY"],
  ["Referrer-Policy", "no-referrer"],
  ["Cross-Origin-Opener-Policy", "same-origin"],
  ["Cross-Origin-Resource-Policy", "same-origin"],
];
