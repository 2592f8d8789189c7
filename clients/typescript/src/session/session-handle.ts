/// <reference lib="esnext.disposable" preserve="true" />
import type { TransportKind } from "../transports/transport-kind.ts";
import type { ClientState, Session, StateListener } from "./session.ts";

/** What every client has, whatever it carries: its connection's state and its end. */
export class SessionHandle implements AsyncDisposable {
  readonly #session: Session;

  /** For this package: clients come from `connect()`. */
  constructor(session: Session) {
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
