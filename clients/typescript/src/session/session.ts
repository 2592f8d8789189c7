import { backoffDelayMs, type BackoffOptions } from "../backoff.ts";
import { Connection, type ConnectionOptions, type Welcome } from "./connection.ts";
import type { Environment, NetworkChange } from "../host/environment.ts";
import { ConnectionError, type ConnectionErrorCode } from "../errors.ts";
import { FrameCodec, SESSION_MEMBERS, type ServerMessage } from "./frame.ts";
import { RequestPacer } from "./request-pacer.ts";
import type { SessionLink, SessionPart } from "./session-part.ts";

/**
 * `connecting` before the first Welcome, `connected`, `reconnecting` between connections, `closed`
 * for good: by `close()`, or by a close code that forbids to reconnect.
 */
export type ClientState = "connecting" | "connected" | "reconnecting" | "closed";

/** Why the state is what it is. */
export type StateReason = {
  /** `welcome` when connected, else what ended the connection. */
  readonly code: "welcome" | ConnectionErrorCode;
  /** For people and logs. */
  readonly reason: string;
  /** Absent when connected. */
  readonly error?: ConnectionError;
};

/** Called after each change. What it throws goes to the host as uncaught. */
export type StateListener = (state: ClientState, reason: StateReason) => void;

/** What a session is made with. */
export type SessionOptions = {
  readonly environment: Environment;
  readonly connection: ConnectionOptions;
  /** False: the first lost connection closes the client. */
  readonly reconnect: BackoffOptions | false;
  /** Keep dialling when the first connection cannot be made. */
  readonly waitForFirstConnect: boolean;
};

const BACKOFF_DEFAULT: BackoffOptions = { baseMs: 500, maxMs: 20_000 };

/** What the gateway takes for an answer, in requests. */
const COST_OF_ANSWER = 0.1;

/** One client's logical state over any number of connections. */
export class Session {
  /** For the parts of this session. */
  readonly link: SessionLink;
  readonly #options: SessionOptions;
  readonly #environment: Environment;
  readonly #pacer: RequestPacer;
  readonly #parts: SessionPart[] = [];
  #frames: FrameCodec | undefined;
  readonly #listeners = new Set<StateListener>();
  readonly #unwatchNetwork: () => void;
  #state: ClientState = "connecting";
  #connection: Connection | undefined;
  #welcome: Welcome | undefined;
  #cancelRetry: (() => void) | undefined;
  #attempt = 0;
  #endError: ConnectionError | undefined;
  #connectedAtUs = 0;
  /** When to come back after a planned stop; 0 if none was announced. */
  #comeBackAtUs = 0;

