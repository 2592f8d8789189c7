import type { Transport, TransportHandler, TransportOptions } from "./transport.ts";
import { loadUws } from "./uws-module.ts";
import type { UwsModule } from "./uws-module.ts";

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
  if (select.choice === "node") return await createNode(options, handler);
  if (select.choice === "auto") {
    if (options.tls?.clientCaFile !== undefined) {
      select.onFallback("uWebSockets.js does not tell whose certificate a client has shown");
      return await createNode(options, handler);
    }
    try {
      await (select.load ?? loadUws)();
    } catch (error) {
      select.onFallback(error instanceof Error ? error.message : String(error));
      return await createNode(options, handler);
    }
  }
  const { createUwsTransport } = await import("./uws/transport.ts");
  return await createUwsTransport(options, handler);
}

/** Only one of the two transports is read. */
async function createNode<Principal>(
  options: TransportOptions,
  handler: TransportHandler<Principal>,
): Promise<Transport> {
  const { createNodeTransport } = await import("./node/transport.ts");
  return await createNodeTransport(options, handler);
}
