import { Buffer } from "node:buffer";
import type { IncomingMessage, Server, ServerResponse } from "node:http";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import type { WebSocket } from "ws";
import { offersPlainDeflate } from "./deflate-offer.ts";
import {
  bodyTooLargeAnswer,
  errorAnswer,
  internalErrorAnswer,
  reasonPhrase,
  tooManyConnectionsAnswer,
} from "./http-answer.ts";
import { NodeConnection } from "./node-connection.ts";
import { assertTransportOptions } from "./transport-options.ts";
import type {
  HttpRequest,
  HttpResponse,
  Transport,
  TransportHandler,
  TransportOptions,
  UpgradeDecision,
} from "./transport.ts";
import type { TransportErrorListener } from "./uws-transport.ts";
import { parseSubprotocols } from "./web-socket-text.ts";

/**
 * Serves on `ws` and `node:http`, where uWebSockets.js cannot load. Slower (about half) and one copy a send
 * dearer, otherwise the same: one conformance suite runs over both. One difference remains: a message over
 * `messageBytesMax` gets close code 1009 before the cut.
 * Rejects if the options are wrong (TransportOptionsError) or the address is taken.
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
    this.#server = createServer((request, response) => this.#http(request, response));
    this.#server.on("upgrade", (request, socket, head) => {
      this.#guard("upgrade", () => this.#upgrade(request, socket, head));
    });
    this.#webSockets = new WebSocketServer({
      noServer: true,
      clientTracking: false,
      maxPayload: options.messageBytesMax,
      handleProtocols: () => this.#decision?.subprotocol ?? false,
      // No context is kept between messages, and the client's is left alone: the same answer as the other
      // transport gives, for the same reason (Safari 15).
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
    const { pathname } = splitUrl(request.url);
    if (pathname !== this.#options.path) {
      refuseUpgrade(socket, errorAnswer(404, "not_found", `no WebSocket at ${pathname}`));
      return;
    }
    if (this.#connections.size >= this.#options.connectionsMax) {
      refuseUpgrade(socket, tooManyConnectionsAnswer(this.#options.connectionsMax));
      return;
    }
    const remoteAddress = request.socket.remoteAddress ?? "";
    const decision = this.#handler.onUpgrade({
      path: pathname,
      headers: headersOf(request),
      remoteAddress,
      subprotocols: parseSubprotocols(request.headers["sec-websocket-protocol"]),
    });
    if (decision.kind === "refuse") {
      refuseUpgrade(socket, decision.response);
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

  #http(request: IncomingMessage, response: ServerResponse): void {
    const abort = new AbortController();
    const { requestBytesMax } = this.#options;
    const chunks: Buffer[] = [];
    let bytes = 0;
    response.on("close", () => {
      if (!response.writableEnded) abort.abort();
    });
    request.on("error", () => abort.abort());
    request.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= requestBytesMax) chunks.push(chunk);
      else if (!response.writableEnded) {
        writeAnswer(request, response, bodyTooLargeAnswer(requestBytesMax));
      }
    });
    request.on("end", () => {
      if (bytes > requestBytesMax) return;
      const body =
        chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
      // Both outcomes are answered in the function, so nothing is left to await.
      void this.#answer(request, response, body, abort.signal);
    });
  }

  async #answer(
    request: IncomingMessage,
    response: ServerResponse,
    body: Uint8Array,
    signal: AbortSignal,
  ): Promise<void> {
    const { pathname, query } = splitUrl(request.url);
    const http: HttpRequest = {
      method: request.method ?? "GET",
      path: pathname,
      query,
      headers: headersOf(request),
      remoteAddress: request.socket.remoteAddress ?? "",
      body,
      signal,
    };
    let answer: HttpResponse;
    try {
      answer = await this.#handler.onHttp(http);
    } catch (error) {
      this.#onError("http handler", error);
      answer = internalErrorAnswer();
    }
    this.#guard("answer", () => writeAnswer(request, response, answer));
  }

  #guard(where: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#onError(where, error);
    }
  }
}

function writeAnswer(
  request: IncomingMessage,
  response: ServerResponse,
  answer: HttpResponse,
): void {
  if (response.destroyed || response.writableEnded) return;
  response.writeHead(answer.status, reasonPhrase(answer.status), {
    ...answer.headers,
    "content-length": Buffer.byteLength(answer.body),
  });
  response.end(request.method === "HEAD" ? undefined : answer.body);
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

function headersOf(request: IncomingMessage): Map<string, string> {
  const headers = new Map<string, string>();
  for (const [name, value] of Object.entries(request.headers)) {
    if (value !== undefined) headers.set(name, Array.isArray(value) ? value.join(", ") : value);
  }
  return headers;
}

function splitUrl(url: string | undefined): { pathname: string; query: string } {
  const text = url ?? "/";
  const mark = text.indexOf("?");
  if (mark < 0) return { pathname: text, query: "" };
  return { pathname: text.slice(0, mark), query: text.slice(mark + 1) };
}
