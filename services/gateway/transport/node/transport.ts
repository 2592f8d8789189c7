import type { Buffer } from "node:buffer";
import type { IncomingMessage, Server } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { quotedText } from "#core/visible-text.ts";
import type { WebSocket } from "ws";
import { offersPlainDeflate } from "../deflate-offer.ts";
import { HandlerGuard } from "../handler-guard.ts";
import { badUpgradeAnswer, errorAnswer, limitAnswer } from "../http-answer.ts";
import { Housekeeping, nowMs } from "../housekeeping.ts";
import { resolveListenAddress } from "../listen-address.ts";
import { PeerAddresses } from "../peer-address.ts";
import { certificateOfSocket } from "../peer-certificate.ts";
import { INFLATED_BYTES_MAX, assertTransportOptions } from "../transport-options.ts";
import type {
  ConnectionContext,
  HttpBytes,
  HttpResponse,
  RefusalLimit,
  Transport,
  TransportHandler,
  TransportOptions,
} from "../transport.ts";
import { assertOffered, parseSubprotocols, upgradeFault } from "../web-socket-text.ts";
import { NodeConnection } from "./connection.ts";
import { serveHttp } from "./http-exchange.ts";
import { readHeaders, refuseUpgrade, splitUrl } from "./request.ts";
import { countSockets } from "./socket.ts";
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
  connectionsCheckingInterval: 2_000,
  keepAliveTimeout: 10_000,
} as const;

/** What an upgrade is accepted with. */
type Accepted<Principal> = {
  readonly context: ConnectionContext<Principal>;
  readonly compressed: boolean;
  /** Ends what was counted for the client besides its socket. */
  readonly onGone: () => void;
};

class NodeTransport<Principal> implements Transport {
  readonly kind = "node";
  readonly #options: TransportOptions;
  readonly #handler: TransportHandler<Principal>;
  readonly #guard = new HandlerGuard();
  readonly #addresses: PeerAddresses;
  readonly #server: Server;
  readonly reloadTls: () => void;
  readonly #webSockets: WebSocketServer;
  readonly #connections = new Set<NodeConnection>();
  readonly #housekeeping: Housekeeping;
  /** Of the upgrade that is under way. */
  #subprotocol: string | undefined;
  #nextId = 1;
  #address = "";
  #port = 0;
  #isClosed = false;

