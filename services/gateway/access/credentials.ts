/** Headers of a request: names in lower case, the values of a repeated header joined. */
type Headers = ReadonlyMap<string, string>;

/** A client certificate that a transport, or a proxy that is trusted, has verified. */
export type PeerCertificate = {
  /** What it may be known by: its subject, then its alternative names. */
  readonly names: readonly string[];
};

/** What a client shows to prove who it is. */
export type Credentials = {
  /** An API key or a token; undefined if the client shows none. */
  readonly secret: string | undefined;
  readonly certificate: PeerCertificate | undefined;
  readonly remoteAddress: string;
};

/** What a browser offers as one more subprotocol, because it can set no header. */
const SUBPROTOCOL_PREFIX = "tickwire.auth.";

/** The parameter of a query in which EventSource sends it, which can set no header either. */
const QUERY_PARAMETER = "access_token";

/** The secret in the headers: a bearer token, or a key in a header of its own. */
export function secretOfHeaders(headers: Headers): string | undefined {
  const bearer = /^bearer +(\S+) *$/i.exec(headers.get("authorization") ?? "")?.[1];
  return bearer ?? headers.get("x-api-key")?.trim();
}

/** The secret among the subprotocols that a client offers. It is never answered. */
export function secretOfSubprotocols(subprotocols: readonly string[]): string | undefined {
  const found = subprotocols.find((name) => name.startsWith(SUBPROTOCOL_PREFIX));
  return found?.slice(SUBPROTOCOL_PREFIX.length);
}

/** The subprotocols that may be quoted to the client. */
export function withoutSecrets(subprotocols: readonly string[]): readonly string[] {
  return subprotocols.map((name) =>
    name.startsWith(SUBPROTOCOL_PREFIX) ? `${SUBPROTOCOL_PREFIX}…` : name,
  );
}

/** The secret in a query, and the query without it, which is what everybody else gets to see. */
export function takeSecretOfQuery(query: string): {
  readonly secret: string | undefined;
  readonly query: string;
} {
  if (!query.includes(QUERY_PARAMETER)) return { secret: undefined, query };
  let secret: string | undefined;
  const others = query.split("&").filter((pair) => {
    const at = pair.indexOf("=");
    if ((at < 0 ? pair : pair.slice(0, at)) !== QUERY_PARAMETER) return true;
    secret ??= at < 0 ? "" : decoded(pair.slice(at + 1));
    return false;
  });
  return { secret, query: others.join("&") };
}

/** Neither keys nor tokens hold anything that has to be escaped, but a program may do it. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // It is no secret of ours then, and is refused as what it is.
    return text;
  }
}
