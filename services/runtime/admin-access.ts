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

/** How a process recognises those who may see its state. */
export type AdminProof = {
  /** The bearer token of the configuration. */
  readonly secret: string | undefined;
  /** Whether a key or token of the clients' belongs to somebody who may; there may be none. */
  readonly mayAdminister: ((secret: string, remoteAddress: string) => Promise<boolean>) | undefined;
};

/**
 * Who shows the secret of the configuration may see the state, and who shows a key or token with a
 * role that may, from wherever. Without such a secret this machine may as well, but no proxy on it,
 * because a proxy may ask for anybody.
 */
export async function adminAccess(
  request: { readonly headers: IncomingHttpHeaders; readonly peerAddress: string | undefined },
  { secret, mayAdminister }: AdminProof,
): Promise<AdminAccess> {
  const { headers, peerAddress = "" } = request;
  const given = /^Bearer +(\S+)$/i.exec(headers.authorization ?? "")?.[1];
  if (secret !== undefined && isSame(given ?? "", secret)) return { kind: "granted" };
  if (given !== undefined && (await mayAdminister?.(given, peerAddress)) === true) {
    return { kind: "granted" };
  }
  if (secret !== undefined) {
    const message = "the state is shown to whoever sends admin.secret as its bearer token";
    return { kind: "refused", status: 401, reason: "secret", message };
  }
  const isProxied = FORWARDED_HEADERS.some((name) => headers[name] !== undefined);
  if (!isProxied && isLoopbackAddress(peerAddress)) return { kind: "granted" };
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
