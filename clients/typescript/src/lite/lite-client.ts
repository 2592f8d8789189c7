import { backoffDelayMs, type BackoffOptions } from "../backoff.ts";
import { ConnectionError, TopicRefusedError } from "../errors.ts";
import type { Quote, Trade } from "../events/market-event.ts";
import type { NoticeEvent } from "../events/stream-events.ts";
import type { HostEnvironment, NetworkChange } from "../host/environment.ts";
import { assertIntegerOption, TIMER_MS_MAX } from "../host/option-checks.ts";
import type { ClientState } from "../session/session.ts";
import { streamUrl } from "../session/stream-url.ts";
import type { Channel, Topics } from "../topics/topic.ts";
import { CONFLATION_INTERVAL_MS_MAX } from "../topics/view-wish.ts";
import { QUOTES, TRADES } from "./batch.ts";
import { LiteConnection } from "./lite-connection.ts";
import type { LiteConnectOptions } from "./lite-options.ts";
import { OpenStream, type LiteStream } from "./lite-stream.ts";
import { LiteTopics, type TopicsConsumer } from "./lite-topics.ts";

const INTERVAL_RANGE = { min: 0, max: CONFLATION_INTERVAL_MS_MAX };
const COUNT_RANGE = { min: 1, max: Number.MAX_SAFE_INTEGER };
const WAIT_RANGE = { min: 1, max: TIMER_MS_MAX };
const TOPIC = /^[a-z0-9-]+:[^\s*]*?[^\s*/:](?:\/([a-z-]+))?$/;

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

/** Called after each change of the state, with what ended the connection where there is none. */
type LiteStateListener = (state: ClientState, error: ConnectionError | undefined) => void;

/**
 * The trades and quotes of one gateway, by name: no patterns, books or calls, and over a WebSocket
 * only. It connects again and resumes, and proves continuity, as `@tickwire/client` does.
 */
export class LiteClient {
  readonly #options: LiteConnectOptions;
  readonly #environment: HostEnvironment;
  readonly #url: string;
  readonly #backoff: BackoffOptions;
  readonly #topics: LiteTopics;
  readonly #listeners = new Set<LiteStateListener>();
  readonly #unwatch: () => void;
  #connection: LiteConnection | undefined;
  #cancelTimer: () => void = () => undefined;
  #failures = 0;
  #welcomedAtUs = Infinity;
  #sessionId: string | undefined;
  #state: ClientState = "connecting";
  #endError: ConnectionError | undefined;

  /** For this package: clients come from `connect()`. Throws ConnectionError for a bad address. */
  constructor(url: string, options: LiteConnectOptions, environment: HostEnvironment) {
    this.#options = options;
    this.#environment = environment;
    this.#url = streamUrl(url);
    assertOptions(options);
    this.#backoff = { baseMs: 500, maxMs: 20_000, ...(options.reconnect || undefined) };
    const { clock, random } = environment;
    this.#unwatch = environment.watchNetwork((change) => this.#onNetwork(change));
    this.#topics = new LiteTopics(
      (attempt, callback) => {
        clock.after(backoffDelayMs(attempt, this.#backoff, random), callback);
      },
      clock,
      (kind, ...pairs) => this.#connection?.send(kind, ...pairs),
    );
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
    return this.#stream("trades", TRADES, topics, options);
  }

  /** Best bid and offer; a slow loop gets the latest of each topic. */
  quotes(topics: Topics, options?: LiteStreamOptions): LiteStream<Quote> {
    return this.#stream("quotes", QUOTES, topics, options);
  }

  /** Ends every stream cleanly and closes the connection. Idempotent. */
  close(): void {
    this.#end(new ConnectionError("client-closed", "the client was closed"));
  }

  /** The same as `close()`, for `await using`. */
  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
  }

