import type { ConnectionError } from "../errors.ts";
import type { Environment } from "../host/environment.ts";
import type { ClientConnection } from "../session/connection.ts";
import type { ClientMessage } from "../session/frame.ts";
import type { TransportKind } from "./transport-kind.ts";
import type { ConnectionTarget, LadderTools, TransportOptions } from "./transport-options.ts";

/** What is known of one address. */
type Rung = {
  /** The transport that the next connection begins with. */
  level: number;
  /** Connections in a row that broke soon. */
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

  /** For a connection: it was ready for so long, and is no more. */
  left(url: string, level: number, heldMs: number, isOwn: boolean): void {
    const rung = this.#rung(url);
    if (rung.inUse === level) rung.inUse = 0;
    if (isOwn || rung.level !== level) return;
    rung.breaks = heldMs < this.tools.heldMsMin ? rung.breaks + 1 : 0;
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
  #levels: number[] = [];
  #level = 0;
  #current: ClientConnection | undefined;
  #readyAtUs: number | undefined;
  #firstError: ConnectionError | undefined;
  #isOver = false;
  #isClosing = false;

  constructor(
    ladder: TransportLadder,
    target: ConnectionTarget,
    failed: ConnectionError | undefined,
  ) {
    this.#ladder = ladder;
    this.#target = target;
    this.#firstError = failed;
  }

  get isFallback(): boolean {
    return this.#readyAtUs !== undefined && this.#level > 0;
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
    this.#isClosing = true;
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
    const { frames, handlers } = this.#target;
    const options = { ...this.#ladder.options.connection, url };
    const own = {
      ...handlers,
      onWelcome: (welcome: Parameters<typeof handlers.onWelcome>[0]) => {
        this.#readyAtUs = environment.clock.nowUs();
        this.#ladder.reached(this.#target.url, this.#level);
        handlers.onWelcome(welcome);
      },
      onEnd: (error: ConnectionError) => this.#onEnd(error),
    };
    this.#current = this.#ladder.tools.dial(environment, options, { frames, handlers: own });
    this.#current.open();
  }

  #onEnd(error: ConnectionError): void {
    if (this.#isOver) return;
    if (this.#readyAtUs !== undefined || this.#isClosing || this.#ladder.tools.isOfGateway(error)) {
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
    const { environment } = this.#ladder.options;
    if (this.#readyAtUs !== undefined) {
      const heldMs = (environment.clock.nowUs() - this.#readyAtUs) / 1_000;
      const isOwn = this.#isClosing || this.#ladder.tools.isOfGateway(error);
      this.#ladder.left(this.#target.url, this.#level, heldMs, isOwn);
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
