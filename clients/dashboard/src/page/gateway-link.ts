import { connect, type Client } from "@tickwire/client";
import { connectShared } from "@tickwire/client/shared-worker";
// oxlint-disable-next-line import/default -- what Vite makes of it is an address
import workerUrl from "@tickwire/client/shared-worker/script?worker&url";
import { AccessKeeper } from "../market/access-keeper.ts";
import { tokenEndMs } from "../market/access-words.ts";
import { afterMs, gatewayAddress, hasSharedWorkers, loadToken } from "./browser.ts";

/** The connection of this window to the gateway, which is dialled at once. */
export class GatewayLink {
  readonly access: AccessKeeper;
  /** Resolves with the first welcome; rejects with what trying again cannot get over. */
  readonly connecting: Promise<Client>;
  #client: Client | undefined;
  #onRenewal: (endsAtMs: number) => void = () => undefined;

  constructor() {
    const token = loadToken();
    this.access = new AccessKeeper(token, {
      isConnected: () => this.#client?.state === "connected",
      afterMs,
      onRenewal: (endsAtMs) => this.#onRenewal(endsAtMs),
    });
    this.connecting = this.#connect(token).then((client) => {
      this.#client = client;
      return client;
    });
  }

  /** The listener is told when the access ends soon, and a new token is waited for. */
  onRenewal(listener: (endsAtMs: number) => void): void {
    this.#onRenewal = listener;
  }

  /** Windows that show no key or token have one connection together. */
  #connect(token: string): Promise<Client> {
    const { url, webSocketPath } = gatewayAddress();
    const options = { webSocketPath, clientName: "tickwire-dashboard" };
    const isShared = token === "" && hasSharedWorkers();
    if (isShared) return connectShared(url, { ...options, workerUrl });
    const hasEnd = tokenEndMs(token) !== undefined;
    const shown = hasEnd ? () => this.access.current() : token;
    return connect(url, { ...options, waitForFirstConnect: true, token: shown });
  }
}
