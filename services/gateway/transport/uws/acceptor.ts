import { assert } from "#core/assert.ts";
import { errorAnswer } from "../http-answer.ts";
import type { TransportOptions } from "../transport.ts";
import { loadUwsForWorkers } from "../uws-module.ts";
import type { us_listen_socket, UwsModule } from "../uws-module.ts";
import { listenUws } from "./listen.ts";
import type { AcceptingApp } from "./listen.ts";
import { createUwsApp } from "./tls.ts";

/** What an acceptor is told: where it listens, and whether with TLS. */
type AcceptorOptions = Pick<TransportOptions, "host" | "port" | "tls">;

const NOBODY = "no thread of the gateway serves now; try again soon";
const LATER = { "retry-after": "1", connection: "close" };

/**
 * Listens for the transports of other threads, and serves nobody itself: what connects goes to one
 * of them, in turn. While there is none, requests are answered with 503.
 */
export class UwsAcceptor {
  readonly #uws: UwsModule;
  readonly #app: AcceptingApp;
  readonly #descriptors = new Set<unknown>();
  #socket: us_listen_socket | undefined;
  #address = "";
  #port = 0;
  #closed = false;

  private constructor(uws: UwsModule, app: AcceptingApp) {
    this.#uws = uws;
    this.#app = app;
    app.any("/*", (response) => {
      const { headers, body } = errorAnswer(503, "unavailable", NOBODY, LATER);
      response.cork(() => {
        response.writeStatus("503 Service Unavailable");
        for (const [name, value] of Object.entries(headers)) response.writeHeader(name, value);
        response.end(body, true);
      });
    });
  }

  /**
   * Rejects if the native module cannot load, the options are wrong (TransportOptionsError) or the
   * address is taken.
   */
  static async listen(options: AcceptorOptions): Promise<UwsAcceptor> {
    const uws = await loadUwsForWorkers();
    const app = createUwsApp(uws, options.tls) as AcceptingApp;
    const acceptor = new UwsAcceptor(uws, app);
    const { socket, address, port } = await listenUws(uws, app, options);
    acceptor.#socket = socket;
    acceptor.#address = address;
    acceptor.#port = port;
    return acceptor;
  }

  get address(): string {
    return this.#address;
  }

  get port(): number {
    return this.#port;
  }

  /** The transport of this descriptor gets its share of what connects from now on. */
  add(descriptor: unknown): void {
    assert(!this.#descriptors.has(descriptor), "a transport is added once");
    this.#descriptors.add(descriptor);
    this.#app.addChildAppDescriptor(descriptor);
  }

  /** It gets nothing any more. Idempotent. */
  remove(descriptor: unknown): void {
    if (this.#descriptors.delete(descriptor)) this.#app.removeChildAppDescriptor(descriptor);
  }

  /** Accepts no more. Idempotent. */
  stopListening(): void {
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket !== undefined) this.#uws.us_listen_socket_close(socket);
  }

  /** To be called when no transport is left that could get anything. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#socket = undefined;
    this.#app.close();
  }
}
