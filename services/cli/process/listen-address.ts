/**
 * An address as a client on this machine writes it. Where the server listens on every address, that
 * is the loopback one, because the wildcard cannot be connected to.
 */
function reachableAddress(host: string, port: number): string {
  return socketAddress(host === "0.0.0.0" || host === "::" ? "127.0.0.1" : host, port);
}

/** A host and a port in one text; an IPv6 host in brackets. */
export function socketAddress(host: string, port: number): string {
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Where a client on this machine reaches a server that speaks plain HTTP. */
export function reachableUrl(host: string, port: number): string {
  return `http://${reachableAddress(host, port)}/`;
}

/** Where a client on this machine reaches a gateway. */
export function gatewayUrl(
  { address, port }: { readonly address: string; readonly port: number },
  settings: {
    readonly tls: { readonly certFile?: string | undefined };
    readonly pathPrefix: string;
  },
): string {
  const scheme = settings.tls.certFile === undefined ? "http" : "https";
  return `${scheme}://${reachableAddress(address, port)}${settings.pathPrefix}/`;
}
