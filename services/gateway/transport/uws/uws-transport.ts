import { Buffer } from "node:buffer";
import { offersPlainDeflate } from "../deflate-offer.ts";
import {
  badUpgradeAnswer,
  bodyTooLargeAnswer,
  internalErrorAnswer,
  reasonPhrase,
  tooManyConnectionsAnswer,
} from "../../http/http-answer.ts";
import { cutReason, isWebSocketUpgrade, parseSubprotocols } from "../web-socket-text.ts";
import { uwsLimits } from "../transport-options.ts";
import type {
  Connection,
  ConnectionHandler,
  HttpResponse,
  Transport,
  TransportErrorListener,
  TransportHandler,
  TransportOptions,
} from "../transport.ts";
import { SendResult } from "../transport.ts";
import { loadUws } from "./uws-module.ts";
import type {
  TemplatedApp,
  us_listen_socket,
  us_socket,
  us_socket_context_t,
  UwsModule,
  UwsRequest,
  UwsResponse,
  WebSocket,
  WebSocketBehavior,
} from "./uws-module.ts";

/** Copied onto the WebSocket by uWebSockets.js, so it is one pointer. */
type UserData = { readonly connection: UwsConnection };

/**
 * Serves on uWebSockets.js. Rejects if the native module cannot load, the options are wrong
 * (TransportOptionsError) or the address is taken.
 */
export async function createUwsTransport(
  options: TransportOptions,
  handler: TransportHandler,
  onError: TransportErrorListener = () => {},
): Promise<Transport> {
  const limits = uwsLimits(options);
  const uws = await loadUws();
  const transport = new UwsTransport(uws, options, handler, onError);
  transport.configure({
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
    compression: options.compression
      ? uws.SHARED_COMPRESSOR | uws.DEDICATED_DECOMPRESSOR
      : uws.DISABLED,
  });
  await transport.listen();
  return transport;
}

class UwsTransport implements Transport {
  readonly kind = "uws";
  readonly #uws: UwsModule;
  readonly #app: TemplatedApp;
  readonly #options: TransportOptions;
  readonly #handler: TransportHandler;
  readonly #onError: TransportErrorListener;
  #listenSocket: us_listen_socket | undefined;
  #port = 0;
  #connections = 0;
  #nextId = 1;
  #closed = false;

  constructor(
    uws: UwsModule,
    options: TransportOptions,
    handler: TransportHandler,
    onError: TransportErrorListener,
  ) {
    this.#uws = uws;
    this.#app = uws.App();
    this.#options = options;
    this.#handler = handler;
    this.#onError = onError;
  }

  get port(): number {
    return this.#port;
  }

