import { backoffDelayMs, type BackoffOptions } from "../backoff.ts";
import { streamUrl } from "../connect.ts";
import { ConnectionError, TopicRefusedError, type TopicRefusal } from "../errors.ts";
import { quoteEvent, tradeEvent } from "../events/hot-events.ts";
import type { Quote, Trade } from "../events/market-event.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
import type {
  ClientClock,
  Environment,
  NetworkChange,
  WebSocketConstructor,
} from "../host/environment.ts";
import { assertIntegerOption, TIMER_MS_MAX } from "../host/option-checks.ts";
import type { AccessToken } from "../session/access-token.ts";
import type { ClientState } from "../session/session.ts";
import { BufferedStream, type EventStream } from "../streams/event-stream.ts";
import { fullTopics, isPattern, type Channel, type Topics } from "../topics/topic.ts";
import { CONFLATION_INTERVAL_MS_MAX } from "../topics/view-wish.ts";
import { QUOTES, TRADES } from "./batch.ts";
import { LiteConnection } from "./lite-connection.ts";
import { LiteTopics, type TopicsConsumer } from "./lite-topics.ts";
import type { TopicWish } from "./topic.ts";

/** Of this package; the operator of a gateway sees it. */
const CLIENT_VERSION = "0.1.0";
const INTERVAL_RANGE = { min: 0, max: CONFLATION_INTERVAL_MS_MAX };
const COUNT_RANGE = { min: 1, max: Number.MAX_SAFE_INTEGER };
const WAIT_RANGE = { min: 1, max: TIMER_MS_MAX };
const CHANNELS: readonly Channel[] = ["trades", "quotes"];

/** Options of the small client. Everything has a default; a value out of range is a RangeError. */
export type LiteConnectOptions = {
  /** Gives up connecting. Later it has no effect: use `client.close()`. */
  readonly signal?: AbortSignal | undefined;
  /** A WebSocket class. Default: the host's; on Node, `ws`. */
  readonly webSocket?: WebSocketConstructor | undefined;
  /** Waits between attempts, with full jitter; false never reconnects. Default 500 ms to 20 s. */
  readonly reconnect?: Partial<BackoffOptions> | false | undefined;
  /** From the dial to the gateway's Welcome, per attempt. Default 10 000. */
  readonly connectTimeoutMs?: number | undefined;
  /** Shown to the gateway's operator. Default `tickwire-client-lite`. */
  readonly clientName?: string | undefined;
  /** An API key or a token, or a function that gives one, called for every connection. */
  readonly token?: AccessToken | undefined;
  /** A Ping goes out after this much silence; 0 never. Default 15 000. */
  readonly pingIntervalMs?: number | undefined;
  /** The connection is given up after this much silence after a Ping. Default 10 000. */
  readonly pongTimeoutMs?: number | undefined;
  /** For tests: time. */
  readonly clock?: ClientClock | undefined;
  /** For tests: jitter, in [0, 1). */
  readonly random?: (() => number) | undefined;
};

/** Options of a stream of the small client. */
export type LiteStreamOptions = {
  /** Ends the stream cleanly. */
  readonly signal?: AbortSignal | undefined;
  /** The gateway sends at most once in so long. Default 0: every event. */
  readonly conflationIntervalMs?: number | undefined;
  /** Events that wait for the loop at most; one more ends a stream of trades. Default 10 000. */
  readonly bufferEventsMax?: number | undefined;
  /** How the topics go on: starts, resumes, gaps, lag, refusals. Called when it happens. */
  readonly onNotice?: ((notice: NoticeEvent) => void) | undefined;
};

/** Events for one `for await` loop, as in `@tickwire/client`; its view cannot be changed. */
export type LiteStream<T> = Omit<EventStream<T>, "update" | typeof Symbol.asyncIterator> &
  AsyncIterableIterator<T, undefined>;

/** Called after each change of the state, with what ended the connection where there is none. */
type LiteStateListener = (state: ClientState, error: ConnectionError | undefined) => void;

const TRADES_WISH = {
  channel: TRADES,
  keepsLatest: false,
  eventOf: tradeEvent,
} as unknown as TopicWish;
const QUOTES_WISH = {
  channel: QUOTES,
  keepsLatest: true,
  eventOf: quoteEvent,
} as unknown as TopicWish;

/**
 * The trades and quotes of one gateway, by name: no patterns, books or calls, and over a WebSocket
 * only. It connects again and resumes, and proves continuity, as `@tickwire/client` does.
 */
