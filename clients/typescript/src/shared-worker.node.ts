import type { Client } from "./client.ts";
import { connect } from "./index.node.ts";
import type { SharedConnectOptions } from "./shared-worker/connect-shared.ts";

export type { SharedConnectOptions } from "./shared-worker/connect-shared.ts";
export type { Client } from "./client.ts";

/** Node has no tabs: the client has a connection of its own. */
export function connectShared(url: string, options: SharedConnectOptions): Promise<Client> {
  return connect(url, options);
}