  configure(limits: WebSocketBehavior<UserData>): void {
    this.#app.ws<UserData>(this.#options.path, {
      ...limits,
      upgrade: (response, request, context) => {
        this.#guard("upgrade", () => this.#upgrade(response, request, context));
      },
      open: (ws) => this.#guard("open", () => this.#open(ws)),
      message: (ws, data, isBinary) => {
        this.#guard("message", () =>
          ws.getUserData().connection.handler?.onMessage(new Uint8Array(data), isBinary),
        );
      },
      drain: (ws) => this.#guard("drain", () => ws.getUserData().connection.handler?.onDrain()),
      close: (ws, code, reason) => {
        this.#guard("close", () => {
          this.#connections -= 1;
          ws.getUserData().connection.closed(code, Buffer.from(reason).toString("utf8"));
        });
      },
    });
    this.#app.any("/*", (response, request) => {
      this.#guard("http", () => this.#http(response, request));
    });
  }

  listen(): Promise<void> {
    const { host, port } = this.#options;
    // The typings leave out the form with host and options, which the module accepts.
    const listen = this.#app.listen.bind(this.#app) as unknown as (
      host: string,
      port: number,
      options: number,
      callback: (socket: us_listen_socket | false) => void,
    ) => void;
    return new Promise((resolve, reject) => {
      // Exclusive: otherwise a second process could share the port without anybody noticing.
      listen(host, port, 1, (socket) => {
        if (socket === false) {
          reject(new Error(`cannot listen on ${host}:${port}: the address is taken or not ours`));
          return;
        }
        this.#listenSocket = socket;
        this.#port = this.#uws.us_socket_local_port(socket as unknown as us_socket);
        resolve();
      });
    });
  }

  stopListening(): void {
    const socket = this.#listenSocket;
    if (socket === undefined) return;
    this.#listenSocket = undefined;
    this.#uws.us_listen_socket_close(socket);
  }

  close(): Promise<void> {
    if (!this.#closed) {
      this.#closed = true;
      this.#listenSocket = undefined;
      this.#app.close();
    }
    return Promise.resolve();
  }

  #upgrade(response: UwsResponse, request: UwsRequest, context: us_socket_context_t): void {
    if (this.#connections >= this.#options.connectionsMax) {
      this.#handler.onRefused("connectionsMax");
      writeAnswer(response, tooManyConnectionsAnswer(this.#options.connectionsMax), false);
      return;
    }
    const headers = readHeaders(request);
    // uWebSockets.js looks at the key alone.
    if (!isWebSocketUpgrade(headers)) {
      writeAnswer(response, badUpgradeAnswer(), false);
      return;
    }
    const remoteAddress = addressOf(response);
    const decision = this.#handler.onUpgrade({
      path: request.getUrl(),
      headers,
      remoteAddress,
      subprotocols: parseSubprotocols(headers.get("sec-websocket-protocol")),
    });
    if (decision.kind === "refuse") {
      writeAnswer(response, decision.response, false);
      return;
    }
    const compressed =
      this.#options.compression && offersPlainDeflate(headers.get("sec-websocket-extensions"));
    const connection = new UwsConnection({
      id: this.#nextId++,
      remoteAddress,
      compressionNegotiated: compressed,
      bufferedBytesMax: this.#options.bufferedBytesMax,
    });
    this.#connections += 1;
    response.upgrade<UserData>(
      { connection },
      headers.get("sec-websocket-key") ?? "",
      decision.subprotocol,
      // The plainest offer, so that the answer is the same for every client.
      compressed ? "permessage-deflate" : "",
      context,
    );
  }

  #open(ws: WebSocket<UserData>): void {
    const { connection } = ws.getUserData();
    connection.socket = ws;
    try {
      connection.handler = this.#handler.onConnection(connection);
    } catch (error) {
      this.#onError("open", error);
      connection.close(1011, "internal error");
    }
  }

  #http(response: UwsResponse, request: UwsRequest): void {
    const exchange = new HttpExchange(response, request, this.#options.requestBytesMax);
    exchange.onTooLarge = () => this.#handler.onRefused("requestBytesMax");
    const remoteAddress = addressOf(response);
    exchange.onBody = (body) => {
      const handled = this.#handler.onHttp({
        method: exchange.method,
        path: exchange.path,
        query: exchange.query,
        headers: exchange.headers,
        remoteAddress,
        body,
        signal: exchange.signal,
      });
      // Both outcomes are answered here, so nothing is left to await.
      void handled.then(
        (answer) => this.#guard("answer", () => exchange.answer(answer)),
        (error: unknown) => {
          this.#onError("http handler", error);
          this.#guard("answer", () => exchange.answer(internalErrorAnswer()));
        },
      );
    };
    response.onAborted(() => exchange.aborted());
    response.onData((chunk, isLast) => {
      this.#guard("body", () => exchange.receive(chunk, isLast));
    });
  }

  /** An exception that reaches uWebSockets.js ends the process. */
  #guard(where: string, run: () => void): void {
    try {
      run();
    } catch (error) {
      this.#onError(where, error);
    }
  }
}

class UwsConnection implements Connection {
  readonly id: number;
  readonly remoteAddress: string;
  readonly compressionNegotiated: boolean;
  readonly #bufferedBytesMax: number;
  /** Undefined before the connection is open and after it closed: touching a closed one throws. */
  socket: WebSocket<UserData> | undefined;
  handler: ConnectionHandler | undefined;

