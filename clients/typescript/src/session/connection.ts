import type { Environment, WebSocketLike } from "../host/environment.ts";
import { ConnectionError, connectionErrorOfClose } from "../errors.ts";
import { encodeClientFrame, FrameReader, type ClientMessage, type ServerMessage } from "./frame.ts";
import { Liveness, type LivenessOptions } from "./liveness.ts";

/** The subprotocol of this schema. */
export const SUBPROTOCOL = "tickwire.v1";
const PROTOCOL_VERSION = 1;

export type Welcome = Extract<ServerMessage, { kind: "welcome" }>["value"];

/** What one connection is told about itself. */
export type ConnectionOptions = {
  readonly url: string;
  readonly clientName: string;
  readonly clientVersion: string;
  readonly compression: boolean;
  /** From the dial to Welcome. */
  readonly connectTimeoutMs: number;
  readonly liveness: LivenessOptions;
};

/** What one connection tells. Called synchronously; must not throw. */
export type ConnectionHandlers = {
  onWelcome(welcome: Welcome): void;
  onMessage(message: ServerMessage): void;
  /** May throw WireError, which ends the connection. The bytes are the handler's to keep. */
  onBatch(bytes: Uint8Array, start: number, end: number): void;
  /** A Ping goes out; the gateway counts it as a request. */
  onPing(): void;
  /** Called exactly once, also after close(). */
  onEnd(error: ConnectionError): void;
};

type MessageEventLike = { readonly data: unknown };
type CloseEventLike = { readonly code: number; readonly reason: string };

/** One WebSocket from dial to end: handshake, frames, watchdog. Never reconnects. */
export class Connection {
  readonly #environment: Environment;
  readonly #options: ConnectionOptions;
  readonly #handlers: ConnectionHandlers;
  readonly #reader: FrameReader;
  readonly #liveness: Liveness;
  #socket: WebSocketLike | undefined;
  #cancelConnectTimer: () => void = () => undefined;
  #welcomed = false;
  #ended = false;
  #socketError: unknown;

