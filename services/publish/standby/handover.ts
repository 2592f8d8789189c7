import type { OrderBook } from "@tickwire/proto/model";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import type { BookEvent, Candle, MarketEvent, Status } from "#core/market-event.ts";
import type { Publisher } from "../publisher.ts";
import type { TopicRecord } from "../topic-record.ts";
import { AHEAD_AGE_MS_MAX } from "./event-matcher.ts";
import type { EventMatcher, Occurrence } from "./event-matcher.ts";
import type { OwnFeed, OwnInstrument, StateKind } from "./own-feed.ts";
import { saysTheSame } from "./same-content.ts";

/** What a handover goes by, and what is left of one that was closed before it was done. */
export type HandoverState = {
  /** The term is the one that was suspended: nobody else has published in between. */
  readonly isResume: boolean;
  /** Whether all is known that the leader has published of a topic. */
  readonly isKnown: (instrument: Instrument, kind: Occurrence["kind"]) => boolean;
  /** Occurrences that the leader has published and our own feed has not brought yet. */
  readonly repeats: Map<Instrument, Partial<Record<Occurrence["kind"], EventMatcher>>>;
  /** Books that are behind the one that was published, and up to where. */
  readonly late: Map<Instrument, number>;
};

type HandoverParts = {
  readonly clock: Clock;
  readonly publisher: Publisher;
  readonly own: OwnFeed;
  readonly liveBookOf: (instrument: Instrument) => OrderBook | undefined;
  readonly state: HandoverState;
};

/** What a turn of the event loop may take for it. */
const TURN_BUDGET_US = 2_000;
const EVENTS_PER_STEP = 64;
/** A book of our feed that is behind the one that was published may take so long to catch up. */
export const BOOK_WAIT_MS_MAX = 1_000;

/**
 * From standing by to publishing: what our own feed has brought and the leader has not published is
 * published, and nothing else. A book is published whole, since that is the same for whoever has it
 * and whoever does not. It goes instrument by instrument over several turns of the event loop; what
 * comes meanwhile of those that are not done waits with them.
 */
export class Handover {
  readonly #parts: HandoverParts;
  readonly #repeats: HandoverState["repeats"];
  readonly #late: HandoverState["late"];
  /** Of these, what comes is known. */
  readonly #handedOver = new Set<Instrument>();
  /** Taken out of the buffer, and not published yet. */
  #taken: readonly MarketEvent[] = [];
  #isPublishing = true;
  #isClosed = false;
  #cancels: CancelTimer[] = [];

  constructor(parts: HandoverParts) {
    this.#parts = parts;
    this.#repeats = new Map(parts.state.repeats);
    this.#late = new Map(parts.state.late);
  }

