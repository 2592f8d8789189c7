import type { Instrument } from "@tickwire/proto/service";
import type { Catalog } from "../catalog/catalog.ts";
import { RpcError } from "./rpc-error.ts";

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