  constructor(options: TransportOptions, handler: TransportHandler<Principal>) {
    this.#options = options;
    this.#handler = handler;
    this.#addresses = new PeerAddresses(options);
    this.#housekeeping = new Housekeeping(options, this.#connections);
    const { http } = options;
    // The deadline of a body is ours; this one is for what node:http never shows.
    const requestTimeout = Math.max(http.bodyTimeoutMs * 2, REQUEST_TIMEOUTS.headersTimeout);
    const timeouts = { ...REQUEST_TIMEOUTS, requestTimeout };
    const { server, reloadTls } = createNodeServer(timeouts, options.tls);
    this.#server = server;
    this.reloadTls = reloadTls;
    this.#serve();
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: options.messageBytesMax,
      handleProtocols: () => {
        // What inflates has its limit by now, and what follows is the limit of every message.
        this.#webSockets.options.maxPayload = options.messageBytesMax;
        return this.#subprotocol ?? false;
      },
      // No context is kept between messages, and the client's is left alone: the same answer as the
      // other transport gives, for the same reason (Safari 15).
      perMessageDeflate: options.compression
        ? { serverNoContextTakeover: true, threshold: 0, zlibDeflateOptions: { memLevel: 8 } }
        : false,
    });
  }

  get address(): string {
    return this.#address;
  }

  get port(): number {
    return this.#port;
  }

  async listen(): Promise<void> {
    const host = await resolveListenAddress(this.#options.host);
    await new Promise<void>((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen({ host, port: this.#options.port }, () => {
        // From here on an error is unforeseen: without a listener it is an uncaught exception.
        this.#server.off("error", reject);
        const { address, port } = this.#server.address() as AddressInfo;
        this.#address = address;
        this.#port = port;
        this.#housekeeping.start();
        resolve();
      });
    });
  }

  get sockets(): number {
    return this.#housekeeping.admission.sockets;
  }

  stopListening(): void {
    if (this.#server.listening) this.#server.close();
  }

  close(): Promise<void> {
    this.abandon();
    return Promise.resolve();
  }

  abandon(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#housekeeping.stop();
    this.#webSockets.close();
    for (const connection of this.#connections) connection.terminate();
    this.#connections.clear();
    if (this.#server.listening) this.#server.close();
    this.#server.closeAllConnections();
  }

  #serve(): void {
    const { requestBytesMax, bufferedBytesMax } = this.#options;
    const parts = {
      handler: this.#handler,
      guard: this.#guard,
      addresses: this.#addresses,
      admission: this.#housekeeping.admission,
      bodies: this.#housekeeping.bodies,
      nowMs,
      requestBytesMax,
      bufferedBytesMax,
      onRefused: (limit: RefusalLimit) => this.#refused(limit),
    };
    countSockets(this.#server, {
      admission: this.#housekeeping.admission,
      addresses: this.#addresses,
      onRefused: (limit) => this.#refused(limit),
    });
    this.#server.on("request", (request, response) => serveHttp(parts, request, response));
    this.#server.on("upgrade", (request: IncomingMessage, socket: Duplex, head: Buffer) => {
      this.#onUpgrade(request, socket, head);
    });
  }

  #refused(limit: RefusalLimit): void {
    if (this.#guard.failed) return;
    try {
      this.#handler.onRefused(limit);
    } catch (error) {
      this.#guard.fail("onRefused", error);
    }
  }

  #onUpgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    if (this.#guard.failed) {
      socket.destroy();
      return;
    }
    try {
      const decision = this.#decide(request);
      if (decision.kind === "refuse") refuseUpgrade(socket, decision.response);
      else this.#accept(request, socket, head, decision);
    } catch (error) {
      this.#guard.fail("onUpgrade", error);
      socket.destroy();
    }
  }

  #decide(
    request: IncomingMessage,
  ):
    | ({ readonly kind: "accept" } & Accepted<Principal>)
    | { readonly kind: "refuse"; readonly response: HttpResponse<HttpBytes> } {
    const { path, compression } = this.#options;
    const socketAddress = request.socket.remoteAddress ?? "";
    const headers = readHeaders(request);
    const remoteAddress = this.#addresses.clientOf(socketAddress, headers);
    const owner = this.#addresses.ownerOf(socketAddress);
    const limit =
      this.#housekeeping.admission.exceeded(owner) ??
      this.#housekeeping.admission.request(remoteAddress);
    if (limit !== undefined) return this.#refuseFor(limit);
    const asked = splitUrl(request.url);
    if (asked.path !== path) {
      const message = `there is no WebSocket at ${quotedText(asked.path)}; it is at ${path}`;
      const response = errorAnswer(404, "not_found", message);
      return { kind: "refuse", response };
    }
    const fault =
      request.httpVersion === "1.1"
        ? upgradeFault(request.method ?? "GET", headers)
        : "HTTP/1.1 is needed";
    if (fault !== undefined) return { kind: "refuse", response: badUpgradeAnswer(fault) };
    const subprotocols = parseSubprotocols(headers.get("sec-websocket-protocol"));
    const certificate =
      this.#addresses.certificateOf(socketAddress, headers) ?? certificateOfSocket(request.socket);
    const asking = { path, headers, remoteAddress, subprotocols, certificate };
    const decision = this.#handler.onUpgrade(asking);
    if (decision.kind === "refuse") return decision;
    assertOffered(decision.context.subprotocol, subprotocols);
    const compressed = compression && offersPlainDeflate(headers.get("sec-websocket-extensions"));
    const accepted = { kind: "accept", context: decision.context, compressed } as const;
    if (owner !== undefined) return { ...accepted, onGone: () => {} };
    // Behind a proxy the socket is the proxy's, and the client is counted besides.
    const proxiedLimit = this.#housekeeping.admission.openProxied(remoteAddress);
    if (proxiedLimit !== undefined) return this.#refuseFor(proxiedLimit);
    return { ...accepted, onGone: () => this.#housekeeping.admission.closeProxied(remoteAddress) };
  }

  #refuseFor(limit: RefusalLimit) {
    this.#handler.onRefused(limit);
    return { kind: "refuse", response: limitAnswer(limit) } as const;
  }

  #accept(
    request: IncomingMessage,
    socket: Duplex,
    head: Buffer,
    accepted: Accepted<Principal>,
  ): void {
    const { context, compressed } = accepted;
    // What was decided is all that `ws` is shown: it refuses what we decline, and takes a list of
    // subprotocols only if no token stands twice.
    request.headers.upgrade = "websocket";
    request.headers["sec-websocket-protocol"] = context.subprotocol;
    if (compressed) request.headers["sec-websocket-extensions"] = "permessage-deflate";
    else delete request.headers["sec-websocket-extensions"];
    // Whoever goes away during the handshake was counted too.
    request.socket.once("close", accepted.onGone);
    this.#subprotocol = context.subprotocol;
    // `ws` has one limit for what inflates and for every message, and takes it twice: before and
    // after it calls handleProtocols, which it does before handleUpgrade returns.
    const { messageBytesMax } = this.#options;
    this.#webSockets.options.maxPayload = Math.min(INFLATED_BYTES_MAX, messageBytesMax);
    this.#webSockets.handleUpgrade(request, socket, head, (ws) => this.#open(ws, context));
    this.#subprotocol = undefined;
  }

  #open(ws: WebSocket, context: ConnectionContext<Principal>): void {
    const connection = new NodeConnection({
      id: this.#nextId++,
      remoteAddress: context.remoteAddress,
      ws,
      bufferedBytesMax: this.#options.bufferedBytesMax,
      guard: this.#guard,
      onGone: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    connection.open((opened) => this.#handler.onConnection(opened, context));
  }
}