  /** What another one goes on from. To be asked before this one is closed. */
  get rest(): HandoverState {
    const { isResume, isKnown } = this.#parts.state;
    return {
      isResume,
      isKnown: (instrument, kind) => this.#handedOver.has(instrument) || isKnown(instrument, kind),
      repeats: new Map(this.#repeats),
      late: new Map(this.#late),
    };
  }

  /** Begins. It may be closed before this returns: publishing a batch may show that it is over. */
  start(): void {
    this.#step();
  }

  /** Nothing is left to do: events may be published as they come. */
  get isDone(): boolean {
    return (
      !this.#isPublishing && !this.#isClosed && this.#repeats.size === 0 && this.#late.size === 0
    );
  }

  /** Takes the next event of our own feed. */
  take(event: MarketEvent): void {
    const { own, publisher } = this.#parts;
    const isWaiting = own.bufferedEvents > 0 || own.instruments.has(event.instrument);
    if (this.#isPublishing && isWaiting) own.take(event);
    else if (!this.#isLeftOut(event)) publisher.publish(event);
  }

  /** Nothing more is published by it: what is not goes back. Idempotent. */
  close(): void {
    this.#isClosed = true;
    this.#parts.own.putBack(this.#taken);
    this.#taken = [];
    for (const cancel of this.#cancels) cancel();
    this.#cancels = [];
    this.#repeats.clear();
    this.#late.clear();
    this.#isPublishing = false;
  }

  #step(): void {
    const { clock, own } = this.#parts;
    const endUs = clock.monotonicUs() + TURN_BUDGET_US;
    while (own.bufferedEvents > 0) {
      this.#publishBuffered(own.takeBuffered(EVENTS_PER_STEP));
      if (this.#isClosed) return;
      if (clock.monotonicUs() >= endUs) return this.#again();
    }
    for (const event of own.takeListings()) this.#publish(event);
    for (const each of own.instruments.values()) {
      if (this.#isClosed) return;
      own.release(each);
      this.#handOver(each);
      this.#handedOver.add(each.instrument);
      if (clock.monotonicUs() >= endUs) return this.#again();
    }
    if (this.#isClosed) return;
    this.#isPublishing = false;
    this.#cancels = [];
    if (this.isDone) return;
    this.#cancels = [
      clock.after(BOOK_WAIT_MS_MAX, () => this.#publishLate()),
      clock.after(AHEAD_AGE_MS_MAX, () => this.#repeats.clear()),
    ];
  }

  /** Whoever closes it meanwhile puts back what is left of these. */
  #publishBuffered(events: readonly MarketEvent[]): void {
    this.#taken = events;
    while (!this.#isClosed) {
      const [event] = this.#taken;
      if (event === undefined) return;
      this.#taken = this.#taken.slice(1);
      if (!this.#isLeftOut(event)) this.#parts.publisher.publish(event);
    }
  }

  /** Publishes an event, or keeps it if that is over. */
  #publish(event: MarketEvent): void {
    if (this.#isClosed) this.#parts.own.take(event);
    else this.#parts.publisher.publish(event);
  }

  #again(): void {
    this.#cancels = [this.#parts.clock.after(0, () => this.#step())];
  }

  #handOver(own: OwnInstrument): void {
    const { instrument, matchers, last } = own;
    for (const kind of ["trade", "liquidation"] as const) {
      const matcher = matchers[kind];
      if (matcher !== undefined) this.#handOverOccurrences(instrument, kind, matcher);
    }
    for (const [kind, event] of Object.entries(last)) {
      this.#handOverState(event, this.#topic(instrument, kind as StateKind));
    }
    this.#handOverCandles(own);
    for (const status of own.statuses.values()) this.#handOverStatus(status);
    if (own.book !== undefined) this.#handOverBook(own.book);
  }

  #handOverOccurrences(
    instrument: Instrument,
    kind: Occurrence["kind"],
    matcher: EventMatcher,
  ): void {
    const { publisher, state } = this.#parts;
    const dropped = matcher.takeDropped();
    const pending = matcher.takePending();
    // They had been numbered, or would have been: whoever reads the topic sees how many are lost.
    if (state.isResume && dropped > 0) publisher.ensureTopic(instrument, kind, 0).skip(dropped);
    // Even where it is not proven that this is all, none of it was published.
    if (state.isResume || state.isKnown(instrument, kind)) {
      for (const event of pending) this.#publish(event);
    }
    if (matcher.aheadCount === 0 || this.#isClosed) {
      matcher.close();
      return;
    }
    const known = this.#repeats.get(instrument);
    if (known === undefined) this.#repeats.set(instrument, { [kind]: matcher });
    else known[kind] = matcher;
  }

  #handOverState(event: MarketEvent, topic: TopicRecord | undefined): void {
    const last = topic?.last;
    if (last === undefined || (!saysTheSame(event, last) && !isBefore(event, last.venueTimeUs))) {
      this.#publish(event);
    }
  }

  #handOverCandles({ instrument, candles }: OwnInstrument): void {
    const topic = this.#topic(instrument, "candle");
    for (const candle of candles.values()) this.#handOverCandle(candle, topic);
  }

  #handOverCandle(candle: Candle, topic: TopicRecord | undefined): void {
    if (topic === undefined || topic.sequence === 0) {
      this.#publish(candle);
      return;
    }
    const latest = topic.latestCandles().find(({ intervalMs }) => intervalMs === candle.intervalMs);
    const known = topic.candleOf(candle.intervalMs, candle.openTimeUs);
    const isHistory = latest !== undefined && candle.openTimeUs < latest.openTimeUs;
    if (known === undefined && isHistory) topic.seed(candle);
    else if (known === undefined || (!saysTheSame(candle, known) && !isOlder(candle, known))) {
      this.#publish(candle);
    }
  }

  #handOverStatus(status: Status): void {
    const known = this.#topic(status.instrument, "status")?.statusOf(status.channel);
    if (known === undefined || !saysTheSame(status, known)) this.#publish(status);
  }

  #handOverBook(event: BookEvent): void {
    const { instrument } = event;
    const published = this.#topic(instrument, "book")?.last;
    if (published !== undefined && isBefore(event, published.venueTimeUs)) {
      this.#late.set(instrument, published.venueTimeUs ?? 0);
      return;
    }
    this.#publishBook(event);
  }

