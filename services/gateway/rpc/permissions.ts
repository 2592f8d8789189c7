import type { Channel } from "#core/instrument.ts";
import type { Principal } from "../access/principal.ts";
import type { Terms } from "../access/rights.ts";
import { RpcError } from "./rpc-error.ts";

/** @throws RpcError `unauthenticated` or `permission_denied` if he may not call the method. */
export function requireCall(principal: Principal, method: string): void {
  if (principal.isNobody) {
    const detail = { reason: "UNAUTHENTICATED" };
    const message = "this gateway serves who shows an API key or a token";
    throw new RpcError("unauthenticated", message, { detail });
  }
  if (!principal.mayCall(method)) throw permissionDenied(`calling ${method}`);
}

/** @throws RpcError `permission_denied` if he may not ask about the topic. */
export function requireTopic(
  principal: Principal,
  { venue, symbol }: { readonly venue: string; readonly symbol: string },
  channel: Channel,
): Terms {
  const terms = principal.may("query", { venue, symbol, channel });
  if (terms === undefined) throw permissionDenied(`asking about ${channel} of that instrument`);
  return terms;
}

/** In what way he may ask about a channel now; undefined if not, or only about the past of it. */
export function liveTerms(
  principal: Principal,
  { venue, symbol }: { readonly venue: string; readonly symbol: string },
  channel: Channel,
): Terms | undefined {
  const terms = principal.may("query", { venue, symbol, channel });
  return terms === undefined || terms.delayMs > 0 ? undefined : terms;
}

export function permissionDenied(what: string): RpcError {
  const detail = { reason: "PERMISSION_DENIED" };
  return new RpcError("permission_denied", `${what} is not among what you may`, { detail });
}
