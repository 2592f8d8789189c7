import { backoffDelayMs, type BackoffOptions } from "../backoff.ts";
import { ConnectionError } from "../errors.ts";
import type { HostEnvironment } from "../host/environment.ts";
import type { NetworkChange } from "../host/page-events.ts";
import { assertIntegerOption, TIMER_MS_MAX } from "../host/option-checks.ts";
import type { ClientState } from "../session/session.ts";
import { streamUrl } from "../session/stream-url.ts";
import { LiteConnection } from "./lite-connection.ts";
import { LITE_BACKOFF } from "./lite-opening.ts";
import type { LiteConnectOptions } from "./lite-options.ts";
import type { LiteSession, LiteStateListener, TopicsConsumer, TopicWish } from "./lite-session.ts";
import { LiteTopics } from "./lite-topics.ts";

const WAIT_RANGE = { min: 1, max: TIMER_MS_MAX };

/** What a small client stands on: its topics, over any number of connections. */
export class LiteCore implements LiteSession {
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

  /** Throws ConnectionError for a bad address, RangeError for an option that is out of range. */
  constructor(url: string, options: LiteConnectOptions, environment: HostEnvironment) {
    this.#options = options;
    this.#environment = environment;
    this.#url = streamUrl(url);
    assertOptions(options);
    this.#backoff = { ...LITE_BACKOFF, ...(options.reconnect || undefined) };
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

  get state(): ClientState {
    return this.#state;
  }

  get sessionId(): string | undefined {
    return this.#sessionId;
  }

  get endError(): ConnectionError | undefined {
    return this.#endError;
  }

  onState(listener: LiteStateListener): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  attach(names: readonly string[], wish: TopicWish, consumer: TopicsConsumer): void {
    this.#topics.attach(names, wish, consumer);
  }

  detach(names: readonly string[], consumer: TopicsConsumer): void {
    this.#topics.detach(names, consumer);
  }

  /** Asks for what was attached in this turn now. */
  flush(): void {
    this.#topics.flush();
  }

  close(): void {
    this.#end(new ConnectionError("client-closed", "the client was closed"));
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
