import type { BaseConnectOptions } from "../connect.ts";
import type { Quote, Trade } from "../events/market-event.ts";
import type { ClientStats } from "../stats/stream-stats.ts";
import { SessionHandle } from "../session/session-handle.ts";
import type { ClientSession } from "../session/client-session.ts";
import { ChannelSource } from "../topics/channel-source.ts";
import { TICK_NAMES } from "../topics/tick-names.ts";
import type { ClientCounters } from "../topics/stream-counters.ts";
import type { Topics } from "../topics/topic.ts";
import type { EventStream } from "./event-stream.ts";
import { StreamFactory, type EventCallback } from "./stream-factory.ts";
import type {
  CallbackOptions,
  StreamDefaults,
  StreamOptions,
  Subscription,
} from "./stream-options.ts";

/** Options of `connect()` for a client with streams. */
export type StreamsConnectOptions = BaseConnectOptions & StreamDefaults;

/** The trades and quotes of a gateway. Topics are `VENUE:SYMBOL`; each part may be `*`. */
export class TicksClient extends SessionHandle {
  readonly #streams: StreamFactory;

  /** For this package: clients come from `connect()`. */
  constructor(session: ClientSession, streams: StreamFactory) {
    super(session);
    this.#streams = streams;
  }

  /** What this client received so far. */
  get counters(): ClientCounters {
    return this.#streams.counters;
  }

  /**
   * What came, by topic and in all, how fast and how late, what was lost, and how the gateway's
   * clock stands to this one. Rates and lags are of the time since it was called before; the first
   * call begins to measure lags, for which the client pings now and then.
   */
  stats(): ClientStats {
    return this.#streams.stats();
  }

  /** Every trade. */
  trades(topics: Topics, options?: StreamOptions): EventStream<Trade> {
    return this.#streams.stream("trades", topics, options, "error");
  }

  /** The same for a callback, which is called for each synchronously. */
  onTrades(
    topics: Topics,
    callback: EventCallback<Trade>,
    options?: CallbackOptions,
  ): Subscription {
    return this.#streams.callback("trades", topics, callback, options);
  }

  /** Best bid and offer. */
  quotes(topics: Topics, options?: StreamOptions): EventStream<Quote> {
    return this.#streams.stream("quotes", topics, options, "latest");
  }

  /** The same for a callback, which is called for each synchronously. */
  onQuotes(
    topics: Topics,
    callback: EventCallback<Quote>,
    options?: CallbackOptions,
  ): Subscription {
    return this.#streams.callback("quotes", topics, callback, options);
  }
}

/** The client of one session. Throws RangeError for an option that is out of range. */
export function createTicksClient(
  session: ClientSession,
  options: StreamsConnectOptions,
): TicksClient {
  const channels = new ChannelSource([], [], TICK_NAMES);
  return new TicksClient(session, new StreamFactory(session, channels, options));
}