  constructor(
    properties: Pick<Connection, "id" | "remoteAddress" | "compressionNegotiated"> & {
      readonly bufferedBytesMax: number;
    },
  ) {
    this.id = properties.id;
    this.remoteAddress = properties.remoteAddress;
    this.compressionNegotiated = properties.compressionNegotiated;
    this.#bufferedBytesMax = properties.bufferedBytesMax;
  }

  send(frame: Uint8Array, compress: boolean): SendResult {
    const { socket } = this;
    if (socket === undefined) return SendResult.Dropped;
    // Checked here, before uWebSockets.js does, so that control frames still find room and the
    // limit is exact.
    if (socket.getBufferedAmount() + frame.byteLength > this.#bufferedBytesMax) {
      return SendResult.Dropped;
    }
    switch (socket.send(frame, true, compress)) {
      case 1:
        return SendResult.Sent;
      case 0:
        return SendResult.Buffered;
      default:
        return SendResult.Dropped;
    }
  }

  bufferedBytes(): number {
    return this.socket?.getBufferedAmount() ?? 0;
  }

  close(code: number, reason: string): void {
    this.socket?.end(code, cutReason(reason));
  }

  terminate(): void {
    this.socket?.close();
  }

  closed(code: number, reason: string): void {
    const { handler } = this;
    this.socket = undefined;
    this.handler = undefined;
    handler?.onClose(code, reason);
  }
}

/** One HTTP request and its answer. The request object is only valid in the constructor. */
class HttpExchange {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly headers: ReadonlyMap<string, string>;
  onBody: (body: Uint8Array) => void = () => {};
  onTooLarge: () => void = () => {};
  readonly #response: UwsResponse;
  readonly #requestBytesMax: number;
  readonly #abort = new AbortController();
  readonly #chunks: Buffer[] = [];
  #bytes = 0;
  #state: "receiving" | "handling" | "done" = "receiving";

  constructor(response: UwsResponse, request: UwsRequest, requestBytesMax: number) {
    this.#response = response;
    this.#requestBytesMax = requestBytesMax;
    this.method = request.getMethod().toUpperCase();
    this.path = request.getUrl();
    this.query = request.getQuery() ?? "";
    this.headers = readHeaders(request);
  }

  get signal(): AbortSignal {
    return this.#abort.signal;
  }

  aborted(): void {
    if (this.#state === "done") return;
    this.#state = "done";
    this.#abort.abort();
  }

  receive(chunk: ArrayBuffer, isLast: boolean): void {
    if (this.#state !== "receiving") return;
    this.#bytes += chunk.byteLength;
    if (this.#bytes > this.#requestBytesMax) {
      this.onTooLarge();
      this.answer(bodyTooLargeAnswer(this.#requestBytesMax));
      return;
    }
    // The chunk's memory is only ours during the call.
    if (chunk.byteLength > 0) this.#chunks.push(Buffer.from(new Uint8Array(chunk)));
    if (!isLast) return;
    this.#state = "handling";
    const [only] = this.#chunks;
    this.onBody(
      only !== undefined && this.#chunks.length === 1 ? only : Buffer.concat(this.#chunks),
    );
  }

  answer(answer: HttpResponse): void {
    if (this.#state === "done") return;
    this.#state = "done";
    writeAnswer(this.#response, answer, this.method === "HEAD");
  }
}

function writeAnswer(response: UwsResponse, answer: HttpResponse, withoutBody: boolean): void {
  response.cork(() => {
    response.writeStatus(`${answer.status} ${reasonPhrase(answer.status)}`);
    for (const [name, value] of Object.entries(answer.headers)) response.writeHeader(name, value);
    if (withoutBody) response.endWithoutBody(Buffer.byteLength(answer.body));
    else response.end(answer.body);
  });
}

function readHeaders(request: UwsRequest): Map<string, string> {
  const headers = new Map<string, string>();
  request.forEach((name, value) => {
    headers.set(name, value);
  });
  return headers;
}

function addressOf(response: UwsResponse): string {
  return Buffer.from(response.getRemoteAddressAsText()).toString("utf8");
}