  constructor(options: SessionOptions) {
    this.#options = options;
    this.#environment = options.environment;
    const { clock, random } = options.environment;
    this.#pacer = new RequestPacer(clock);
    this.link = {
      clock,
      random,
      backoff: options.reconnect === false ? BACKOFF_DEFAULT : options.reconnect,
      pacer: this.#pacer,
      send: (messages) => {
        if (this.#welcome !== undefined) this.#connection?.send(messages);
      },
      reconnect: (error) => this.#connection?.close(error),
      watchVisibility: (listener) => this.#environment.watchVisibility(listener),
      reportUncaught: (error) => this.#environment.reportUncaught(error),
    };
    this.#unwatchNetwork = options.environment.watchNetwork((change) => this.#onNetwork(change));
  }

  /** Adds what the session carries, before it starts. Parts are told of everything in order. */
  carry(part: SessionPart): void {
    this.#parts.push(part);
  }

  /** Where the session stands now. */
  get state(): ClientState {
    return this.#state;
  }

  /** Of the current connection; undefined while there is none. */
  get welcome(): Welcome | undefined {
    return this.#welcome;
  }

  /** What ended the client for good; undefined while it lives and after `close()`. */
  get endError(): ConnectionError | undefined {
    return this.#endError;
  }

  /** Calls `listener` after each change of `state`. The result removes it. */
  onState(listener: StateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Dials for the first time. */
  start(): void {
    this.#dial();
  }

  /** Ends everything: iterators end cleanly, calls reject. Idempotent. */
  close(message = "the client was closed", cause?: unknown): void {
    const error = new ConnectionError("client-closed", message, { cause });
    this.#shutDown(error, false);
  }

  #dial(): void {
    this.#cancelRetry = undefined;
    const { connection: options } = this.#options;
    this.#frames ??= new FrameCodec([
      SESSION_MEMBERS,
      ...this.#parts.map(({ members }) => members),
    ]);
    const connection = new Connection(this.#environment, options, this.#frames, {
      onWelcome: (welcome) => this.#onWelcome(welcome),
      onMessage: (message) => this.#onMessage(message),
      onBatch: (bytes, start, end) => {
        for (const part of this.#parts) part.handleBatch?.(bytes, start, end);
      },
      onPing: () => this.#pacer.charge(1),
      onEnd: (error) => this.#onEnd(error),
    });
    this.#connection = connection;
    connection.open();
  }

  #onWelcome(welcome: Welcome): void {
    this.#welcome = welcome;
    this.#connectedAtUs = this.#environment.clock.nowUs();
    this.#setState("connected", { code: "welcome", reason: `session ${welcome.sessionId}` });
    const { limits } = welcome;
    this.#pacer.start(limits.requestsPerSecondMax);
    for (const part of this.#parts) part.handleConnected(limits);
  }

  #onMessage(message: ServerMessage): void {
    if (message.kind === "notice" && message.value.kind === "NOTICE_KIND_GOING_AWAY") {
      // From now, not from the close: the gateway spreads its closes over the window too.
      const { clock, random } = this.#environment;
      const windowUs = message.value.reconnectWindowMs * 1_000;
      this.#comeBackAtUs = clock.nowUs() + random() * windowUs;
      return;
    }
    if (message.kind === "probe") {
      this.#pacer.charge(COST_OF_ANSWER);
      this.#connection?.send([{ kind: "probeAnswer", value: { number: message.value.number } }]);
      return;
    }
    for (const part of this.#parts) part.handleMessage(message);
  }

  #onEnd(error: ConnectionError): void {
    const wasConnected = this.#welcome !== undefined;
    this.#pacer.stop();
    this.#connection = undefined;
    this.#welcome = undefined;
    if (this.#state === "closed") return;
    for (const part of this.#parts) part.handleDisconnected(error);
    const { reconnect, waitForFirstConnect } = this.#options;
    const gaveUp = this.#state === "connecting" && !waitForFirstConnect;
    if (!error.retryable || reconnect === false || gaveUp) {
      this.#shutDown(error, true);
      return;
    }
    const { clock, random } = this.#environment;
    // After a connection that lasted, waits are short again; not after one that broke at once.
    const heldMs = wasConnected ? (clock.nowUs() - this.#connectedAtUs) / 1_000 : 0;
    if (heldMs >= reconnect.maxMs) this.#attempt = 0;
    const windowMs = (this.#comeBackAtUs - clock.nowUs()) / 1_000;
    const delayMs = Math.max(backoffDelayMs(this.#attempt, reconnect, random), windowMs);
    this.#attempt += 1;
    this.#comeBackAtUs = 0;
    this.#cancelRetry = clock.after(delayMs, () => this.#dial());
    const state = this.#state === "connecting" ? "connecting" : "reconnecting";
    this.#setState(state, { code: error.code, reason: error.message, error });
  }

  #onNetwork(change: NetworkChange): void {
    const { reconnect } = this.#options;
    if (this.#connection !== undefined) {
      // Some hosts say "offline" and still reach a local gateway: ask the connection itself.
      if (this.#welcome !== undefined) this.#connection.probe();
    } else if (change !== "offline" && this.#cancelRetry !== undefined && reconnect !== false) {
      this.#cancelRetry();
      this.#attempt = 0;
      const { clock, random } = this.#environment;
      this.#cancelRetry = clock.after(backoffDelayMs(0, reconnect, random), () => this.#dial());
    }
  }

  #shutDown(error: ConnectionError, isFailure: boolean): void {
    if (this.#state === "closed") return;
    this.#endError = isFailure ? error : undefined;
    this.#cancelRetry?.();
    this.#unwatchNetwork();
    this.#setState("closed", { code: error.code, reason: error.message, error });
    // Before the socket is closed, so that cancelled calls and unsubscribes still go out.
    for (const part of this.#parts) part.close(error, isFailure);
    this.#connection?.close(error);
  }

  #setState(state: ClientState, reason: StateReason): void {
    this.#state = state;
    for (const listener of this.#listeners) {
      try {
        listener(state, reason);
      } catch (error) {
        this.#environment.reportUncaught(error);
      }
    }
  }
}
