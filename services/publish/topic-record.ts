import type { Channel, Instrument } from "#core/instrument.ts";
import type { Candle, MarketEvent, Status, Trade } from "#core/market-event.ts";
import type { ChannelLatency } from "#ingest/venue/latency-histogram.ts";

/** What is remembered per topic, at most. */
export type RecordLimits = {
  readonly tradesMax: number;
  /** Of each interval. */
  readonly candlesMax: number;
};

/** A trade with its place in the topic. */
export type NumberedTrade = { readonly sequence: number; readonly trade: Trade };

/** Keeps the last `capacity` items, oldest first; one more drops the oldest. */
export class Ring<Item> {
  readonly #capacity: number;
  readonly #items: Item[] = [];
  #oldest = 0;

  constructor(options: { readonly capacity: number }) {
    this.#capacity = options.capacity;
  }

  push(item: Item): void {
    if (this.#items.length < this.#capacity) {
      this.#items.push(item);
      return;
    }
    this.#items[this.#oldest] = item;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
  }

  /** The last `count`, oldest first. */
  last(count: number): Item[] {
    const { length } = this.#items;
    const items: Item[] = [];
    for (let index = Math.max(0, length - count); index < length; index += 1) {
      items.push(this.#items[(this.#oldest + index) % length] as Item);
    }
    return items;
  }
}

/**
 * One topic at its publisher: its position, what waits for the next flush, and what a newcomer
 * needs to know. Sequences start at 1 and rise by 1 with each event.
 */
export class TopicRecord {
  readonly instrument: Instrument;
  readonly channel: Channel;
  readonly subject: string;
  /** Shared by all topics of the channel; undefined if nobody measures. */
  readonly latency: ChannelLatency | undefined;
  /** Of the last event; 0 before the first. */
  sequence = 0;
  /** Not yet published, in order; the last one has `sequence`. */
  pending: MarketEvent[] = [];
  last: MarketEvent | undefined;
  readonly #limits: RecordLimits;
  #trades: Ring<NumberedTrade> | undefined;
  /** By interval, oldest first. */
  readonly #candles = new Map<number, Candle[]>();
  #statuses = new Map<Channel, Status>();

  constructor(options: {
    readonly instrument: Instrument;
    readonly channel: Channel;
    readonly subject: string;
    readonly latency?: ChannelLatency | undefined;
    readonly limits: RecordLimits;
  }) {
    this.instrument = options.instrument;
    this.channel = options.channel;
    this.subject = options.subject;
    this.latency = options.latency;
    this.#limits = options.limits;
  }

  /** Takes the next event, whose sequence is `sequence` already. */
  remember(event: MarketEvent): void {
    this.last = event;
    switch (event.kind) {
      case "trade":
        this.#trades ??= new Ring({ capacity: this.#limits.tradesMax });
        this.#trades.push({ sequence: this.sequence, trade: event });
        return;
      case "candle":
        this.#rememberCandle(event);
        return;
      case "status":
        this.#statuses.set(event.channel, event);
        return;
      case "quote":
      case "book":
      case "ticker":
      case "funding":
      case "mark-price":
      case "open-interest":
      case "liquidation":
        return;
    }
  }

  /** The last trades, oldest first. */
  trades(limit: number): NumberedTrade[] {
    return this.#trades?.last(limit) ?? [];
  }

  /** The last candles of an interval, oldest first. */
  candles(options: { readonly intervalMs: number; readonly limit: number }): Candle[] {
    const { intervalMs, limit } = options;
    return this.#candles.get(intervalMs)?.slice(-limit) ?? [];
  }

  /** The latest candle of each interval. */
  latestCandles(): Candle[] {
    return [...this.#candles.values()].flatMap((candles) => candles.slice(-1));
  }

  /** The latest status of each channel. */
  statuses(): Status[] {
    return [...this.#statuses.values()];
  }

  /**
   * A candle replaces the one of the same interval and start; venues send it again while it
   * changes.
   */
  #rememberCandle(candle: Candle): void {
    const candles = this.#candles.get(candle.intervalMs) ?? [];
    this.#candles.set(candle.intervalMs, candles);
    let index = candles.length;
    while (index > 0 && (candles[index - 1] as Candle).openTimeUs > candle.openTimeUs) index -= 1;
    if (index > 0 && candles[index - 1]?.openTimeUs === candle.openTimeUs) {
      candles[index - 1] = candle;
      return;
    }
    candles.splice(index, 0, candle);
    if (candles.length > this.#limits.candlesMax) candles.shift();
  }
}