export class LiteClient {
  readonly #options: LiteConnectOptions;
  readonly #environment: Environment;
  readonly #url: string;
  readonly #backoff: BackoffOptions;
  readonly #topics: LiteTopics;
  readonly #listeners = new Set<LiteStateListener>();
  readonly #unwatch: () => void;
  #connection: LiteConnection | undefined;
  #cancelTimer: () => void = () => undefined;
  #failures = 0;
  #welcomedAtUs: number | undefined;
  #sessionId: string | undefined;
  #state: ClientState = "connecting";
  #endError: ConnectionError | undefined;

  /** For this package: clients come from `connect()`. Throws ConnectionError for a bad address. */
  constructor(url: string, options: LiteConnectOptions, environment: Environment) {
    this.#options = options;
    this.#environment = environment;
    this.#url = streamUrl(url);
    assertOptions(options);
    const { reconnect } = options;
    this.#backoff = { baseMs: 500, maxMs: 20_000, ...(reconnect === false ? {} : reconnect) };
    const { clock, random } = environment;
    this.#unwatch = environment.watchNetwork((change) => this.#onNetwork(change));
    this.#topics = new LiteTopics({
      clock,
      random,
      backoff: this.#backoff,
      send: (message) => this.#connection?.send(message),
    });
    this.#dial();
  }

  /** Where the client stands with its gateway now. */
  get state(): ClientState {
    return this.#state;
  }

  /** The gateway's name for the current connection; undefined while there is none. */
  get sessionId(): string | undefined {
    return this.#sessionId;
  }

  /** Calls `listener` after each change of `state`. The result removes it. */
  onState(listener: LiteStateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Every trade. Topics are `VENUE:SYMBOL`, one or several. */
  trades(topics: Topics, options?: LiteStreamOptions): LiteStream<Trade> {
    return this.#stream("trades", TRADES_WISH, topics, options);
  }

  /** Best bid and offer; a slow loop gets the latest of each topic. */
  quotes(topics: Topics, options?: LiteStreamOptions): LiteStream<Quote> {
    return this.#stream("quotes", QUOTES_WISH, topics, options);
  }

  /** Ends every stream cleanly and closes the connection. Idempotent. */
  close(): void {
    this.#end(new ConnectionError("client-closed", "the client was closed"), false);
  }

  /** The same as `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #stream<T extends { readonly topic: string }>(
    channel: Channel,
    wish: TopicWish,
    topics: Topics,
    options: LiteStreamOptions = {},
  ): LiteStream<T> {
    const names = fullTopics(topics, channel, CHANNELS);
    const { signal, conflationIntervalMs = 0, bufferEventsMax = 10_000, onNotice } = options;
    assertIntegerOption("conflationIntervalMs", conflationIntervalMs, INTERVAL_RANGE);
    assertIntegerOption("bufferEventsMax", bufferEventsMax, COUNT_RANGE);
    const pattern = names.find(isPattern);
    if (pattern !== undefined) {
      const message = "is a pattern, which the small client does not know";
      const refusal = {
        topic: pattern,
        code: "topic-malformed",
        message,
        alternatives: [],
      } as const;
      throw new TopicRefusedError([refusal]);
    }
    if (this.#endError !== undefined) throw this.#endError;
    const notice = (given: NoticeEvent) => {
      try {
        onNotice?.(given);
      } catch (error) {
        this.#environment.reportUncaught(error);
      }
    };
    const policy = wish.keepsLatest ? "latest" : "error";
    const stream = new BufferedStream<T>(bufferEventsMax, policy, this.#environment);
    const open = new Set(names);
    const refusals: TopicRefusal[] = [];
    const consumer: TopicsConsumer = {
      event: (event) => stream.push(event),
      notice,
      refuse: (name, refusal) => {
        refusals.push(refusal);
        notice({ type: "refused", ...refusal });
        open.delete(name);
        if (open.size === 0) stream.end(new TopicRefusedError(refusals));
      },
      end: (error) => stream.end(error),
    };
    this.#topics.attach(names, { ...wish, conflationIntervalMs }, consumer);
    const abort = () => stream.close();
    stream.fedBy({
      refusals: () => refusals,
      // Nobody can ask for it: the type has no such method.
      update: () => undefined,
      release: () => {
        signal?.removeEventListener("abort", abort);
        this.#topics.detach(names, consumer);
      },
    });
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
    return stream;
  }

  #dial(): void {
    const { token, clientName, ...times } = this.#options;
    const connection = new LiteConnection(
      {
        environment: this.#environment,
        url: this.#url,
        clientName: clientName ?? "tickwire-client-lite",
        clientVersion: CLIENT_VERSION,
        token,
        connectTimeoutMs: times.connectTimeoutMs ?? 10_000,
        liveness: {
          pingIntervalMs: times.pingIntervalMs ?? 15_000,
          pongTimeoutMs: times.pongTimeoutMs ?? 10_000,
        },
      },
      {
        onWelcome: (sessionId, topicsPerRequestMax) => {
          this.#sessionId = sessionId;
          this.#welcomedAtUs = this.#environment.clock.nowUs();
          this.#setState("connected", undefined);
          this.#topics.connected(topicsPerRequestMax);
        },
        onMessage: (kind, message) => {
          if (kind === 2) this.#topics.subscribeResult(message);
          else if (kind === 5) this.#topics.notice(message);
          else if (kind === 31) this.#topics.requestRefused(message);
        },
        onBatch: (bytes) => this.#topics.batch(bytes),
        onEnd: (error) => this.#lost(error),
      },
    );
    this.#connection = connection;
    connection.open();
  }

  #lost(error: ConnectionError): void {
    if (this.#state === "closed") return;
    const { maxMs } = this.#backoff;
    const heldUs =
      this.#environment.clock.nowUs() - (this.#welcomedAtUs ?? Number.POSITIVE_INFINITY);
    this.#failures = heldUs >= maxMs * 1_000 ? 0 : this.#failures;
    this.#welcomedAtUs = undefined;
    this.#sessionId = undefined;
    this.#connection = undefined;
    this.#topics.disconnected();
    const isFirst = this.#state === "connecting";
    if (isFirst || !error.retryable || this.#options.reconnect === false) {
      this.#end(error, true);
      return;
    }
    const delayMs = backoffDelayMs(this.#failures, this.#backoff, this.#environment.random);
    this.#failures += 1;
    this.#cancelTimer = this.#environment.clock.after(delayMs, () => this.#dial());
    this.#setState("reconnecting", error);
  }

  /** A page with its network back does not wait; one that was away looks whether it is there. */
  #onNetwork(change: NetworkChange): void {
    if (change === "offline") return;
    this.#connection?.probe();
    if (this.#state !== "reconnecting" || this.#connection !== undefined) return;
    this.#cancelTimer();
    this.#dial();
  }

  #end(error: ConnectionError, isFailure: boolean): void {
    if (this.#state === "closed") return;
    this.#endError = error;
    this.#unwatch();
    this.#cancelTimer();
    this.#topics.close(isFailure ? error : undefined);
    this.#setState("closed", error);
    this.#connection?.close(error);
  }

  #setState(state: ClientState, error: ConnectionError | undefined): void {
    if (state === this.#state) return;
    this.#state = state;
    for (const listener of this.#listeners) {
      try {
        listener(state, error);
      } catch (thrown) {
        this.#environment.reportUncaught(thrown);
      }
    }
  }
}

