import { createHash, timingSafeEqual } from "node:crypto";
import type { IncomingHttpHeaders } from "node:http";

/** Whether somebody may see the state of a process; if not, what to answer. */
type AdminAccess =
  | { readonly kind: "granted" }
  | {
      readonly kind: "refused";
      readonly status: 401 | 403;
      /** For the metric. */
      readonly reason: "secret" | "remote";
      /** A sentence for whoever asked. */
      readonly message: string;
    };

/** Headers by which a proxy says that it asks for somebody else. */
const FORWARDED_HEADERS = ["forwarded", "x-forwarded-for", "x-real-ip", "via"];

/**
 * With a secret, whoever has it may see the state, from wherever. Without one, only this machine
 * may, and no proxy on it, because a proxy may ask for anybody.
 */
export function adminAccess(
  request: { readonly headers: IncomingHttpHeaders; readonly peerAddress: string | undefined },
  secret: string | undefined,
): AdminAccess {
  if (secret !== undefined) {
    const [, given = ""] = /^Bearer +(\S+)$/i.exec(request.headers.authorization ?? "") ?? [];
    if (isSame(given, secret)) return { kind: "granted" };
    const message = "the state is shown to whoever sends admin.secret as its bearer token";
    return { kind: "refused", status: 401, reason: "secret", message };
  }
  const isProxied = FORWARDED_HEADERS.some((name) => request.headers[name] !== undefined);
  if (!isProxied && isLoopbackAddress(request.peerAddress ?? "")) return { kind: "granted" };
  const message =
    "without admin.secret the state is shown to this machine only, and not through a proxy";
  return { kind: "refused", status: 403, reason: "remote", message };
}

/** Takes as long whatever is the same, and whatever the lengths are. */
function isSame(given: string, secret: string): boolean {
  const digestOf = (text: string): Buffer => createHash("sha256").update(text).digest();
  return timingSafeEqual(digestOf(given), digestOf(secret));
}

function isLoopbackAddress(address: string): boolean {
  return address === "::1" || /^(::ffff:)?127\.\d+\.\d+\.\d+$/i.test(address);
}
