import { ConnectionError, type ConnectionErrorCode } from "../errors.ts";
import { connectionErrorOfClose } from "../session/close-error.ts";
import { binaryOf } from "../session/frame-bytes.ts";
import type { HostEnvironment, WebSocketLike } from "../host/environment.ts";
import { CLIENT_VERSION, PROTOCOL_VERSION, SUBPROTOCOL } from "../session/greeting.ts";
import { Liveness } from "../session/liveness.ts";
import { CONNECT_MS_MAX } from "./lite-opening.ts";
import { LITE_CLIENT_NAME, type LiteConnectOptions } from "./lite-options.ts";
import {
  bytesOf,
  fieldsOf,
  messageBytes,
  messageOf,
  numberOf,
  textOf,
  type Fields,
  type Pair,
} from "./wire.ts";

// Kinds of the schema's ServerMessage and ClientMessage.
const WELCOME = 1;
const HELLO = 1;
const PING = 7;

/** What a connection tells, in this order: nothing follows the end. */
type LiteConnectionHandlers = {
  readonly onWelcome: (sessionId: string, topicsPerRequestMax: number) => void;
  /** A message by the number of its kind in the schema's ServerMessage. */
  readonly onMessage: (kind: number, message: Fields) => void;
  readonly onBatch: (bytes: Uint8Array) => void;
  readonly onEnd: (error: ConnectionError) => void;
};

/** One WebSocket, from its dial to its end. */
export class LiteConnection {
  readonly #options: LiteConnectOptions;
  readonly #environment: HostEnvironment;
  readonly #handlers: LiteConnectionHandlers;
  readonly #liveness: Liveness;
  #socket: WebSocketLike | undefined;
  #cancelTimer: () => void;
  #isReady = false;
  #isOver = false;
  /** What a socket of Node says of its failure. */
  #cause: unknown;

  /** Dials. */
  constructor(
    url: string,
    options: LiteConnectOptions,
    environment: HostEnvironment,
    handlers: LiteConnectionHandlers,
  ) {
    this.#options = options;
    this.#environment = environment;
    this.#handlers = handlers;
    const { clock } = environment;
    const {
      connectTimeoutMs = CONNECT_MS_MAX,
      pingIntervalMs = 15_000,
      pongTimeoutMs = 10_000,
    } = options;
    this.#liveness = new Liveness(
      clock,
      { pingIntervalMs, pongTimeoutMs },
      {
        sendPing: (nonce) => this.send(PING, [1, nonce]),
        onSilent: () => this.#fail("connection-silent", "no answer to a Ping", 4000),
      },
    );
    this.#cancelTimer = clock.after(connectTimeoutMs, () => {
      this.#fail("connect-timeout", `no Welcome within ${connectTimeoutMs} ms`, 4005);
    });
    try {
      this.#listen(environment.openWebSocket(url, [SUBPROTOCOL], { compression: true }));
    } catch (cause) {
      const error = new ConnectionError("connect-failed", "no WebSocket can be opened", { cause });
      // Not before its owner holds it.
      this.#cancelTimer();
      this.#cancelTimer = clock.after(0, () => this.close(error));
    }
  }

  #listen(socket: WebSocketLike): void {
    this.#socket = socket;
    if (socket.binaryType !== "nodebuffer") socket.binaryType = "arraybuffer";
    socket.onopen = () => void this.#greet(socket.protocol);
    socket.onmessage = (event: { readonly data: unknown }) => this.#receive(event.data);
    socket.onerror = (event: unknown) => {
      // The first one is the reason, of which others may follow.
      this.#cause ??= (event as { readonly error?: unknown } | undefined)?.error;
    };
    socket.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) =>
      this.#closed(code, reason);
  }

  /** Sends a message of the kind that has this number. Does nothing once it is over. */
  send(kind: number, ...pairs: readonly Pair[]): void {
    if (this.#isOver) return;
    const frame = messageBytes([1, messageBytes([kind, messageBytes(...pairs)])]);
    try {
      this.#socket?.send(Uint8Array.from(frame));
    } catch {
      this.#fail("connection-lost", "the socket takes nothing", 4000);
    }
  }

  /** Asks for a sign of life now. */
  probe(): void {
    this.#liveness.probe();
  }

  /** Ends it for this reason. Idempotent. */
  close(error: ConnectionError, closeCode = 1000): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#cancelTimer();
    this.#liveness.stop();
    const socket = this.#socket;
    if (socket !== undefined) {
      socket.onopen = socket.onmessage = socket.onclose = null;
      // `ws` throws an error that nobody listens to, and one may still come.
      socket.onerror = () => undefined;
    }
    this.#handlers.onEnd(error);
    try {
      socket?.close(closeCode, error.code);
    } catch {
      // What cannot even be closed is left to the host; nobody listens to it any more.
      return;
    }
  }

  /** It never rejects. */
  async #greet(protocol: string): Promise<void> {
    const { token, clientName = LITE_CLIENT_NAME } = this.#options;
    if (protocol !== SUBPROTOCOL) {
      this.#fail("unsupported-version", `the server speaks "${protocol}"`, 4500, false);
      return;
    }
    try {
      const accessToken = typeof token === "function" ? await token() : token;
      const version = [1, PROTOCOL_VERSION] as const;
      this.send(HELLO, version, [2, clientName], [3, CLIENT_VERSION], [4, true], [6, accessToken]);
    } catch {
      this.#fail("unauthenticated", "no token can be had", 4504);
    }
  }

  #receive(data: unknown): void {
    this.#liveness.observeInbound();
    try {
      const frame = fieldsOf(binaryOf(data));
      for (const bytes of bytesOf(frame, 1)) {
        fieldsOf(bytes).forEach((_, kind, message) => {
          this.#message(kind, messageOf(message, kind) ?? []);
        });
      }
      for (const bytes of bytesOf(frame, 2)) if (!this.#isOver) this.#handlers.onBatch(bytes);
    } catch (error) {
      // What is thrown by anything else is our own fault, and not to be hidden.
      if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error;
      this.#fail("protocol-error", `bad frame: ${error.message}`, 4002);
    }
  }

  #message(kind: number, message: Fields): void {
    if (this.#isOver) return;
    if (kind !== WELCOME) {
      if (this.#isReady) this.#handlers.onMessage(kind, message);
      return;
    }
    const version = numberOf(message, 1);
    const limits = messageOf(message, 5);
    if (version !== PROTOCOL_VERSION || limits === undefined) {
      this.#fail("unsupported-version", `the gateway speaks version ${version}`, 4503, false);
      return;
    }
    this.#isReady = true;
    this.#cancelTimer();
    this.#liveness.start();
    this.#handlers.onWelcome(textOf(message, 2), numberOf(limits, 3));
  }

  #closed(closeCode: number, reason: string): void {
    const cause = this.#cause;
    if (closeCode !== 1005 && closeCode !== 1006) {
      this.close(connectionErrorOfClose(closeCode, reason));
      return;
    }
    const detail = cause instanceof Error ? `: ${this.#environment.explainFailure(cause)}` : "";
    const [code, text] = this.#isReady
      ? (["connection-lost", "the connection broke"] as const)
      : (["connect-failed", "the gateway cannot be reached"] as const);
    this.close(new ConnectionError(code, text + detail, { retryable: true, cause }));
  }

  #fail(code: ConnectionErrorCode, message: string, closeCode: number, retryable = true): void {
    this.close(new ConnectionError(code, message, { retryable }), closeCode);
  }
}
