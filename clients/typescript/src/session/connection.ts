import type { Environment, WebSocketLike } from "../host/environment.ts";
import { ConnectionError } from "../errors.ts";
import { connectionErrorOfClose } from "./close-error.ts";
import { CONNECTION_TABLE } from "./connection-machine.ts";
import type { ConnectionAction, ConnectionEvent, ConnectionState } from "./connection-machine.ts";
import { currentToken } from "./access-token.ts";
import type { AccessToken } from "./access-token.ts";
import { binaryOf } from "./frame-bytes.ts";
import { FrameReader, type ClientMessage, type FrameCodec, type ServerMessage } from "./frame.ts";
import { PROTOCOL_VERSION, SUBPROTOCOL } from "./greeting.ts";
import { Liveness, type LivenessOptions } from "./liveness.ts";
import type { TransportKind } from "../transports/transport-kind.ts";
import { shownAddress } from "./shown-address.ts";

type WireWelcome = Extract<ServerMessage, { kind: "welcome" }>["value"];

/** What the gateway allows; 0 where it does not say. */
export type Limits = NonNullable<WireWelcome["limits"]>;

/** What the gateway says when a connection is ready. */
export type Welcome = WireWelcome & { readonly limits: Limits };

/** What one connection is told about itself. */
export type ConnectionOptions = {
  readonly url: string;
  readonly clientName: string;
  readonly clientVersion: string;
  /** Shown with Hello. */
  readonly token?: AccessToken | undefined;
  readonly compression: boolean;
  /** Market data that the gateway is to send at most; 0 is no bound. */
  readonly bandwidthBytesPerSecondMax: number;
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

/** One connection as its owner has it, whatever carries it. Made idle, dialled once. */
export type ClientConnection = {
  /** What carries it, or is tried now. */
  readonly transport: TransportKind;
  /** It is ready, and something better than what carries it may be had. */
  readonly isFallback: boolean;
  /** Dials, once. The outcome comes through the handlers. */
  open(): void;
  /** Sends one frame. Does nothing once the connection ended. */
  send(messages: readonly ClientMessage[]): void;
  /** Asks for a sign of life now. */
  probe(): void;
  /** Ends the connection for the given reason. Idempotent. */
  close(error: ConnectionError): void;
};

/** Makes the connections of a session, each to one address. */
export type ConnectionFactory = (
  url: string,
  frames: FrameCodec,
  handlers: ConnectionHandlers,
) => ClientConnection;

type MessageEventLike = { readonly data: unknown };
type CloseEventLike = { readonly code: number; readonly reason: string };

/**
 * One WebSocket from dial to end: handshake, frames, watchdog. Never reconnects. What happens in
 * which state is said by CONNECTION_TABLE; this class does it.
 */
export class Connection implements ClientConnection {
  readonly transport = "websocket";
  readonly isFallback = false;
  readonly #environment: Environment;
  readonly #options: ConnectionOptions;
  readonly #frames: FrameCodec;
  readonly #handlers: ConnectionHandlers;
  readonly #reader: FrameReader;
  readonly #liveness: Liveness;
  #state: ConnectionState = "idle";
  #socket: WebSocketLike | undefined;
  #cancelConnectTimer: () => void = () => undefined;
  #socketError: unknown;

  constructor(
    environment: Environment,
    options: ConnectionOptions,
    frames: FrameCodec,
    handlers: ConnectionHandlers,
  ) {
    this.#environment = environment;
    this.#options = options;
    this.#frames = frames;
    this.#handlers = handlers;
    this.#reader = new FrameReader(frames, {
      message: (message) => this.#handleMessage(message),
      batch: (bytes, start, end) => {
        if (this.#step("frame") === "deliver") this.#handlers.onBatch(bytes, start, end);
      },
    });
    this.#liveness = new Liveness(environment.clock, options.liveness, {
      sendPing: (nonce) => {
        handlers.onPing();
        this.send([{ kind: "ping", value: { nonce } }]);
      },
      onSilent: () => {
        const silence = `nothing arrived for ${options.liveness.pongTimeoutMs} ms after a Ping`;
        this.#fail(new ConnectionError("connection-silent", silence, { retryable: true }), 4000);
      },
    });
  }

  /** Dials, once. The outcome comes through the handlers. */
  open(): void {
    if (this.#step("dial") !== "dial") return;
    const { connectTimeoutMs, url, compression } = this.#options;
    this.#cancelConnectTimer = this.#environment.clock.after(connectTimeoutMs, () => {
      const message = `no Welcome within connectTimeoutMs ${connectTimeoutMs}`;
      const error = new ConnectionError("connect-timeout", message, { retryable: true });
      this.#fail(error, 4005, "timeout");
    });
    try {
      this.#socket = this.#environment.openWebSocket(url, [SUBPROTOCOL], { compression });
    } catch (cause) {
      const message = `cannot open ${shownAddress(url)}: ${cause instanceof Error ? cause.message : "refused"}`;
      this.#end("fail", new ConnectionError("connect-failed", message, { cause }));
      return;
    }
    this.#listen(this.#socket);
  }

  /**
   * Sends one frame. Does nothing once the connection ended. Throws WireError for a value that does
   * not fit its field; what users give is checked before.
   */
  send(messages: readonly ClientMessage[]): void {
    if (this.#state === "ended" || this.#socket === undefined) return;
    const frame = this.#frames.encode(messages);
    try {
      this.#socket.send(frame);
    } catch (cause) {
      const error = new ConnectionError("connection-lost", "the socket did not take a frame", {
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

  /** Moves to the next state; the result is what is to be done. */
  #step(event: ConnectionEvent): ConnectionAction {
    const [next, action] = CONNECTION_TABLE[this.#state][event];
    this.#state = next;
    return action;
  }

  #listen(socket: WebSocketLike): void {
    if (socket.binaryType !== "nodebuffer") socket.binaryType = "arraybuffer";
    socket.onopen = () => this.#handleOpen(socket);
    socket.onmessage = (event: MessageEventLike) => this.#handleFrame(event.data);
    socket.onerror = (event: unknown) => {
      // `ws` says here what browsers keep to themselves; a close event follows in both.
      // The first one is the reason, of which others may follow.
      this.#socketError ??= (event as { readonly error?: unknown } | undefined)?.error;
    };
    socket.onclose = (event: CloseEventLike) => this.#handleClose(event.code, event.reason);
  }

  #handleOpen(socket: WebSocketLike): void {
    if (socket.protocol !== SUBPROTOCOL) {
      const message = `the server speaks "${socket.protocol}", not ${SUBPROTOCOL}`;
      // A script may close with 1000 and 3000-4999 only.
      this.#fail(new ConnectionError("unsupported-version", message), 4500);
      return;
    }
    if (this.#step("opened") !== "greet") return;
    const { token } = this.#options;
    if (typeof token !== "function") this.#greet(token ?? "");
    // It never rejects.
    else void this.#greetWith(token);
  }

  /** Hello waits for the token; the timer of the Welcome runs meanwhile. */
  async #greetWith(token: AccessToken): Promise<void> {
    let accessToken: string;
    try {
      accessToken = await currentToken(token);
    } catch (cause) {
      const detail = cause instanceof Error ? cause.message : "it was refused";
      const message = `no token could be had: ${detail}`;
      const error = new ConnectionError("unauthenticated", message, { retryable: true, cause });
      this.#fail(error, 4504);
      return;
    }
    if (this.#state === "greeting") this.#greet(accessToken);
  }

  #greet(accessToken: string): void {
    const { clientName, clientVersion, compression, bandwidthBytesPerSecondMax } = this.#options;
    const hello = {
      protocolVersion: PROTOCOL_VERSION,
      clientName,
      clientVersion,
      acceptCompression: compression,
      answersProbes: true,
      bandwidthBytesPerSecondMax,
      acceptsParts: true,
      ...(accessToken === "" ? {} : { accessToken }),
    };
    this.send([{ kind: "hello", value: hello }]);
  }

  #handleFrame(data: unknown): void {
    if (this.#state === "ended") return;
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
    if (message.kind !== "welcome") {
      if (this.#step("frame") === "deliver") this.#handlers.onMessage(message);
      return;
    }
    const welcome = message.value;
    // What a second Welcome says does not matter any more.
    const problem =
      this.#state === "greeting" ? welcomeProblem(welcome, this.#options.url) : undefined;
    if (problem !== undefined) {
      this.#fail(new ConnectionError(problem.code, problem.message), problem.closeCode);
      return;
    }
    const action = this.#step("welcome");
    if (action === "deliver") this.#handlers.onMessage(message);
    if (action !== "announce") return;
    this.#cancelConnectTimer();
    this.#liveness.start();
    this.#handlers.onWelcome(welcome as Welcome);
  }

  #handleClose(code: number, reason: string): void {
    this.#end("closed", this.#errorOfClose(code, reason));
  }

  #errorOfClose(closeCode: number, reason: string): ConnectionError {
    if (closeCode !== 1006 && closeCode !== 1005) {
      const error = connectionErrorOfClose(closeCode, reason);
      // Who has one token for ever would show it again.
      if (error.code !== "access-expired" || typeof this.#options.token === "function")
        return error;
      return new ConnectionError(error.code, error.message, { closeCode });
    }
    const cause = this.#socketError;
    const detail = cause instanceof Error ? `: ${this.#environment.explainFailure(cause)}` : "";
    return this.#state === "ready"
      ? new ConnectionError("connection-lost", `the connection broke${detail}`, {
          retryable: true,
          closeCode,
          cause,
        })
      : new ConnectionError(
          "connect-failed",
          `cannot reach ${shownAddress(this.#options.url)}${detail}`,
          {
            retryable: true,
            cause,
          },
        );
  }

  /** Ends the connection from this side. */
  #fail(error: ConnectionError, closeCode: number, event: "fail" | "timeout" = "fail"): void {
    const socket = this.#socket;
    if (!this.#end(event, error) || socket === undefined) return;
    try {
      socket.close(closeCode, error.code);
    } catch {
      // A socket that cannot even be closed is left to the host; this client listens to it no more.
      return;
    }
  }

  /** False if the connection is over already, or does not mind. */
  #end(event: "fail" | "timeout" | "closed", error: ConnectionError): boolean {
    if (this.#step(event) !== "end") return false;
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
    return true;
  }
}

type WelcomeProblem = {
  readonly code: "unsupported-version" | "protocol-error";
  readonly message: string;
  readonly closeCode: number;
};

/** Why this client cannot work with a gateway that says this; undefined if it can. */
function welcomeProblem(
  { protocolVersion, limits }: WireWelcome,
  url: string,
): WelcomeProblem | undefined {
  if (protocolVersion !== PROTOCOL_VERSION) {
    const message = `the gateway speaks version ${protocolVersion}, this client ${PROTOCOL_VERSION}`;
    return { code: "unsupported-version", message, closeCode: 4503 };
  }
  if (limits === undefined) {
    // A server that sends back what it gets would look like a gateway without limits.
    const message = `${shownAddress(url)} is no Tickwire gateway: its Welcome names no limits`;
    return { code: "protocol-error", message, closeCode: 4500 };
  }
  return undefined;
}