/** Throws RangeError for a value that is out of range. */
function assertOptions(options: LiteConnectOptions): void {
  const { reconnect, pingIntervalMs } = options;
  const { baseMs, maxMs } = reconnect === false ? {} : (reconnect ?? {});
  const { connectTimeoutMs, pongTimeoutMs } = options;
  assertIntegerOption("pingIntervalMs", pingIntervalMs, { ...WAIT_RANGE, min: 0 });
  const waits = { connectTimeoutMs, pongTimeoutMs, "reconnect.baseMs": baseMs };
  for (const [name, value] of Object.entries({ ...waits, "reconnect.maxMs": maxMs })) {
    assertIntegerOption(name, value, WAIT_RANGE);
  }
}

/**
 * Resolves when the gateway has welcomed the client, rejects with ConnectionError, and with
 * RangeError for an option that is out of range.
 */
export function connectLite(
  url: string,
  options: LiteConnectOptions,
  environment: Environment,
): Promise<LiteClient> {
  const { signal } = options;
  return new Promise((resolve, reject) => {
    const client = new LiteClient(url, options, environment);
    const abort = () => client.close();
    const stop = client.onState((state, error) => {
      stop();
      signal?.removeEventListener("abort", abort);
      if (state === "connected") resolve(client);
      else reject(error);
    });
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
  });
}
