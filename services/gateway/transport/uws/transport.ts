import { offersPlainDeflate } from "../deflate-offer.ts";
import { HandlerGuard } from "../handler-guard.ts";
import { badUpgradeAnswer, limitAnswer } from "../http-answer.ts";
import { Housekeeping, nowMs } from "../housekeeping.ts";
import { PeerAddresses } from "../peer-address.ts";
import type { UwsLimits } from "../transport-options.ts";
import { uwsLimits } from "../transport-options.ts";
import type { RefusalLimit, Transport, TransportHandler, TransportOptions } from "../transport.ts";
import { loadUws } from "../uws-module.ts";
import type {
  TemplatedApp,
  us_listen_socket,
  us_socket_context_t,
  UwsModule,
  UwsRequest,
  UwsResponse,
} from "../uws-module.ts";
import { assertOffered, parseSubprotocols, upgradeFault } from "../web-socket-text.ts";
import { UwsConnection } from "./connection.ts";
import type { UserData } from "./connection.ts";
import { refuseUpgrade, serveHttp } from "./http-exchange.ts";
import { listenUws } from "./listen.ts";
import type { AcceptingApp } from "./listen.ts";
import { readHeaders, socketAddressOf } from "./request.ts";
import { UwsSockets } from "./socket.ts";
import { createUwsApp } from "./tls.ts";

/**
 * Serves on uWebSockets.js. Rejects if the native module cannot load, the options are wrong
 * (TransportOptionsError) or the address is taken.
 */
export async function createUwsTransport<Principal>(
  options: TransportOptions,
  handler: TransportHandler<Principal>,
): Promise<Transport> {
  const limits = uwsLimits(options);
  const transport = new UwsTransport(await loadUws(), { options, limits }, handler);
  await transport.listen();
  return transport;
}

class UwsTransport<Principal> implements Transport {
  readonly kind = "uws";
  readonly #uws: UwsModule;
  /** Listens, and serves until the certificate changes. */
  readonly #app: TemplatedApp;
  /** Serve what came under each certificate after the first; the last one gets what comes. */
  readonly #heirs: TemplatedApp[] = [];
  readonly #options: TransportOptions;
  readonly #handler: TransportHandler<Principal>;
  readonly #limits: UwsLimits;
  readonly #guard = new HandlerGuard();
  readonly #addresses: PeerAddresses;
  readonly #sockets: UwsSockets;
  readonly #connections = new Set<UwsConnection>();
  readonly #connectionHost: ConstructorParameters<typeof UwsConnection>[0];
  readonly #housekeeping: Housekeeping;
  #listenSocket: us_listen_socket | undefined;
  /** The listener of another thread hands nothing on to this one any more, or soon. */
  #leaving: Promise<void> | undefined;
  #address = "";
  #port = 0;
  #nextId = 1;
  #closed = false;

