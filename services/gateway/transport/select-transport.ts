import { createNodeTransport } from "./node/transport.ts";
import type { Transport, TransportHandler, TransportOptions } from "./transport.ts";
import { loadUws } from "./uws-module.ts";
import type { UwsModule } from "./uws-module.ts";
import { createUwsTransport } from "./uws/transport.ts";

/** `auto` takes uWebSockets.js where it loads and Node's own otherwise. */
export const TRANSPORT_CHOICES = ["auto", "uws", "node"] as const;
export type TransportChoice = (typeof TRANSPORT_CHOICES)[number];

/** What `selectTransport` needs besides the transport's own options. */
type SelectTransportOptions = {
  readonly choice: TransportChoice;
  /** Called once, if `auto` has to fall back. */
  readonly onFallback: (reason: string) => void;
  /** Replaceable in tests. */
  readonly load?: () => Promise<UwsModule>;
};

/**
 * Creates the transport that `choice` names. Rejects with what kept it from listening; `uws` also
 * rejects where the native module cannot load.
 */
export async function selectTransport<Principal>(
  select: SelectTransportOptions,
  options: TransportOptions,
  handler: TransportHandler<Principal>,
): Promise<Transport> {
  if (select.choice === "node") return createNodeTransport(options, handler);
  if (select.choice === "auto") {
    if (options.tls?.clientCaFile !== undefined) {
      select.onFallback("uWebSockets.js does not tell whose certificate a client has shown");
      return createNodeTransport(options, handler);
    }
    try {
      await (select.load ?? loadUws)();
    } catch (error) {
      select.onFallback(error instanceof Error ? error.message : String(error));
      return createNodeTransport(options, handler);
    }
  }
  return createUwsTransport(options, handler);
}
