import { BatchWriter } from "@tickwire/proto/codec";
import type { BusBatch, PendingColumns } from "@tickwire/proto/codec";
import { assert } from "#core/assert.ts";
import type { ByteBudget } from "#core/byte-budget.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { Candle, MarketEvent, Status } from "#core/market-event.ts";
import type { MarketTick } from "#core/market-tick.ts";
import { placeOfStart } from "#core/start-order.ts";
import { batchKindOf, rowsOfEvents } from "#wire/event-codec.ts";
import { BatchHistory } from "./batch-history.ts";
import { NO_ROWS } from "./history-page.ts";
import type { KeptRows } from "./history-page.ts";
import type { PublishLatency } from "./publish-latency.ts";
import type { PublishLimits } from "./publish-limits.ts";
import { RecentTrades } from "./recent-trades.ts";
import type { NumberedTrade } from "./trade-page.ts";
import { addTick, columnsFor, eventsOfColumns } from "./tick-columns.ts";

/** A place in a topic's sequence of events. */
export type TopicPosition = { readonly epoch: number; readonly sequence: number };

/**
 * One topic at its publisher: its position, what waits for the next flush, and what a newcomer
 * needs to know. Sequences start at 1 and rise by 1 with each event.
 *
 * Invariants, asserted where they could break:
 * 1. every event is of the topic's instrument (`keep`); its channel is what the publisher finds the
 *    topic by;
 * 2. what waits is exactly the events behind the last batch that was taken (`takePending`);
 * 3. batches follow each other without a hole (`takePending`);
 * 4. what is encoded was taken before (`encode`);
 * 5. no list is longer than its limit (`RecentTrades`, `#keepCandle`).
 */
export class TopicRecord {
  readonly instrument: Instrument;
  readonly channel: Channel;
  readonly subject: string;
  /** Shared by all topics of the channel; undefined if nobody measures. */
  readonly latency: PublishLatency | undefined;
  /** The last batches, whether the bus took them or not. */
  readonly history: BatchHistory;
  readonly #limits: PublishLimits;
  #epoch: number;
  /** Where the epoch before this one ended, if this one goes on from there. */
  #continued: TopicPosition | undefined;
  /** Of the last event; 0 before the first. */
  #sequence = 0;
  /** Of the last event of the last batch; 0 before the first. */
  #batchedSequence = 0;
  /** Announcements that are still to say where the topic stands: see `Publisher.takeProgress`. */
  progressRepeats = 0;
  /** Not yet in a batch, in order; the last one has `#sequence`. */
  #pending: MarketEvent[] = [];
  /**
   * In its place, where all that waits are ticks. They stay until the next tick, so that the last
   * of them can still be told; `#tickCount` is how many wait.
   */
  #columns: PendingColumns | undefined;
  #tickCount = 0;
  /** The chain of the topic's batches; made with the first of them. */
  #writer: BatchWriter | undefined;
  #last: MarketEvent | undefined;
  /** The last event is the last tick of the columns. */
  #isTickLast = false;
  #trades: RecentTrades | undefined;
  /** By interval, oldest first. */
  readonly #candles = new Map<number, Candle[]>();
  #statuses = new Map<Channel, Status>();

