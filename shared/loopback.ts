/** Addresses that lead to this machine alone. Listeners take no others until there is TLS and sign-in. */

/** A host name or address, without brackets and port. */
export function isLoopback(name: string): boolean {
  return name === "localhost" || name === "::1" || /^127(\.\d{1,3}){3}$/.test(name);
}

/** "127.0.0.1:7420" or "[::1]:7420" -> its parts; undefined when it is not that. */
export function listenParts(listen: string): { host: string; port: number } | undefined {
  const [, bracketed, plain, port] = /^(?:\[([^\]]+)\]|([^:]+)):(\d{1,5})$/.exec(listen) ?? [];
  const host = bracketed ?? plain;
  return host === undefined || Number(port) > 65_535 ? undefined : { host, port: Number(port) };
}

export function isLoopbackListen(listen: string): boolean {
  const parts = listenParts(listen);
  return parts !== undefined && isLoopback(parts.host);
}
