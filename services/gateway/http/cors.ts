// Cross-origin requests of browsers: https://fetch.spec.whatwg.org/#http-cors-protocol
import { errorAnswer } from "../transport/http-answer.ts";
import type { HttpRequest, HttpResponse } from "../transport/transport.ts";
import { shortened } from "./shortened.ts";

/** Whether a page of the request's `origin` may use this gateway. */
export type OriginRule = (request: Pick<HttpRequest, "headers">) => boolean;

/** Pages that this gateway serves itself, and pages that a server on this machine serves. */
export function isOwnOrLoopback({ headers }: Pick<HttpRequest, "headers">): boolean {
  const origin = headers.get("origin") ?? "";
  if (!/^https?:\/\//.test(origin) || !URL.canParse(origin)) return false;
  const { host, hostname } = new URL(origin);
  return host === headers.get("host")?.toLowerCase() || LOOPBACK.has(hostname);
}

const LOOPBACK: ReadonlySet<string> = new Set(["localhost", "127.0.0.1", "[::1]"]);

/** A browser asks again after this long. */
const PREFLIGHT_SECONDS = 7_200;

/**
 * Answers on behalf of `serve`, and tells a browser whether its page may read the answer. A request
 * without an origin is none of a page, and is served as it is.
 */
export async function serveCrossOrigin(
  request: HttpRequest,
  mayUse: OriginRule,
  serve: () => Promise<HttpResponse>,
): Promise<HttpResponse> {
  const origin = request.headers.get("origin");
  if (origin === undefined) return serve();
  if (!mayUse(request)) {
    const message = `pages of ${shortened(origin)} may not use this gateway`;
    return errorAnswer(403, "permission_denied", message, { vary: "origin" });
  }
  const asked = request.headers.get("access-control-request-method");
  if (request.method === "OPTIONS" && asked !== undefined) return preflightAnswer(origin);
  const answer = await serve();
  const vary = answer.headers["vary"];
  const headers = {
    ...answer.headers,
    vary: vary === undefined ? "origin" : `${vary}, origin`,
    "access-control-allow-origin": origin,
    // All of them: the trailers of a call come as headers of any name.
    "access-control-expose-headers": "*",
  };
  return { ...answer, headers };
}

/** Any header may be sent; `*` does not stand for authorization. */
function preflightAnswer(origin: string): HttpResponse {
  const headers = {
    vary: "origin, access-control-request-method, access-control-request-headers",
    "access-control-allow-origin": origin,
    "access-control-allow-methods": "GET, HEAD, POST",
    "access-control-allow-headers": "*, authorization",
    "access-control-max-age": String(PREFLIGHT_SECONDS),
  };
  return { status: 204, headers, body: "" };
}
