import { MessageJsonError } from "@tickwire/proto/service";
import type { Instrument } from "@tickwire/proto/service";
import { WireError } from "#wire/frame-codec.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { RpcError } from "./rpc-error.ts";
import type { BoundMessage } from "./service-table.ts";

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
    const text = `the request is not a ${message.name}: ${error.message}`;
    throw new RpcError("invalid_argument", text, { cause: error });
  }
}

/** The instrument that a request names. @throws RpcError `invalid_argument` or `not_found`. */
export function requireInstrument(
  catalog: Catalog,
  request: { readonly venue: string; readonly symbol: string },
): Instrument {
  if (request.venue === "") throw new RpcError("invalid_argument", "venue is empty");
  if (request.symbol === "") throw new RpcError("invalid_argument", "symbol is empty");
  const instrument = catalog.find(request.venue, request.symbol);
  if (instrument === undefined) {
    const message = `no instrument ${request.symbol} at ${request.venue}`;
    throw new RpcError("not_found", message, { detail: { reason: "UNKNOWN_INSTRUMENT" } });
  }
  return instrument;
}

/** @throws RpcError `invalid_argument` if `value` is above `high`. */
export function requireAtMost(name: string, value: number, high: number): void {
  if (value > high) throw new RpcError("invalid_argument", `${name} ${value} exceeds ${high}`);
}
