import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import { TransportOptionsError } from "./transport-options.ts";

/**
 * The IP address that a host stands for. Both transports listen on what this returns, so that it
 * can be said exactly. Rejects with TransportOptionsError if the name stands for none.
 */
export async function resolveListenAddress(host: string): Promise<string> {
  if (isIP(host) !== 0) return host;
  try {
    return (await lookup(host)).address;
  } catch (error) {
    const message = `"${host}" is not an address of this machine: ${(error as Error).message}`;
    throw new TransportOptionsError("host", message, { cause: error });
  }
}
