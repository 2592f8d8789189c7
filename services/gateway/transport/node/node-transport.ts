import { Buffer } from "node:buffer";
import type { IncomingMessage, Server } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo, Socket } from "node:net";
import { performance } from "node:perf_hooks";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { RawData, WebSocket } from "ws";
import { offersPlainDeflate } from "../deflate-offer.ts";
import {
  badUpgradeAnswer,
  errorAnswer,
  reasonPhrase,
  tooManyConnectionsAnswer,
} from "../../http/http-answer.ts";
import { headersOf, NodeHttp, splitUrl } from "./node-http.ts";
import { assertTransportOptions } from "../transport-options.ts";
import type {
  Connection,
  ConnectionHandler,
  HttpResponse,
  Transport,
  TransportErrorListener,
  TransportHandler,
  TransportOptions,
  UpgradeDecision,
} from "../transport.ts";
import { SendResult } from "../transport.ts";
import { cutReason, isWebSocketUpgrade, parseSubprotocols } from "../web-socket-text.ts";

/**
 * Serves on `ws` and `node:http`, where uWebSockets.js cannot load. Slower (about half) and one
 * copy a send dearer, otherwise the same: one conformance suite runs over both. One difference
 * remains: a message over `messageBytesMax` gets close code 1009 before the cut. Rejects if the
 * options are wrong (TransportOptionsError) or the address is taken.
 */
export async function createNodeTransport(
  options: TransportOptions,
  handler: TransportHandler,
  onError: TransportErrorListener = () => {},
): Promise<Transport> {
  assertTransportOptions(options);
  const transport = new NodeTransport(options, handler, onError);
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

class NodeTransport implements Transport {
  readonly kind = "node";
  readonly #options: TransportOptions;
  readonly #handler: TransportHandler;
  readonly #onError: TransportErrorListener;
  readonly #server: Server;
  readonly #webSockets: WebSocketServer;
  readonly #connections = new Set<NodeConnection>();
  #decision: (UpgradeDecision & { kind: "accept" }) | undefined;
  #idleTimer: NodeJS.Timeout | undefined;
  #nextId = 1;
  #port = 0;
  #closing: Promise<void> | undefined;

  constructor(
    options: TransportOptions,
    handler: TransportHandler,
    onError: TransportErrorListener,
  ) {
    this.#options = options;
    this.#handler = handler;
    this.#onError = onError;
    const http = new NodeHttp(options.requestBytesMax, handler, onError);
    this.#server = createServer(REQUEST_TIMEOUTS, (request, response) => {
      http.serve(request, response);
    });
    this.#server.on("upgrade", (request, socket, head) => {
      this.#guard("upgrade", () => this.#upgrade(request, socket, head));
    });
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: options.messageBytesMax,
      handleProtocols: () => this.#decision?.subprotocol ?? false,
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
        this.#server.off("error", reject);
        this.#server.on("error", (error) => this.#onError("server", error));
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

  /** Pings at half the idle timeout and cuts whoever was silent for all of it. */
  #startIdleTimer(): void {
    const { idleTimeoutMs } = this.#options;
    if (idleTimeoutMs === 0) return;
    const intervalMs = Math.max(10, Math.floor(idleTimeoutMs / 4));
    this.#idleTimer = setInterval(() => {
      for (const connection of this.#connections) connection.checkIdle(idleTimeoutMs);
    }, intervalMs);
    this.#idleTimer.unref();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on("error", () => socket.destroy());
    const { path } = splitUrl(request.url);
    if (path !== this.#options.path) {
      refuseUpgrade(socket, errorAnswer(404, "not_found", `no WebSocket at ${path}`));
      return;
    }
    if (this.#connections.size >= this.#options.connectionsMax) {
      this.#handler.onRefused("connectionsMax");
      refuseUpgrade(socket, tooManyConnectionsAnswer(this.#options.connectionsMax));
      return;
    }
    const headers = headersOf(request);
    const remoteAddress = request.socket.remoteAddress ?? "";
    const decision = this.#handler.onUpgrade({
      path,
      headers,
      remoteAddress,
      subprotocols: parseSubprotocols(request.headers["sec-websocket-protocol"]),
    });
    if (decision.kind === "refuse") {
      refuseUpgrade(socket, decision.response);
      return;
    }
    if (!isWebSocketUpgrade(headers)) {
      refuseUpgrade(socket, badUpgradeAnswer());
      return;
    }
    if (!offersPlainDeflate(request.headers["sec-websocket-extensions"])) {
      delete request.headers["sec-websocket-extensions"];
    }
    // Read back by handleProtocols, which is called before handleUpgrade returns.
    this.#decision = decision;
    this.#webSockets.handleUpgrade(request, socket, head, (ws) => {
      this.#guard("open", () => this.#open(ws, request, remoteAddress));
    });
    this.#decision = undefined;
  }

  #open(ws: WebSocket, request: IncomingMessage, remoteAddress: string): void {
    const connection = new NodeConnection({
      id: this.#nextId++,
      remoteAddress,
      ws,
      socket: request.socket,
      bufferedBytesMax: this.#options.bufferedBytesMax,
      guard: (where, run) => this.#guard(where, run),
      onGone: () => this.#connections.delete(connection),
    });
    this.#connections.add(connection);
    try {
      connection.attach(this.#handler.onConnection(connection));
    } catch (error) {
      this.#onError("open", error);
      connection.close(1011, "internal error");
    }
  }

  #guard(where: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#onError(where, error);
    }
  }
}