  constructor(options: {
    readonly instrument: Instrument;
    readonly channel: Channel;
    readonly subject: string;
    readonly epoch: number;
    /** Of the last event of a topic of the same name that was retired; 0 if there was none. */
    readonly sequence?: number;
    readonly latency?: PublishLatency | undefined;
    readonly limits: PublishLimits;
    readonly budget: ByteBudget;
  }) {
    this.instrument = options.instrument;
    this.channel = options.channel;
    this.subject = options.subject;
    this.#epoch = options.epoch;
    this.#sequence = options.sequence ?? 0;
    this.#batchedSequence = this.#sequence;
    this.latency = options.latency;
    this.#limits = options.limits;
    this.history = new BatchHistory(options.limits, options.budget, this.#sequence);
  }

  /**
   * The position of an earlier epoch that this one goes on from, with the same sequences; undefined
   * where that cannot be proven.
   */
  get continued(): TopicPosition | undefined {
    return this.#continued;
  }

  /** Of the last event; 0 before the first. */
  get sequence(): number {
    return this.#sequence;
  }

  /** Of the last event that was given to the bus; 0 before the first. */
  get publishedSequence(): number {
    return this.#batchedSequence;
  }

  /** The last event that was kept. */
  get last(): MarketEvent | undefined {
    if (this.#isTickLast && this.#columns !== undefined) {
      this.#last = eventsOfColumns(this.#columns, this.instrument).at(-1);
      this.#isTickLast = false;
    }
    return this.#last;
  }

  /** Events that wait for the next batch. */
  get pendingCount(): number {
    return this.#pending.length + this.#tickCount;
  }

  /** All that waits are ticks: see `takeTicks`. */
  get hasTicks(): boolean {
    return this.#tickCount > 0;
  }

  /** Numbers the next event of the topic, and returns its sequence. */
  advance(): number {
    this.#sequence += 1;
    return this.#sequence;
  }

  /** Keeps the event that `advance` has just numbered, for the next batch and for newcomers. */
  keep(event: MarketEvent): void {
    if (this.#tickCount > 0) this.#makeEvents();
    this.#pending.push(event);
    this.#remember(event, this.#sequence);
  }

  /** The same for a tick that `advance` has numbered. */
  keepTick(tick: MarketTick): void {
    assert(tick.instrument === this.instrument, "a tick is kept by its instrument's topic");
    if (this.#pending.length > 0) {
      this.keep(tick.event());
      return;
    }
    const columns = (this.#columns ??= columnsFor(tick));
    if (this.#tickCount === 0) columns.clear();
    if (!addTick(columns, tick)) {
      this.keep(tick.event());
      return;
    }
    this.#tickCount += 1;
    this.#isTickLast = true;
    if (tick.kind !== "trade") return;
    this.#trades ??= new RecentTrades({ capacity: this.#limits.recentTradesMax });
    this.#trades.pushTick(tick, this.#sequence);
  }

  /** Something that is no tick follows: all that waits are events from here on. */
  #makeEvents(): void {
    assert(this.#columns !== undefined, "ticks wait in columns");
    this.#pending = [...eventsOfColumns(this.#columns, this.instrument)];
    this.#tickCount = 0;
  }

  /** What a newcomer is told, without a place of its own: for a topic that nothing was heard of. */
  seed(event: MarketEvent): void {
    this.#remember(event, this.#sequence);
  }

  /**
   * Takes over a batch that another publisher has published, which goes on from where the topic
   * stands, and its events.
   */
  follow(batch: BusBatch, events: readonly MarketEvent[], nowMs: number): void {
    const { baseSequence, count } = batch;
    assert(baseSequence === this.#sequence, "a batch that is followed goes on from the last one");
    assert(this.pendingCount === 0, "nothing waits in a topic that is followed");
    assert(events.length === count, "a batch has as many events as it says");
    this.#sequence += count;
    this.#batchedSequence = this.#sequence;
    this.history.append(batch, { count, lastSequence: this.#sequence, nowMs });
    for (const [index, event] of events.entries()) {
      this.#remember(event, baseSequence + index + 1);
    }
  }

  /** What is followed goes on behind this sequence: what is between is not here. */
  jumpTo(sequence: number): void {
    assert(this.pendingCount === 0, "nothing waits in a topic that is followed");
    this.#sequence = sequence;
    this.#batchedSequence = sequence;
    this.history.restart(sequence);
  }

  /**
   * What is published from now on is of this epoch, and goes on from where the topic stands:
   * `continues` says of which epoch that is, if it is exactly known.
   */
  beginTerm(epoch: number, continues: number | undefined): void {
    assert(this.pendingCount === 0, "nothing waits when a term begins");
    this.#epoch = epoch;
    this.#writer = undefined;
    this.#continued =
      continues === undefined ? undefined : { epoch: continues, sequence: this.#sequence };
  }

  /** Takes back what waits for the next batch: their sequences are free again. */
  withdrawPending(): readonly MarketEvent[] {
    if (this.#tickCount > 0) this.#makeEvents();
    const events = this.#pending;
    this.#pending = [];
    this.#sequence = this.#batchedSequence;
    return events;
  }

  /** Events that are lost take their place all the same: whoever reads the topic sees the hole. */
  skip(count: number): void {
    assert(this.pendingCount === 0, "what is lost comes before what waits");
    this.jumpTo(this.#sequence + count);
    this.#writer = undefined;
  }

  #remember(event: MarketEvent, sequence: number): void {
    assert(event.instrument === this.instrument, "an event is kept by its instrument's topic");
    this.#last = event;
    this.#isTickLast = false;
    switch (event.kind) {
      case "trade":
        this.#trades ??= new RecentTrades({ capacity: this.#limits.recentTradesMax });
        this.#trades.push(event, sequence);
        return;
      case "candle":
        this.#keepCandle(event);
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
      case "listing":
        return;
    }
  }

  /** The latest candle of this interval and start. */
  candleOf(intervalMs: number, openTimeUs: number): Candle | undefined {
    return this.#candles.get(intervalMs)?.findLast((candle) => candle.openTimeUs === openTimeUs);
  }

  /** The latest status of a channel. */
  statusOf(channel: Channel): Status | undefined {
    return this.#statuses.get(channel);
  }

  /** What waits, and follows what was taken before; undefined if nothing waits. */
  takePending(): readonly MarketEvent[] | undefined {
    if (this.#tickCount > 0) this.#makeEvents();
    const events = this.#pending;
    if (events.length === 0) return undefined;
    assert(
      this.#batchedSequence + events.length === this.#sequence,
      "the batches of a topic follow each other without a hole",
    );
    this.#pending = [];
    this.#batchedSequence = this.#sequence;
    return events;
  }

  /**
   * Takes the ticks that wait, which follow what was taken before. They are the topic's again with
   * the next tick.
   */
  takeTicks(): PendingColumns {
    const columns = this.#columns;
    assert(columns !== undefined && this.#tickCount > 0, "ticks are taken where some wait");
    assert(
      this.#batchedSequence + this.#tickCount === this.#sequence,
      "the batches of a topic follow each other without a hole",
    );
    this.#tickCount = 0;
    this.#batchedSequence = this.#sequence;
    return columns;
  }

  /** The ticks that were just taken as the next batch of the topic's chain. */
  encodeTicks(columns: PendingColumns, publishedTimeUs: number): BusBatch {
    this.#writer ??= this.#newChain(this.#batchedSequence - columns.count);
    const batch = this.#writer.writeColumns(columns, { publishedTimeUs });
    assert(this.#writer.sequence <= this.#batchedSequence, "what is encoded was taken");
    return batch;
  }

  /**
   * The next events of what was taken as batches of the topic's chain. Throws WireError if an event
   * does not fit.
   */
  encode(events: readonly MarketEvent[], publishedTimeUs: number): BusBatch[] {
    this.#writer ??= this.#newChain(this.#batchedSequence - events.length);
    const batches = this.#writer.write(rowsOfEvents(events), { publishedTimeUs });
    assert(this.#writer.sequence <= this.#batchedSequence, "what is encoded was taken");
    return batches;
  }

  /** Takes back the last `count` events that were encoded: the next batches start a new chain. */
  encodeAgain(count: number): void {
    assert(this.#writer !== undefined, "what is encoded again was encoded before");
    this.#writer = this.#newChain(this.#writer.sequence - count);
  }

  /** The last trades, oldest first. Valid until the next event. */
  get trades(): KeptRows<NumberedTrade> {
    return this.#trades ?? NO_ROWS;
  }

  /** The last candles of an interval, in the order of their starts. Valid until the next event. */
  candles(intervalMs: number): KeptRows<Candle> {
    const candles = this.#candles.get(intervalMs);
    if (candles === undefined) return NO_ROWS;
    return { length: candles.length, at: (index) => candles[index] as Candle };
  }

  /** The latest candle of each interval. */
  latestCandles(): Candle[] {
    return [...this.#candles.values()].flatMap((candles) => candles.slice(-1));
  }

  /** The latest status of each channel. */
  statuses(): Status[] {
    return [...this.#statuses.values()];
  }

  #newChain(sequence: number): BatchWriter {
    return new BatchWriter({ kind: batchKindOf(this.channel), epoch: this.#epoch, sequence });
  }

  /**
   * A candle replaces the one of the same interval and start; venues send it again while it
   * changes.
   */
  #keepCandle(candle: Candle): void {
    const candles = this.#candles.get(candle.intervalMs) ?? [];
    this.#candles.set(candle.intervalMs, candles);
    const { recentCandlesMax } = this.#limits;
    const index = placeOfStart(candles, candle.openTimeUs);
    if (candles[index]?.openTimeUs === candle.openTimeUs) {
      candles[index] = candle;
      return;
    }
    const isFull = candles.length === recentCandlesMax;
    if (isFull && index === 0) return;
    candles.splice(index, 0, candle);
    if (isFull) candles.shift();
    assert(candles.length <= recentCandlesMax, "no more candles are kept than recentCandlesMax");
  }
}