  constructor(
    uws: UwsModule,
    { options, limits }: { readonly options: TransportOptions; readonly limits: UwsLimits },
    handler: TransportHandler<Principal>,
  ) {
    this.#uws = uws;
    this.#limits = limits;
    this.#app = createUwsApp(uws, options.tls);
    this.#options = options;
    this.#handler = handler;
    this.#addresses = new PeerAddresses(options);
    this.#housekeeping = new Housekeeping(options, this.#connections);
    this.#sockets = new UwsSockets({
      admission: this.#housekeeping.admission,
      addresses: this.#addresses,
      onRefused: (limit) => this.#refused(limit),
    });
    this.#connectionHost = {
      bufferedBytesMax: options.bufferedBytesMax,
      guard: this.#guard,
      onGone: (connection) => this.#onGone(connection),
    };
    this.#serve(this.#app);
  }

  get address(): string {
    return this.#address;
  }

  get port(): number {
    return this.#port;
  }

  /**
   * An app has one certificate for its life. So the next one gets an app of its own, to which the
   * first hands on what it accepts: nobody listens anew, and what is open stays where it is.
   */
  reloadTls(): void {
    const { tls } = this.#options;
    if (tls === undefined || this.#closed) return;
    const heir = createUwsApp(this.#uws, tls);
    this.#serve(heir);
    const before = this.#heirs.at(-1);
    this.#heirs.push(heir);
    const { listener } = this.#options;
    if (listener !== undefined) {
      if (this.#leaving !== undefined) return;
      listener.add(descriptorOf(heir));
      // It resolves in any case, and what is open on the app before lives on.
      void listener.remove(descriptorOf(before ?? this.#app));
      return;
    }
    const acceptor = this.#app as AcceptingApp;
    acceptor.addChildAppDescriptor(descriptorOf(heir));
    if (before !== undefined) acceptor.removeChildAppDescriptor(descriptorOf(before));
  }

  /** Registers what is called for sockets and requests. */
  #serve(app: TemplatedApp): void {
    const uws = this.#uws;
    const limits = this.#limits;
    const { path, compression, requestBytesMax, bufferedBytesMax } = this.#options;
    app.ws<UserData>(path, {
      maxPayloadLength: limits.maxPayloadLength,
      maxBackpressure: limits.maxBackpressure,
      idleTimeout: limits.idleTimeoutSeconds,
      sendPingsAutomatically: true,
      closeOnBackpressureLimit: false,
      maxLifetime: 0,
      // The shared compressor keeps no window between messages and costs a connection nothing. The
      // full decompressor (about 44 KB, only for connections that negotiated) is what makes the
      // answer free of `client_no_context_takeover`, which Safari 15 does not implement: with every
      // smaller one its compressed frames would be garbage to us.
      compression: compression ? uws.SHARED_COMPRESSOR | uws.DEDICATED_DECOMPRESSOR : uws.DISABLED,
      upgrade: (response, request, context) => this.#onUpgrade(response, request, context),
      open: (ws) => ws.getUserData().connection.opened(ws),
      message: (ws, data, isBinary) => ws.getUserData().connection.received(data, isBinary),
      ping: (ws) => ws.getUserData().connection.heard(),
      pong: (ws, payload) => ws.getUserData().connection.ponged(payload),
      drain: (ws) => ws.getUserData().connection.drained(),
      close: (ws, code, reason) => ws.getUserData().connection.gone(code, reason),
    });
    const parts = {
      handler: this.#handler,
      guard: this.#guard,
      addresses: this.#addresses,
      admission: this.#housekeeping.admission,
      sockets: this.#sockets,
      bodies: this.#housekeeping.bodies,
      nowMs,
      requestBytesMax,
      bufferedBytesMax,
      onRefused: (limit: RefusalLimit) => this.#refused(limit),
    };
    app.filter((response, count) => this.#sockets.onCount(response, Number(count)));
    app.any("/*", (response, request) => serveHttp(parts, response, request));
  }

  async listen(): Promise<void> {
    const { listener } = this.#options;
    if (listener === undefined) {
      const { socket, address, port } = await listenUws(this.#uws, this.#app, this.#options);
      this.#listenSocket = socket;
      this.#address = address;
      this.#port = port;
    } else {
      this.#address = listener.address;
      this.#port = listener.port;
      listener.add(descriptorOf(this.#app));
    }
    this.#housekeeping.start();
  }

  get sockets(): number {
    return this.#housekeeping.admission.sockets;
  }

  stopListening(): void {
    const { listener } = this.#options;
    if (listener !== undefined) {
      this.#leaving ??= listener.remove(descriptorOf(this.#heirs.at(-1) ?? this.#app));
      return;
    }
    const socket = this.#listenSocket;
    if (socket === undefined) return;
    this.#listenSocket = undefined;
    this.#uws.us_listen_socket_close(socket);
  }

  async close(): Promise<void> {
    if (this.#options.listener !== undefined) {
      this.stopListening();
      await this.#leaving;
    }
    this.abandon();
  }

  abandon(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#housekeeping.stop();
    this.#listenSocket = undefined;
    for (const app of [this.#app, ...this.#heirs]) app.close();
  }

  /** A response must be answered or closed before this returns, else the module aborts. */
  #onUpgrade(response: UwsResponse, request: UwsRequest, context: us_socket_context_t): void {
    if (this.#guard.failed) {
      response.close();
      return;
    }
    try {
      this.#upgrade(response, request, context);
    } catch (error) {
      this.#guard.fail("onUpgrade", error);
      response.close();
    }
  }

  #upgrade(response: UwsResponse, request: UwsRequest, context: us_socket_context_t): void {
    const { compression } = this.#options;
    const headers = readHeaders(request);
    const socketAddress = socketAddressOf(response);
    const remoteAddress = this.#addresses.clientOf(socketAddress, headers);
    const owner = this.#addresses.ownerOf(socketAddress);
    const limit =
      this.#housekeeping.admission.exceeded(owner) ??
      this.#housekeeping.admission.request(remoteAddress);
    if (limit !== undefined) {
      this.#refuseFor(limit, response);
      return;
    }
    // uWebSockets.js looks at the key alone.
    const fault = upgradeFault(request.getMethod().toUpperCase(), headers);
    if (fault !== undefined) {
      refuseUpgrade(this.#sockets, response, badUpgradeAnswer(fault));
      return;
    }
    const subprotocols = parseSubprotocols(headers.get("sec-websocket-protocol"));
    const path = request.getUrl();
    const certificate = this.#addresses.certificateOf(socketAddress, headers);
    const asking = { path, headers, remoteAddress, subprotocols, certificate };
    const decision = this.#handler.onUpgrade(asking);
    if (decision.kind === "refuse") {
      refuseUpgrade(this.#sockets, response, decision.response);
      return;
    }
    const accepted = decision.context;
    assertOffered(accepted.subprotocol, subprotocols);
    // Behind a proxy the socket is the proxy's, and the client is counted besides.
    const isProxied = owner === undefined;
    const proxiedLimit = isProxied
      ? this.#housekeeping.admission.openProxied(remoteAddress)
      : undefined;
    if (proxiedLimit !== undefined) {
      this.#refuseFor(proxiedLimit, response);
      return;
    }
    const compressed = compression && offersPlainDeflate(headers.get("sec-websocket-extensions"));
    const connection = new UwsConnection(this.#connectionHost, {
      id: this.#nextId++,
      remoteAddress: accepted.remoteAddress,
      compressionNegotiated: compressed,
      owner,
      proxied: isProxied ? remoteAddress : undefined,
      accept: (opened) => this.#handler.onConnection(opened, accepted),
    });
    this.#connections.add(connection);
    response.upgrade<UserData>(
      { connection },
      headers.get("sec-websocket-key") ?? "",
      accepted.subprotocol,
      // The plainest offer, so that the answer is the same for every client.
      compressed ? "permessage-deflate" : "",
      context,
    );
  }

  #onGone(connection: UwsConnection): void {
    this.#connections.delete(connection);
    const { owner, proxied } = connection;
    const { admission } = this.#housekeeping;
    if (proxied !== undefined) admission.closeProxied(proxied);
    admission.closeSocket(owner);
  }

  #refuseFor(limit: RefusalLimit, response: UwsResponse): void {
    this.#handler.onRefused(limit);
    refuseUpgrade(this.#sockets, response, limitAnswer(limit));
  }

  #refused(limit: RefusalLimit): void {
    if (this.#guard.failed) return;
    try {
      this.#handler.onRefused(limit);
    } catch (error) {
      this.#guard.fail("onRefused", error);
    }
  }
}

function descriptorOf(app: TemplatedApp): unknown {
  return (app as AcceptingApp).getDescriptor();
}