/** What a connection needs of its transport. */
type NodeConnectionOptions = {
  readonly id: number;
  readonly remoteAddress: string;
  readonly ws: WebSocket;
  readonly socket: Socket;
  readonly bufferedBytesMax: number;
  guard(where: string, run: () => void): void;
  /** The socket is gone for good. */
  onGone(): void;
};

/**
 * A Connection on `ws`. `onClose` is called from within `close()` and `terminate()`, as
 * uWebSockets.js does.
 */
class NodeConnection implements Connection {
  readonly id: number;
  readonly remoteAddress: string;
  readonly compressionNegotiated: boolean;
  readonly #ws: WebSocket;
  readonly #options: NodeConnectionOptions;
  #handler: ConnectionHandler | undefined;
  #closed = false;
  #waiting = false;
  #heardAtMs = performance.now();
  #pinged = false;

  constructor(options: NodeConnectionOptions) {
    this.id = options.id;
    this.remoteAddress = options.remoteAddress;
    this.#ws = options.ws;
    this.#options = options;
    this.compressionNegotiated = options.ws.extensions.includes("permessage-deflate");
    this.#listen();
  }

  /** Must be called once, right after construction. */
  attach(handler: ConnectionHandler): void {
    this.#handler = handler;
  }

  send(frame: Uint8Array, compress: boolean): SendResult {
    if (this.#closed) return SendResult.Dropped;
    if (this.#ws.bufferedAmount + frame.byteLength > this.#options.bufferedBytesMax) {
      return SendResult.Dropped;
    }
    // `ws` keeps a reference until the kernel has taken the bytes, so it gets its own.
    const copy = Buffer.from(frame);
    const deflate = compress && this.compressionNegotiated;
    this.#ws.send(copy, { binary: true, compress: deflate }, this.#onWritten);
    if (this.#ws.bufferedAmount === 0) return SendResult.Sent;
    this.#waiting = true;
    return SendResult.Buffered;
  }

  bufferedBytes(): number {
    return this.#closed ? 0 : this.#ws.bufferedAmount;
  }

  close(code: number, reason: string): void {
    if (this.#closed) return;
    const text = cutReason(reason);
    this.#ws.close(code, text);
    this.#finish(code, text);
  }

  terminate(): void {
    this.#ws.terminate();
    this.#finish(1006, "");
  }

  /** Called now and then: pings after half the timeout without a byte, cuts after all of it. */
  checkIdle(idleTimeoutMs: number): void {
    const silentMs = performance.now() - this.#heardAtMs;
    if (silentMs >= idleTimeoutMs) {
      this.terminate();
    } else if (silentMs >= idleTimeoutMs / 2 && !this.#pinged && !this.#closed) {
      this.#pinged = true;
      this.#ws.ping();
    }
  }

  readonly #onWritten = (): void => {
    if (!this.#waiting || this.#closed) return;
    if (this.#ws.bufferedAmount === 0) this.#waiting = false;
    this.#options.guard("drain", () => this.#handler?.onDrain());
  };

  #listen(): void {
    this.#options.socket.on("data", () => {
      this.#heardAtMs = performance.now();
      this.#pinged = false;
    });
    this.#ws.on("message", (data: RawData, isBinary: boolean) => {
      if (this.#closed) return;
      const bytes = data instanceof Uint8Array ? data : Buffer.concat(data as Buffer[]);
      this.#options.guard("message", () => this.#handler?.onMessage(bytes, isBinary));
    });
    this.#ws.on("error", () => this.terminate());
    this.#ws.on("close", (code, reason) => {
      this.#options.onGone();
      this.#finish(code, reason.toString("utf8"));
    });
  }

  #finish(code: number, reason: string): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#options.guard("close", () => this.#handler?.onClose(code, reason));
  }
}

function refuseUpgrade(socket: Duplex, answer: HttpResponse): void {
  const headers = {
    ...answer.headers,
    "content-length": String(Buffer.byteLength(answer.body)),
    connection: "close",
  };
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.write(`HTTP/1.1 ${answer.status} ${reasonPhrase(answer.status)}\r\n${lines.join("")}\r\n`);
  socket.end(answer.body);
}