  /** The book as a whole, with the times of its last event. None if it is not known to be right. */
  #publishBook(event: BookEvent): void {
    const book = this.#parts.liveBookOf(event.instrument);
    if (book === undefined) return;
    const { priceScale, sizeScale } = book;
    const whole = { priceScale, sizeScale, bids: book.bids(), asks: book.asks() };
    this.#publish({ ...event, ...whole, snapshot: true });
  }

  #publishLate(): void {
    for (const instrument of this.#late.keys()) {
      const last = this.#topic(instrument, "book")?.last;
      if (last?.kind === "book") this.#publishBook(last);
    }
    this.#late.clear();
  }

  /** What was published before, or cannot be understood yet. */
  #isLeftOut(event: MarketEvent): boolean {
    if (event.kind === "book") return this.#isLateBook(event);
    if (event.kind !== "trade" && event.kind !== "liquidation") return false;
    const matchers = this.#repeats.get(event.instrument);
    const matcher = matchers?.[event.kind];
    if (matchers === undefined || matcher === undefined) return false;
    const isRepeated = matcher.isRepeated(event, this.#parts.clock.monotonicUs() / 1_000);
    if (matcher.aheadCount === 0) delete matchers[event.kind];
    if (Object.keys(matchers).length === 0) this.#repeats.delete(event.instrument);
    return isRepeated;
  }

  #isLateBook(event: BookEvent): boolean {
    const untilUs = this.#late.get(event.instrument);
    if (untilUs === undefined) return false;
    if (isBefore(event, untilUs)) return true;
    this.#late.delete(event.instrument);
    // A whole one says all by itself. A book that is not right now begins with a whole one, later.
    if (event.snapshot) return false;
    this.#publishBook(event);
    return true;
  }

  #topic(instrument: Instrument, kind: MarketEvent["kind"]): TopicRecord | undefined {
    return this.#parts.publisher.topic(instrument, kind);
  }
}

/** Whether the venue says that this happened before that time. */
function isBefore({ venueTimeUs }: MarketEvent, timeUs: number | undefined): boolean {
  return venueTimeUs !== undefined && timeUs !== undefined && venueTimeUs < timeUs;
}

/** A closed candle is not opened again, and fewer trades are an older state of it. */
function isOlder(candle: Candle, known: Candle): boolean {
  // What was made of all trades is not replaced by what was made of some.
  if (candle.incomplete === true && known.incomplete === false) return true;
  if (known.closed !== candle.closed) return known.closed;
  if (candle.built === true && known.built === true) {
    return (candle.tradeCount ?? 0) < (known.tradeCount ?? 0);
  }
  return isBefore(candle, known.venueTimeUs);
}
