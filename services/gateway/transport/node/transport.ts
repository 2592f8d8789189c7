import type { Buffer } from "node:buffer";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { offersPlainDeflate } from "../deflate-offer.ts";
import { HandlerGuard } from "../handler-guard.ts";
import { badUpgradeAnswer, errorAnswer, tooManyConnectionsAnswer } from "../http-answer.ts";
import { PeerAddresses } from "../peer-address.ts";
import { assertTransportOptions } from "../transport-options.ts";
import type {
  ConnectionContext,
  Transport,
  TransportHandler,
  TransportOptions,
} from "../transport.ts";
import { assertOffered, isWebSocketUpgrade, parseSubprotocols } from "../web-socket-text.ts";
import { IDLE_TICKS_MAX, NodeConnection } from "./connection.ts";
import { readHeaders, refuseUpgrade, serveHttp, splitUrl } from "./http-exchange.ts";
import { createNodeServer } from "./tls.ts";

/**
 * Serves on `ws` and `node:http`, where uWebSockets.js cannot load. Slower (about half) and one
 * copy a send dearer, otherwise the same: one conformance suite runs over both. One difference
 * remains: a message over `messageBytesMax` gets close code 1009 before the cut. Rejects if the
 * options are wrong (TransportOptionsError) or the address is taken.
 */
export async function createNodeTransport<Principal>(
  options: TransportOptions,
  handler: TransportHandler<Principal>,
): Promise<Transport> {
  assertTransportOptions(options);
  const transport = new NodeTransport(options, handler);
  await transport.listen();
  return transport;
}

/**
 * A plain request that comes slower is cut, about as soon as the other transport does. The defaults
 * of node:http let everybody hold sockets for minutes.
 */
const REQUEST_TIMEOUTS = {
  headersTimeout: 10_000,
  requestTimeout: 20_000,
  connectionsCheckingInterval: 2_000,
} as const;

class NodeTransport<Principal> implements Transport {
  readonly kind = "node";
  readonly #options: TransportOptions;
  readonly #handler: TransportHandler<Principal>;
  readonly #guard = new HandlerGuard();
  readonly #addresses: PeerAddresses;
  readonly #server: Server;
  readonly #webSockets: WebSocketServer;
  readonly #connections = new Set<NodeConnection>();
  /** Of the upgrade that is under way. */
  #subprotocol: string | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #nextId = 1;
  #port = 0;
  #closing: Promise<void> | undefined;

  constructor(options: TransportOptions, handler: TransportHandler<Principal>) {
    this.#options = options;
    this.#handler = handler;
    this.#addresses = new PeerAddresses(options);
    this.#server = createNodeServer(REQUEST_TIMEOUTS, options.tls);
    this.#serve();
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: options.messageBytesMax,
      handleProtocols: () => this.#subprotocol ?? false,
      // No context is kept between messages, and the client's is left alone: the same answer as the
      // other transport gives, for the same reason (Safari 15).
      perMessageDeflate: options.compression
        ? { serverNoContextTakeover: true, threshold: 0, zlibDeflateOptions: { memLevel: 8 } }
        : false,
    });
  }

  get port(): number {
    return this.#port;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host: this.#options.host, port: this.#options.port }, () => {
        // From here on an error is unforeseen: without a listener it is an uncaught exception.
        this.#server.off("error", reject);
        this.#port = (this.#server.address() as AddressInfo).port;
        this.#startIdleTimer();
        resolve();
      });
    });
  }

  stopListening(): void {
    if (this.#server.listening) this.#server.close();
  }

  close(): Promise<void> {
    this.#closing ??= new Promise((resolve) => {
      clearInterval(this.#idleTimer);
      this.#webSockets.close();
      for (const connection of this.#connections) connection.terminate();
      this.#connections.clear();
      if (this.#server.listening) this.#server.close();
      this.#server.closeAllConnections();
      resolve();
    });
    return this.#closing;
  }

  #serve(): void {
    const { requestBytesMax, bufferedBytesMax } = this.#options;
    const parts = {
      handler: this.#handler,
      guard: this.#guard,
      addresses: this.#addresses,
      requestBytesMax,
      bufferedBytesMax,
    };
    this.#server.on("request", (request, response) => serveHttp(parts, request, response));
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#onUpgrade(request, socket, head);
    });
  }

  #startIdleTimer(): void {
    const { idleTimeoutMs } = this.#options;
    if (idleTimeoutMs === 0) return;
    const tickMs = Math.max(10, Math.floor(idleTimeoutMs / IDLE_TICKS_MAX));
    this.#idleTimer = setInterval(() => {
      for (const connection of this.#connections) connection.tick();
    }, tickMs);
    this.#idleTimer.unref();
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    if (this.#guard.failed) {
      socket.destroy();
      return;
    }
    try {
      const context = this.#decide(request, socket);
      if (context !== undefined) this.#accept(request, socket, head, context);
    } catch (error) {
      this.#guard.fail("onUpgrade", error);
      socket.destroy();
    }
  }

  /** What the client is accepted with; undefined if it was refused, and answered. */
  #decide(request: IncomingMessage, socket: Duplex): ConnectionContext<Principal> | undefined {
    const { path, connectionsMax } = this.#options;
    const asked = splitUrl(request.url);
    if (asked.path !== path) {
      refuseUpgrade(socket, errorAnswer(404, "not_found", `no WebSocket at ${asked.path}`));
      return undefined;
    }
    if (this.#connections.size >= connectionsMax) {
      this.#handler.onRefused("connectionsMax");
      refuseUpgrade(socket, tooManyConnectionsAnswer(connectionsMax));
      return undefined;
    }
    const headers = readHeaders(request);
    if (!isWebSocketUpgrade(headers)) {
      refuseUpgrade(socket, badUpgradeAnswer());
      return undefined;
    }
    const subprotocols = parseSubprotocols(headers.get("sec-websocket-protocol"));
    const decision = this.#handler.onUpgrade({
      path,
      headers,
      remoteAddress: this.#addresses.clientOf(request.socket.remoteAddress ?? "", headers),
      subprotocols,
    });
    if (decision.kind === "refuse") {
      refuseUpgrade(socket, decision.response);
      return undefined;
    }
    assertOffered(decision.context.subprotocol, subprotocols);
    return decision.context;
  }

  #accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    context: ConnectionContext<Principal>,
  ): void {
    if (!offersPlainDeflate(request.headers["sec-websocket-extensions"])) {
      delete request.headers["sec-websocket-extensions"];
    }
    // Read back by handleProtocols, which is called before handleUpgrade returns.
    this.#subprotocol = context.subprotocol;
    this.#webSockets.handleUpgrade(request, socket, head, (ws) => {
      this.#open(ws, request, context);
    });
    this.#subprotocol = undefined;
  }

  #open(ws: WebSocket, request: IncomingMessage, context: ConnectionContext<Principal>): void {
    const connection = new NodeConnection({
      id: this.#nextId++,
      remoteAddress: context.remoteAddress,
      ws,
      socket: request.socket,
      bufferedBytesMax: this.#options.bufferedBytesMax,
      guard: this.#guard,
      onGone: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    connection.open((opened) => this.#handler.onConnection(opened, context));
  }
}
