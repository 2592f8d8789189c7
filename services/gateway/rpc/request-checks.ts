import { MessageJsonError } from "@tickwire/proto/service";
import type { Instrument } from "@tickwire/proto/service";
import type { Channel } from "#core/instrument.ts";
import { visibleText } from "#core/visible-text.ts";
import { WireError } from "#wire/frame-codec.ts";
import type { Principal } from "../access/principal.ts";
import type { Terms } from "../access/rights.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { channelsOf } from "../catalog/channel-names.ts";
import { mayKnow, permittedInstrument, permittedNames } from "../catalog/permitted-names.ts";
import { explainUnknown, findInstrument } from "../catalog/unknown-name.ts";
import type { UnknownName } from "../catalog/unknown-name.ts";
import { permissionDenied, requireTopic } from "./permissions.ts";
import { RpcError } from "./rpc-error.ts";
import type { BoundMessage } from "./service-table.ts";

/** By then, the list of a venue that is starting may be there. */
const RETRY_AFTER_MS = 1_000;

/**
 * What `decode` makes of a request's bytes or text.
 * @throws RpcError `invalid_argument` if they are no message of this type.
 */
export function readRequest(message: BoundMessage, decode: () => unknown): unknown {
  try {
    return decode();
  } catch (error) {
    const isBadInput =
      error instanceof WireError ||
      error instanceof MessageJsonError ||
      error instanceof SyntaxError;
    if (!isBadInput) throw error;
    // The error of JSON.parse quotes some characters as they came.
    const text = `the request is not a ${message.name}: ${visibleText(error.message)}`;
    throw new RpcError("invalid_argument", text, { cause: error });
  }
}

/**
 * The instrument that a request names, by Tickwire's symbol or the venue's own.
 * @throws RpcError `invalid_argument`, `permission_denied`, `not_found`, or `unavailable` while the
 * list of the venue's instruments has not arrived.
 */
export function requireInstrument(
  catalog: Catalog,
  request: { readonly venue: string; readonly symbol: string },
  principal: Principal,
): Instrument {
  requireVenueText(request.venue);
  if (request.symbol === "") throw new RpcError("invalid_argument", "symbol is empty");
  const found = findInstrument(catalog, request);
  // Asked before anything is said about what there is, so that the answer does not tell.
  const { venue } = request;
  const symbol = found.kind === "found" ? found.instrument.symbol : request.symbol;
  if (!mayKnow(principal, { venue, symbol }))
    throw permissionDenied("asking about that instrument");
  if (found.kind === "found") return found.instrument;
  throw unknownNameError(catalog, found, principal);
}

/** @throws RpcError as `requireInstrument` does, for a venue as a whole. */
export function requireVenue(catalog: Catalog, venue: string, principal: Principal): void {
  requireVenueText(venue);
  if (!mayKnow(principal, { venue, symbol: "*" })) {
    throw permissionDenied("asking about that venue");
  }
  const standing = catalog.standingOf(venue);
  if (standing === "listed") return;
  const kind = standing === "unknown" ? "unknown-venue" : "not-ready";
  throw unknownNameError(catalog, { kind, venue }, principal);
}

function requireVenueText(venue: string): void {
  if (venue === "") throw new RpcError("invalid_argument", "venue is empty");
}

function unknownNameError(catalog: Catalog, unknown: UnknownName, principal: Principal): RpcError {
  const names = permittedNames(catalog, { principal, action: "query" });
  const { message, alternatives } = explainUnknown(names, unknown, { suggests: true });
  if (unknown.kind === "not-ready") {
    const detail = { reason: "NOT_READY", retryAfterMs: RETRY_AFTER_MS };
    return new RpcError("unavailable", message, { detail });
  }
  const reason = unknown.kind.toUpperCase().replaceAll("-", "_");
  // Neither symbols nor venues hold a space.
  const metadata = { alternatives: alternatives.join(" ") };
  return new RpcError("not_found", message, { detail: { reason, metadata } });
}

/**
 * In what way somebody may ask about a channel of the instrument.
 * @throws RpcError `permission_denied`, or `not_found` if nothing of the channel is streamed.
 */
export function requireChannel(
  instrument: Instrument,
  channel: Channel,
  principal: Principal,
): Terms {
  const terms = requireTopic(principal, instrument, channel);
  const channels = channelsOf(permittedInstrument(instrument, principal));
  if (channels.includes(channel)) return terms;
  const of = `${instrument.venue}:${instrument.symbol}`;
  const message = `${of} has no channel ${channel}; there are ${channels.join(", ")}`;
  const metadata = { alternatives: channels.join(" ") };
  throw new RpcError("not_found", message, { detail: { reason: "UNKNOWN_CHANNEL", metadata } });
}

/** @throws RpcError `invalid_argument` if `value` is above `high`. */
export function requireAtMost(name: string, value: number, high: number): void {
  if (value > high) throw new RpcError("invalid_argument", `${name} ${value} exceeds ${high}`);
}
