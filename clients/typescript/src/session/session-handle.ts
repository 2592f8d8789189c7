/// <reference lib="esnext.disposable" preserve="true" />
import type { TransportKind } from "../transports/transport-kind.ts";
import type { SessionState } from "./client-session.ts";
import type { ClientState, StateListener } from "./session.ts";

/** What every client has, whatever it carries: its connection's state and its end. */
export class SessionHandle implements AsyncDisposable {
  readonly #session: SessionState;

  /** For this package: clients come from `connect()`. */
  constructor(session: SessionState) {
    this.#session = session;
  }

  /** Where the client stands with its gateway now. */
  get state(): ClientState {
    return this.#session.state;
  }

  /**
   * The gateway's name for the current connection, for its operator's logs; undefined while there
   * is none.
   */
  get sessionId(): string | undefined {
    return this.#session.welcome?.sessionId;
  }

  /** The address that it is connected to, or dialled last, without its user and its query. */
  get url(): string {
    return this.#session.url;
  }

  /**
   * What carries the connection now: a WebSocket, or HTTP where no WebSocket can be had. Undefined
   * while there is no connection.
   */
  get transport(): TransportKind | undefined {
    return this.#session.transport;
  }

  /**
   * Calls `listener` after each change of `state`, and when another connection has taken over
   * without a break (code `moved`). The result removes it. */
  onState(listener: StateListener): () => void {
    return this.#session.onState(listener);
  }

  /**
   * Resolves when the client is connected, at once if it is. Rejects with what ended the client, or
   * with the reason of the signal.
   */
  whenConnected({ signal }: { readonly signal?: AbortSignal | undefined } = {}): Promise<void> {
    return whenConnected(this.#session, signal);
  }

  /**
   * Ends every stream cleanly, rejects calls with `cancelled` and closes the connection.
   * Idempotent.
   */
  close(): void {
    this.#session.close();
  }

  /** The same as `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }
}

function whenConnected(session: SessionState, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    const end = (): void => {
      release();
      signal?.removeEventListener("abort", look);
    };
    const look = (): void => {
      if (signal?.aborted === true) reject(signal.reason);
      else if (session.state === "connected") resolve();
      else if (session.state === "closed") reject(session.closedBy);
      else return;
      end();
    };
    const release = session.onState(look);
    signal?.addEventListener("abort", look);
    look();
  });
}
