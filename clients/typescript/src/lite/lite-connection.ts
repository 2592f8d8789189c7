import { ConnectionError, connectionErrorOfClose } from "../errors.ts";
import type { Environment, WebSocketLike } from "../host/environment.ts";
import { currentToken, type AccessToken } from "../session/access-token.ts";
import { Liveness, type LivenessOptions } from "../session/liveness.ts";
import {
  bytesOf,
  fieldsOf,
  messageBytes,
  messageOf,
  numberOf,
  textOf,
  type Fields,
} from "./wire.ts";

const SUBPROTOCOL = "tickwire.v1";
const PROTOCOL_VERSION = 1;

/** What a connection is made with. */
type LiteConnectionOptions = {
  readonly environment: Environment;
  readonly url: string;
  readonly clientName: string;
  readonly clientVersion: string;
  readonly token: AccessToken | undefined;
  readonly connectTimeoutMs: number;
  readonly liveness: LivenessOptions;
};

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
  readonly #options: LiteConnectionOptions;
  readonly #handlers: LiteConnectionHandlers;
  readonly #liveness: Liveness;
  #socket: WebSocketLike | undefined;
  #cancelTimer: () => void = () => undefined;
  #isReady = false;
  #isOver = false;
  /** What a socket of Node says of its failure. */
  #cause: unknown;

  constructor(options: LiteConnectionOptions, handlers: LiteConnectionHandlers) {
    this.#options = options;
    this.#handlers = handlers;
    const silent = () => this.#fail("connection-silent", "nothing came in answer to a Ping", 4000);
    this.#liveness = new Liveness(options.environment.clock, options.liveness, {
      sendPing: (nonce) => this.send(messageBytes([7, messageBytes([1, nonce])])),
      onSilent: silent,
    });
  }

  open(): void {
    const { environment, connectTimeoutMs, url } = this.#options;
    this.#cancelTimer = environment.clock.after(connectTimeoutMs, () =>
      this.#fail("connect-timeout", `no Welcome within connectTimeoutMs ${connectTimeoutMs}`, 4005),
    );
    let socket: WebSocketLike;
    try {
      socket = environment.openWebSocket(url, [SUBPROTOCOL], { compression: true });
    } catch (cause) {
      const error = new ConnectionError("connect-failed", "the host opens no WebSocket", { cause });
      // Not before its owner holds it.
      this.#cancelTimer();
      this.#cancelTimer = environment.clock.after(0, () => this.#end(error));
      return;
    }
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

  /** Sends one message of a frame. Does nothing once it is over. */
  send(message: readonly number[]): void {
    if (this.#isOver) return;
    try {
      this.#socket?.send(Uint8Array.from(messageBytes([1, message])));
    } catch {
      this.#fail("connection-lost", "the socket did not take a frame", 4000);
    }
  }

  /** Asks for a sign of life now. */
  probe(): void {
    this.#liveness.probe();
  }

  /** Ends it for this reason. Idempotent. */
  close(error: ConnectionError, closeCode = 1000): void {
    const socket = this.#socket;
    if (!this.#end(error)) return;
    try {
      socket?.close(closeCode, error.code);
    } catch {
      // What cannot even be closed is left to the host; nobody listens to it any more.
      return;
    }
  }

  /** It never rejects. */
  async #greet(protocol: string): Promise<void> {
    const { token, clientName, clientVersion } = this.#options;
    if (protocol !== SUBPROTOCOL) {
      this.#fail(
        "unsupported-version",
        `the server speaks "${protocol}", not ${SUBPROTOCOL}`,
        4500,
        false,
      );
      return;
    }
    try {
      const accessToken = token && (await currentToken(token));
      const hello = messageBytes(
        [1, PROTOCOL_VERSION],
        [2, clientName],
        [3, clientVersion],
        [4, true],
        [6, accessToken],
      );
      this.send(messageBytes([1, hello]));
    } catch {
      this.#fail("unauthenticated", "no token could be had", 4504);
    }
  }

  #receive(data: unknown): void {
    this.#liveness.observeInbound();
    const { onBatch } = this.#handlers;
    try {
      const frame = fieldsOf(
        data instanceof Uint8Array ? data : new Uint8Array(data as ArrayBuffer),
      );
      for (const bytes of bytesOf(frame, 1)) {
        fieldsOf(bytes).forEach((_, kind, message) => {
          this.#message(kind, messageOf(message, kind) ?? []);
        });
      }
      for (const bytes of bytesOf(frame, 2)) if (!this.#isOver) onBatch(bytes);
    } catch (error) {
      // What is thrown by anything else is our own fault, and not to be hidden.
      if (!(error instanceof RangeError) && !(error instanceof TypeError)) throw error;
      this.#fail("protocol-error", `bad frame from the gateway: ${error.message}`, 4002);
    }
  }

  #message(kind: number, message: Fields): void {
    if (this.#isOver) return;
    if (kind !== 1) {
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
    const detail =
      cause instanceof Error ? `: ${this.#options.environment.explainFailure(cause)}` : "";
    const [code, text] = this.#isReady
      ? (["connection-lost", "the connection broke"] as const)
      : (["connect-failed", "the gateway cannot be reached"] as const);
    const isBroken = closeCode === 1005 || closeCode === 1006;
    this.#end(
      isBroken
        ? new ConnectionError(code, text + detail, { retryable: true, cause })
        : connectionErrorOfClose(closeCode, reason),
    );
  }

  #fail(
    code: ConstructorParameters<typeof ConnectionError>[0],
    message: string,
    closeCode: number,
    retryable = true,
  ): void {
    this.close(new ConnectionError(code, message, { retryable }), closeCode);
  }

  /** False if it is over already. */
  #end(error: ConnectionError): boolean {
    if (this.#isOver) return false;
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
    return true;
  }
}
