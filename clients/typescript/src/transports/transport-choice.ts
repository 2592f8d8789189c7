import { ConnectionError } from "../errors.ts";
import { Connection, type ClientConnection } from "../session/connection.ts";
import type { ClientMessage } from "../session/frame.ts";
import type { TransportKind } from "./transport-kind.ts";
import type { TransportLadder } from "./transport-ladder.ts";
import type { ConnectionTarget, LadderTools, TransportOptions } from "./transport-options.ts";
import { TransportTrial } from "./transport-trial.ts";

/** So many useless WebSockets in a row are what a network does not let through. */
export const WEB_SOCKET_BREAKS_MAX = 2;

/** What a connection over HTTP is judged by, as one over WebSocket is. */
const TOOLS: LadderTools = {
  breaksMax: WEB_SOCKET_BREAKS_MAX,
  createTrial: (environment, owner) => new TransportTrial(environment, owner),
  dial: (environment, options, { frames, handlers }) =>
    new Connection(environment, options, frames, handlers),
  failure: (cause) => {
    const message = "what carries frames over HTTP could not be loaded";
    return new ConnectionError("connect-failed", message, { retryable: true, cause });
  },
};

/**
 * Makes the connections of one session. As long as a WebSocket is wanted and works, it is all that
 * a page loads; what chooses something else comes with its first failure.
 */
export class TransportChoice {
  readonly options: TransportOptions;
  /** Loaded when it was first needed. */
  ladder: TransportLadder | undefined;
  /** WebSockets in a row that were of no use. */
  breaks: number;

  constructor(options: TransportOptions) {
    this.options = options;
    this.breaks = options.breaksBefore ?? 0;
  }

  createConnection(target: ConnectionTarget): ClientConnection {
    return this.ladder?.createConnection(target) ?? new FirstConnection(this, target);
  }
}

/** A connection by WebSocket, or by what is loaded in its place. */
class FirstConnection implements ClientConnection {
  readonly #choice: TransportChoice;
  readonly #target: ConnectionTarget;
  readonly #trial: TransportTrial;
  #current: ClientConnection | undefined;
  #isClosing = false;

  constructor(choice: TransportChoice, target: ConnectionTarget) {
    this.#choice = choice;
    this.#target = target;
    this.#trial = TOOLS.createTrial(choice.options.environment, target.handlers);
  }

  get transport(): TransportKind {
    return this.#current?.transport ?? this.#choice.options.kinds[0]!;
  }

  get isFallback(): boolean {
    return this.#current?.isFallback === true;
  }

  open(): void {
    const { kinds, environment, connection } = this.#choice.options;
    const { url, frames } = this.#target;
    const isUnfit = kinds.length > 1 && this.#choice.breaks >= TOOLS.breaksMax;
    if (kinds[0] !== "websocket" || isUnfit) {
      this.#climb();
      return;
    }
    const handlers = this.#trial.handlers(
      () => undefined,
      (error) => this.#onEnd(error),
    );
    this.#current = TOOLS.dial(environment, { ...connection, url }, { frames, handlers });
    this.#current.open();
  }

  send(messages: readonly ClientMessage[]): void {
    this.#current?.send(messages);
  }

  probe(): void {
    this.#current?.probe();
  }

  close(error: ConnectionError): void {
    this.#isClosing = true;
    this.#trial.close();
    if (this.#current === undefined) this.#target.handlers.onEnd(error);
    else this.#current.close(error);
  }

  #onEnd(error: ConnectionError): void {
    const outcome = this.#trial.outcomeOf(error);
    if (outcome === "failed" && this.#choice.options.kinds.length > 1) {
      this.#current = undefined;
      this.#climb(error);
      return;
    }
    this.#choice.breaks = outcome === "served" ? 0 : this.#choice.breaks + 1;
    this.#target.handlers.onEnd(error);
  }

  #climb(failed?: ConnectionError): void {
    // Its failure is handed on below.
    void import("./transport-ladder.ts").then(
      ({ TransportLadder: Ladder }) => {
        if (this.#isClosing) return;
        const choice = this.#choice;
        choice.ladder ??= new Ladder(choice.options, TOOLS, choice.breaks);
        this.#current = choice.ladder.createConnection(this.#target, failed);
        this.#current.open();
      },
      (cause: unknown) => {
        if (!this.#isClosing) this.#target.handlers.onEnd(failed ?? TOOLS.failure(cause));
      },
    );
  }
}
