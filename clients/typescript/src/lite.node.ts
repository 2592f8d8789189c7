import { createHostEnvironment } from "./host/environment.ts";
import { nodeSockets } from "./host/node-web-socket.ts";
import { connectLite } from "./lite/lite-client.ts";
import type { LiteClient } from "./lite/lite-face.ts";
import type { LiteConnectOptions } from "./lite/lite-options.ts";

// All but connect(), which the declaration below replaces.
export * from "./lite.ts";

/**
 * Connects to a gateway: resolves when it has welcomed this client, rejects with ConnectionError.
 * `ws://host:port` means its path `/v1/ws`.
 */
export function connect(url: string, options: LiteConnectOptions = {}): Promise<LiteClient> {
  return connectLite(url, options, createHostEnvironment(options, nodeSockets));
}
