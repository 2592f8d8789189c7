import type { ConnectionError } from "../errors.ts";
import type { Environment } from "../host/environment.ts";
import type { ClientConnection } from "../session/connection.ts";
import type { ClientMessage } from "../session/frame.ts";
import type { TransportKind } from "./transport-kind.ts";
import type { ConnectionTarget, LadderTools, TransportOptions } from "./transport-options.ts";
import type { TransportTrial, TrialOutcome } from "./transport-trial.ts";

/** What is known of one address. */
type Rung = {
  /** The transport that the next connection begins with. */
  level: number;
  /** Connections in a row that were of no use. */
  breaks: number;
  /** The level of a connection that is in use and not the best; 0 if there is none. */
  inUse: number;
};

/**
 * Chooses the transport of each connection: the best one that works. What works is remembered for
 * each address; while something worse than the best is in use, a further connection to the address
 * tries only what is better. What is not needed is not loaded.
 */
export class TransportLadder {
  readonly options: TransportOptions;
  readonly tools: LadderTools;
  readonly #rungs = new Map<string, Rung>();
  /** Where addresses begin. */
  readonly #level: number;

  /** `breaks` are those of WebSockets before it was loaded. */
  constructor(options: TransportOptions, tools: LadderTools, breaks: number) {
    this.options = options;
    this.tools = tools;
    this.#level = breaks >= tools.breaksMax && options.kinds.length > 1 ? 1 : 0;
  }

  /**
   * A connection to an address, made idle. `failed` is why the best transport has just failed, if
   * that is why this one is made.
   */
  createConnection(target: ConnectionTarget, failed?: ConnectionError): ClientConnection {
    return new LadderConnection(this, target, failed);
  }

  /** For a connection: which transports to try, in this order. */
  order(url: string): number[] {
    const { level, inUse } = this.#rung(url);
    const all = this.options.kinds.map((_, index) => index);
    if (inUse > 0) return all.slice(0, inUse);
    return [...all.slice(level), ...all.slice(0, level)];
  }

  /** For a connection: it is ready. */
  reached(url: string, level: number): void {
    const rung = this.#rung(url);
    rung.level = level;
    rung.inUse = level;
  }

  /** For a connection: it was ready, and is no more. */
  left(url: string, level: number, outcome: TrialOutcome): void {
    const rung = this.#rung(url);
    if (rung.inUse === level) rung.inUse = 0;
    if (rung.level !== level) return;
    rung.breaks = outcome === "useless" ? rung.breaks + 1 : 0;
    if (rung.breaks < this.tools.breaksMax) return;
    rung.breaks = 0;
    rung.level = (level + 1) % this.options.kinds.length;
  }

  #rung(url: string): Rung {
    let rung = this.#rungs.get(url);
    if (rung === undefined) {
      rung = { level: this.#level, breaks: 0, inUse: 0 };
      this.#rungs.set(url, rung);
    }
    return rung;
  }
}

/** One connection, by the first transport that brings a Welcome. */
class LadderConnection implements ClientConnection {
  readonly #ladder: TransportLadder;
  readonly #target: ConnectionTarget;
  readonly #trial: TransportTrial;
  #levels: number[] = [];
  #level = 0;
  #current: ClientConnection | undefined;
  #firstError: ConnectionError | undefined;
  #isOver = false;

  constructor(
    ladder: TransportLadder,
    target: ConnectionTarget,
    failed: ConnectionError | undefined,
  ) {
    this.#ladder = ladder;
    this.#target = target;
    this.#trial = ladder.tools.createTrial(ladder.options.environment, target.handlers);
    this.#firstError = failed;
  }

  get isFallback(): boolean {
    return this.#trial.isReady && this.#level > 0;
  }

  get transport(): TransportKind {
    return this.#ladder.options.kinds[this.#level]!;
  }

  open(): void {
    const hasFailed = this.#firstError !== undefined;
    this.#levels = this.#ladder.order(this.#target.url).filter((level) => level > 0 || !hasFailed);
    this.#next();
  }

  send(messages: readonly ClientMessage[]): void {
    this.#current?.send(messages);
  }

  probe(): void {
    this.#current?.probe();
  }

  close(error: ConnectionError): void {
    this.#trial.close();
    if (this.#current === undefined) this.#end(error);
    else this.#current.close(error);
  }

  #next(): void {
    this.#level = this.#levels.shift()!;
    this.#current = undefined;
    const { environment, fetch } = this.#ladder.options;
    const { transport } = this;
    const { url } = this.#target;
    if (transport === "websocket") {
      this.#dial(environment, url);
      return;
    }
    // Its failure is handed on below.
    void import("./http-sockets.ts").then(
      ({ openHttpSocket }) => {
        if (this.#isOver) return;
        const { clock } = environment;
        const openWebSocket = (address: string) =>
          openHttpSocket(address, { kind: transport, clock, fetch });
        this.#dial({ ...environment, openWebSocket }, this.#httpUrl(url));
      },
      (cause: unknown) => {
        this.#onEnd(this.#ladder.tools.failure(cause));
      },
    );
  }

  #dial(environment: Environment, url: string): void {
    const { frames } = this.#target;
    const options = { ...this.#ladder.options.connection, url };
    const handlers = this.#trial.handlers(
      () => this.#ladder.reached(this.#target.url, this.#level),
      (error) => this.#onEnd(error),
    );
    this.#current = this.#ladder.tools.dial(environment, options, { frames, handlers });
    this.#current.open();
  }

  #onEnd(error: ConnectionError): void {
    if (this.#isOver) return;
    if (this.#trial.outcomeOf(error) !== "failed") {
      this.#end(error);
      return;
    }
    // The first transport is the one that was wanted, so its failure says most.
    this.#firstError ??= error;
    if (this.#levels.length > 0) this.#next();
    else this.#end(this.#firstError);
  }

  #end(error: ConnectionError): void {
    if (this.#isOver) return;
    this.#isOver = true;
    if (this.#trial.isReady) {
      this.#ladder.left(this.#target.url, this.#level, this.#trial.outcomeOf(error));
    }
    this.#target.handlers.onEnd(error);
  }

  /** Where the paths of HTTP stand. */
  #httpUrl(address: string): string {
    const url = new URL(address.replace(/^ws/, "http"));
    const { webSocketPath } = this.#ladder.options;
    const prefix = url.pathname.slice(0, url.pathname.length - webSocketPath.length);
    url.pathname = `${prefix}/v1/${this.transport}`;
    return url.href;
  }
}
