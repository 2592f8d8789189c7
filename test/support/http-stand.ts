import { once } from "node:events";
import { createServer } from "node:http";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";

/** HTTP servers of one test file on loopback, closed by `stop`. */
export class HttpStand {
  readonly #cleanups: (() => Promise<void> | void)[] = [];

  async serve(
    onRequest: (request: IncomingMessage, response: ServerResponse) => void,
  ): Promise<{ readonly server: Server; readonly port: number }> {
    const server = createServer(onRequest).listen(0, "127.0.0.1");
    await once(server, "listening");
    this.onStop(async () => {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    });
    return { server, port: (server.address() as AddressInfo).port };
  }

  /** Runs before what was begun earlier is ended. */
  onStop(cleanup: () => Promise<void> | void): void {
    this.#cleanups.push(cleanup);
  }

  /** Ends everything, the latest first. */
  async stop(): Promise<void> {
    for (const cleanup of this.#cleanups.splice(0).toReversed()) await cleanup();
  }
}