  constructor(environment: Environment, options: ConnectionOptions, handlers: ConnectionHandlers) {
    this.#environment = environment;
    this.#options = options;
    this.#handlers = handlers;
    this.#reader = new FrameReader({
      message: (message) => this.#handleMessage(message),
      batch: (bytes, start, end) => {
        if (!this.#ended) this.#handlers.onBatch(bytes, start, end);
      },
    });
    this.#liveness = new Liveness(environment.clock, options.liveness, {
      sendPing: (nonce) => {
        handlers.onPing();
        this.send([{ kind: "ping", value: { nonce } }]);
      },
      onSilent: () => {
        const silence = `nothing arrived for ${options.liveness.pongTimeoutMs} ms after a ping`;
        this.#fail(new ConnectionError("connection-silent", silence, { retryable: true }), 4000);
      },
    });
  }

  /** Dials. The outcome comes through the handlers. */
  open(): void {
    const { connectTimeoutMs, url, compression } = this.#options;
    this.#cancelConnectTimer = this.#environment.clock.after(connectTimeoutMs, () => {
      const message = `no Welcome within connectTimeoutMs ${connectTimeoutMs}`;
      this.#fail(new ConnectionError("connect-timeout", message, { retryable: true }), 4005);
    });
    try {
      this.#socket = this.#environment.openWebSocket(url, [SUBPROTOCOL], { compression });
    } catch (cause) {
      const message = `cannot open ${url}: ${cause instanceof Error ? cause.message : "refused"}`;
      this.#end(new ConnectionError("connect-failed", message, { cause }));
      return;
    }
    this.#listen(this.#socket);
  }

  /**
   * Sends one frame. Does nothing once the connection ended. Throws WireError for a value that does
   * not fit its field; what users give is checked before.
   */
  send(messages: readonly ClientMessage[]): void {
    if (this.#ended || this.#socket === undefined) return;
    const frame = encodeClientFrame(messages);
    try {
      this.#socket.send(frame);
    } catch (cause) {
      const error = new ConnectionError("connection-lost", "the socket refused to send", {
        retryable: true,
        cause,
      });
      this.#fail(error, 4000);
    }
  }

  /** Asks for a sign of life now. */
  probe(): void {
    this.#liveness.probe();
  }

  /** Ends the connection for the given reason. Idempotent. */
  close(error: ConnectionError): void {
    this.#fail(error, 1000);
  }

  #listen(socket: WebSocketLike): void {
    if (socket.binaryType !== "nodebuffer") socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#handleOpen(socket);
    socket.onmessage = (event: MessageEventLike) => this.#handleFrame(event.data);
    socket.onerror = (event: unknown) => {
      // `ws` says here what browsers keep to themselves; a close event follows in both.
      this.#socketError = (event as { readonly error?: unknown } | undefined)?.error;
    };
    socket.onclose = (event: CloseEventLike) => this.#handleClose(event.code, event.reason);
  }

  #handleOpen(socket: WebSocketLike): void {
    if (socket.protocol !== SUBPROTOCOL) {
      const message = `the server speaks "${socket.protocol}", not ${SUBPROTOCOL}`;
      this.#fail(new ConnectionError("unsupported-version", message), 1002);
      return;
    }
    const { clientName, clientVersion, compression } = this.#options;
    const hello = {
      protocolVersion: PROTOCOL_VERSION,
      clientName,
      clientVersion,
      acceptCompression: compression,
    };
    this.send([{ kind: "hello", value: hello }]);
  }

  #handleFrame(data: unknown): void {
    if (this.#ended) return;
    this.#liveness.observeInbound();
    try {
      this.#reader.read(binaryOf(data));
    } catch (cause) {
      const text = cause instanceof Error ? cause.message : "unreadable";
      const error = new ConnectionError("protocol-error", `bad frame from the gateway: ${text}`, {
        retryable: true,
        cause,
      });
      this.#fail(error, 4002);
    }
  }

  #handleMessage(message: ServerMessage): void {
    if (this.#ended) return;
    if (message.kind === "welcome" && !this.#welcomed) {
      if (!this.#acceptsWelcome(message.value)) return;
      this.#welcomed = true;
      this.#cancelConnectTimer();
      this.#liveness.start();
      this.#handlers.onWelcome(message.value);
    } else {
      this.#handlers.onMessage(message);
    }
  }

  /** A server that sends back what it gets would look like a gateway without limits. */
  #acceptsWelcome({ protocolVersion, limits }: Welcome): boolean {
    if (protocolVersion !== PROTOCOL_VERSION) {
      const message = `the gateway speaks version ${protocolVersion}, this client ${PROTOCOL_VERSION}`;
      this.#fail(new ConnectionError("unsupported-version", message), 4503);
      return false;
    }
    if (limits === undefined) {
      const message = `${this.#options.url} is no Tickwire gateway: its Welcome names no limits`;
      this.#fail(new ConnectionError("protocol-error", message), 4500);
      return false;
    }
    return true;
  }

  #handleClose(code: number, reason: string): void {
    if (this.#ended) return;
    if (code !== 1006 && code !== 1005) {
      this.#end(connectionErrorOfClose(code, reason));
      return;
    }
    const cause = this.#socketError;
    const detail = cause instanceof Error ? `: ${cause.message}` : "";
    const error = this.#welcomed
      ? new ConnectionError("connection-lost", `the connection broke${detail}`, {
          retryable: true,
          closeCode: code,
          cause,
        })
      : new ConnectionError("connect-failed", `cannot reach ${this.#options.url}${detail}`, {
          retryable: true,
          cause,
        });
    this.#end(error);
  }

  #fail(error: ConnectionError, closeCode: number): void {
    if (this.#ended) return;
    const socket = this.#socket;
    this.#end(error);
    if (socket === undefined) return;
    try {
      // Scripts may close with 1000 and 3000-4999 only.
      socket.close(closeCode === 1002 ? 4500 : closeCode, error.code);
    } catch {
      // A socket that cannot even be closed is left to the host; this client listens to it no more.
      return;
    }
  }

  #end(error: ConnectionError): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#cancelConnectTimer();
    this.#liveness.stop();
    const socket = this.#socket;
    if (socket !== undefined) {
      socket.onopen = null;
      socket.onmessage = null;
      socket.onclose = null;
      // `ws` throws an error event that nobody listens to, and one may still come after close().
      socket.onerror = () => undefined;
    }
    this.#handlers.onEnd(error);
  }
}

function binaryOf(data: unknown): Uint8Array {
  if (data instanceof Uint8Array) return data;
  if (data instanceof ArrayBuffer) return new Uint8Array(data);
  throw new TypeError("a text frame");
}
