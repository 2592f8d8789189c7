import { isLoopbackHost, OwnHosts, parseHostPort } from "#core/host-name.ts";
import { quotedText } from "#core/visible-text.ts";

/** Headers of a request: names in lower case, the values of a repeated header joined. */
type Headers = ReadonlyMap<string, string>;

type OriginRules = {
  /** The host that the gateway listens on. */
  readonly host: string;
  /** Other hosts that it is reached as; `*` takes any. */
  readonly hosts: readonly string[];
  /** Origins of web pages that may use it besides its own and loopback's; `*` takes any. */
  readonly origins: readonly string[];
};

/** Why a request is not answered. */
type OriginRefusal = {
  readonly reason: "host" | "origin";
  readonly status: 403 | 421;
  readonly message: string;
};

/** Request headers that pages of allowed origins may send: those of the Connect protocol. */
const ALLOWED_HEADERS =
  "authorization, content-type, content-encoding, accept-encoding, connect-protocol-version, " +
  "connect-timeout-ms, connect-content-encoding, connect-accept-encoding, x-user-agent, x-api-key";

/** Response headers that those pages may read. */
const EXPOSED_HEADERS = "content-encoding, connect-content-encoding, retry-after";

/** A preflight is asked again after this long. */
const PREFLIGHT_SECONDS = "7200";

/**
 * Decides which web pages may talk to the gateway, for WebSocket and HTTP alike. Browsers name the
 * origin of a page; every other client names none and is not concerned.
 */
export class Origins {
  readonly #hosts: OwnHosts;
  readonly #origins: ReadonlySet<string>;

  constructor({ host, hosts, origins }: OriginRules) {
    this.#hosts = new OwnHosts(host, hosts);
    this.#origins = new Set(origins.map((origin) => origin.toLowerCase()));
  }

  /** Why a request or an upgrade with these headers is not answered; undefined if it is. */
  refusal(headers: Headers): OriginRefusal | undefined {
    const host = headers.get("host");
    if (!this.#hosts.has(host)) {
      const message = `the host ${quote(host)} is none of this gateway's; see gateway.hosts`;
      return { reason: "host", status: 421, message };
    }
    const origin = headers.get("origin");
    if (origin === undefined || this.#isAllowed(origin, host ?? "")) return undefined;
    const message = `pages of ${quote(origin)} may not use this gateway; see gateway.origins`;
    return { reason: "origin", status: 403, message };
  }

  /**
   * What an answer carries, so that the page that asked may read it. For requests that are not
   * refused.
   */
  corsHeaders(headers: Headers): Readonly<Record<string, string>> {
    const origin = headers.get("origin");
    if (origin === undefined) return { vary: "origin" };
    return {
      vary: "origin",
      "access-control-allow-origin": origin,
      "access-control-expose-headers": EXPOSED_HEADERS,
    };
  }

  /** What a preflight is answered with, besides status 204; undefined if the request is none. */
  preflightHeaders(method: string, headers: Headers): Readonly<Record<string, string>> | undefined {
    const isPreflight =
      method === "OPTIONS" && headers.has("origin") && headers.has("access-control-request-method");
    if (!isPreflight) return undefined;
    const isPrivate = headers.get("access-control-request-private-network") === "true";
    return {
      ...this.corsHeaders(headers),
      vary: "origin, access-control-request-method, access-control-request-headers",
      "access-control-allow-methods": "GET, POST",
      "access-control-allow-headers": ALLOWED_HEADERS,
      "access-control-max-age": PREFLIGHT_SECONDS,
      ...(isPrivate ? { "access-control-allow-private-network": "true" } : {}),
    };
  }

  #isAllowed(text: string, ownHost: string): boolean {
    const origin = text.toLowerCase();
    if (this.#origins.has("*") || this.#origins.has(origin)) return true;
    const match = /^(https?):\/\/(.+)$/.exec(origin);
    const page = match === null ? undefined : parseHostPort(match[2] ?? "");
    if (page === undefined) return false;
    if (isLoopbackHost(page.host)) return true;
    const own = parseHostPort(ownHost);
    const defaultPort = match?.[1] === "https" ? "443" : "80";
    // A proxy that ends TLS passes the Host on and not the scheme, so the scheme does not count.
    return (
      own !== undefined &&
      own.host === page.host &&
      (own.port || defaultPort) === (page.port || defaultPort)
    );
  }
}

function quote(text: string | undefined): string {
  if (text === undefined) return "that is not named";
  return `"${quotedText(text)}"`;
}
