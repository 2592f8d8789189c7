import type { HostEnvironment } from "../host/environment.ts";
import { LiteCore } from "./lite-core.ts";
import { LiteClient } from "./lite-face.ts";
import type { LiteConnectOptions } from "./lite-options.ts";

/**
 * Resolves when the gateway has welcomed the client, rejects with ConnectionError, and with
 * RangeError for an option that is out of range.
 */
export function connectLite(
  url: string,
  options: LiteConnectOptions,
  environment: HostEnvironment,
): Promise<LiteClient> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const client = new LiteClient(new LiteCore(url, options, environment), environment);
    const abort = () => client.close();
    const stop = client.onState((state, error) => {
      stop();
      signal?.removeEventListener("abort", abort);
      if (state === "connected") resolve(client);
      else reject(error);
    });
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
  });
}