  #stream<T extends { readonly topic: string }>(
    channel: Channel,
    channelNumber: number,
    topics: Topics,
    options: LiteStreamOptions = {},
  ): LiteStream<T> {
    const names = fullTopics(topics, channel);
    const { signal, conflationIntervalMs = 0, bufferEventsMax = 10_000, onNotice } = options;
    assertIntegerOption("conflationIntervalMs", conflationIntervalMs, INTERVAL_RANGE);
    assertIntegerOption("bufferEventsMax", bufferEventsMax, COUNT_RANGE);
    if (this.#endError !== undefined) throw this.#endError;
    const notice = (given: NoticeEvent) => {
      try {
        onNotice?.(given);
      } catch (error) {
        this.#environment.reportUncaught(error);
      }
    };
    const abort = () => stream.close();
    const stream = new OpenStream<T>(bufferEventsMax, channelNumber === QUOTES, () => {
      signal?.removeEventListener("abort", abort);
      this.#topics.detach(names, consumer);
    });
    const { refusals } = stream;
    const open = new Set(names);
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
    this.#topics.attach(names, { channel: channelNumber, conflationIntervalMs }, consumer);
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted === true) abort();
    return stream;
  }

  #dial(): void {
    this.#connection = new LiteConnection(this.#url, this.#options, this.#environment, {
      onWelcome: (sessionId, topicsPerRequestMax) => {
        this.#sessionId = sessionId;
        this.#welcomedAtUs = this.#environment.clock.nowUs();
        this.#setState("connected", undefined);
        this.#topics.connected(topicsPerRequestMax);
      },
      onMessage: (kind, message) => this.#topics.message(kind, message),
      onBatch: (bytes) => this.#topics.batch(bytes),
      onEnd: (error) => this.#lost(error),
    });
  }

  #lost(error: ConnectionError): void {
    if (this.#state === "closed") return;
    const { clock, random } = this.#environment;
    const { maxMs } = this.#backoff;
    if (clock.nowUs() - this.#welcomedAtUs >= maxMs * 1_000) this.#failures = 0;
    this.#welcomedAtUs = Infinity;
    this.#sessionId = undefined;
    this.#connection = undefined;
    this.#topics.disconnected();
    const isFirst = this.#state === "connecting";
    if (isFirst || !error.retryable || this.#options.reconnect === false) {
      this.#end(error, error);
      return;
    }
    const delayMs = backoffDelayMs(this.#failures++, this.#backoff, random);
    this.#cancelTimer = clock.after(delayMs, () => this.#dial());
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

  /** For this reason; `failure` is what the streams are told. */
  #end(reason: ConnectionError, failure?: ConnectionError): void {
    if (this.#state === "closed") return;
    this.#endError = reason;
    this.#unwatch();
    this.#cancelTimer();
    this.#topics.close(failure);
    this.#setState("closed", reason);
    this.#connection?.close(reason);
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

/** Names with their channel, each once. Throws TopicRefusedError unless there is one at least. */
function fullTopics(topics: Topics, channel: Channel): string[] {
  const names = [topics].flat().map((topic) => {
    const match = TOPIC.exec(topic);
    if (match === null || (match[1] ?? channel) !== channel) return refuse(topic, channel);
    return match[1] === undefined ? `${topic}/${channel}` : topic;
  });
  return names.length === 0 ? refuse("[]", channel) : [...new Set(names)];
}

function refuse(topic: string, channel: Channel): never {
  const message = `is no name of ${channel}, which has the form VENUE:SYMBOL`;
  throw new TopicRefusedError([{ topic, code: "topic-malformed", message, alternatives: [] }]);
}

/** Throws RangeError for a value that is out of range. */
function assertOptions(options: LiteConnectOptions): void {
  const { connectTimeoutMs, pingIntervalMs, pongTimeoutMs } = options;
  assertIntegerOption("connectTimeoutMs", connectTimeoutMs, WAIT_RANGE);
  assertIntegerOption("pingIntervalMs", pingIntervalMs, { ...WAIT_RANGE, min: 0 });
  assertIntegerOption("pongTimeoutMs", pongTimeoutMs, WAIT_RANGE);
  const { baseMs, maxMs } = options.reconnect || {};
  assertIntegerOption("reconnect.baseMs", baseMs, WAIT_RANGE);
  assertIntegerOption("reconnect.maxMs", maxMs, WAIT_RANGE);
}

/**
 * Resolves when the gateway has welcomed the client, rejects with ConnectionError, and with
 * RangeError for an option that is out of range.
 */
export function connectLite(
  url: string,
  options: LiteConnectOptions,
  environment: HostEnvironment,
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
