import type { PortLike, WorkerMessage } from "./port-messages.ts";
import { SharedHost } from "./shared-host.ts";

// The script of the shared worker: one connection for every tab that joins.

type WorkerScope = {
  onconnect: ((event: { readonly ports: readonly [PortLike<WorkerMessage>] }) => void) | null;
  readonly navigator?: {
    readonly locks?: { request(name: string, holder: () => void): Promise<void> };
  };
};

const scope = globalThis as unknown as WorkerScope;

const host = new SharedHost((name, callback) => {
  // Granted when the tab that holds it is gone; a host that refuses it tells nothing.
  scope.navigator?.locks?.request(name, callback).catch(() => undefined);
});

scope.onconnect = ({ ports: [port] }) => host.join(port);
