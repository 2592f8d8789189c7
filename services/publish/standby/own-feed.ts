import type { Channel, Instrument } from "#core/instrument.ts";
import type { BookEvent, Candle, MarketEvent, Status } from "#core/market-event.ts";
import { EventMatcher, PendingBudget } from "./event-matcher.ts";
import type { Occurrence } from "./event-matcher.ts";

/** Kinds of events of which the last one says all. */
export type StateKind = "quote" | "ticker" | "funding" | "mark-price" | "open-interest";

/** What our own feed has brought of one instrument while another ingestor publishes it. */
export type OwnInstrument = {
  readonly instrument: Instrument;
  readonly matchers: Partial<Record<Occurrence["kind"], EventMatcher>>;
  readonly last: Partial<Record<StateKind, MarketEvent>>;
  /** By interval and start, in the order of their last change. */
  readonly candles: Map<string, Candle>;
  readonly statuses: Map<Channel, Status>;
  /** The last event of its book: what the book is now, whoever keeps it knows. */
  book: BookEvent | undefined;
};

/** Events that are kept in order while nobody else publishes; of more, what they come to. */
export const BUFFERED_EVENTS_MAX = 50_000;
/** Trades and liquidations of all topics that the leader has not published yet. */
const PENDING_EVENTS_MAX = 262_144;
/** Candles of one instrument. */
const CANDLES_MAX = 3_000;
/** Changes of the venue's list. */
const LISTINGS_MAX = 100_000;

/**
 * What our own feed brings while it is not published here. While nobody is known to publish either,
 * all of it is kept in order, so that it is published late and whole. Once there is a leader, or
 * that would be too much, what matters at a takeover is kept: occurrences that were not published,
 * and the state of everything else.
 */
export class OwnFeed {
  readonly budget = new PendingBudget({ eventsMax: PENDING_EVENTS_MAX });
  readonly #nowMs: () => number;
  readonly #instruments = new Map<Instrument, OwnInstrument>();
  /** In order; undefined once it would be too long, or somebody leads. */
  #buffer: MarketEvent[] | undefined = [];
  #listings: MarketEvent[] = [];
  #known: readonly MarketEvent[] = [];
  #isLed = false;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  /** Those of which anything is kept, but for the buffer. */
  get instruments(): ReadonlyMap<Instrument, OwnInstrument> {
    return this.#instruments;
  }

  get bufferedEvents(): number {
    return this.#buffer?.length ?? 0;
  }

  /** Occurrences that would be published if the leader were gone. */
  get pendingEvents(): number {
    return this.budget.events;
  }

  take(event: MarketEvent): void {
    if (this.#buffer === undefined) {
      this.#sort(event);
      return;
    }
    this.#buffer.push(event);
    if (this.#buffer.length >= BUFFERED_EVENTS_MAX) this.#sortBuffer();
  }

  /** Another ingestor publishes: what it has not, at a takeover, is compared from now on. */
  led(): void {
    this.#isLed = true;
    this.#sortBuffer();
    this.#listings = [];
    this.restart();
  }

  /**
   * All is forgotten and kept in order again: nobody else leads. `known` is what our feed has said
   * before, and may not say again for long: the state of everything.
   */
  unled(known: readonly MarketEvent[]): void {
    this.clear();
    this.#isLed = false;
    this.#buffer = [];
    this.#known = known;
  }

  /** From now on the leader is heard without a hole. */
  restart(): void {
    for (const own of this.#instruments.values()) this.#restart(own);
  }

  /** The same of one topic. */
  restartTopic(instrument: Instrument): void {
    const own = this.#instruments.get(instrument);
    if (own !== undefined) this.#restart(own);
  }

  /** The leader has published these. */
  published(event: Occurrence): void {
    this.#matcherOf(event.instrument, event.kind).published(event, this.#nowMs());
  }

  /** Takes the next events out of the buffer, at most so many. */
  takeBuffered(countMax: number): readonly MarketEvent[] {
    return this.#buffer?.splice(0, countMax) ?? [];
  }

  /** Puts events back that came before all that is kept in order. */
  putBack(events: readonly MarketEvent[]): void {
    if (this.#buffer === undefined) {
      for (const event of events) this.#sort(event);
      return;
    }
    this.#buffer = [...events, ...this.#buffer];
    if (this.#buffer.length >= BUFFERED_EVENTS_MAX) this.#sortBuffer();
  }

  /** We publish it ourselves from now on: whatever comes is news, or would be. */
  leads(): void {
    this.#isLed = false;
  }

  /** Takes the changes of the list that came since the buffer was given up. */
  takeListings(): readonly MarketEvent[] {
    const listings = this.#listings;
    this.#listings = [];
    return listings;
  }

  /** Takes out what is kept of an instrument: it is published from now on. */
  release(own: OwnInstrument): void {
    this.#instruments.delete(own.instrument);
  }

  /** Nothing more comes of this instrument. */
  forget(instrument: Instrument): void {
    const own = this.#instruments.get(instrument);
    if (own === undefined) return;
    for (const matcher of Object.values(own.matchers)) matcher.close();
    this.#instruments.delete(instrument);
  }

  clear(): void {
    for (const instrument of this.#instruments.keys()) this.forget(instrument);
    this.#buffer = undefined;
    this.#listings = [];
    this.#known = [];
  }

  #restart({ matchers }: OwnInstrument): void {
    for (const matcher of Object.values(matchers)) matcher.begin(this.#nowMs());
  }

  #sortBuffer(): void {
    const events = [...this.#known, ...(this.#buffer ?? [])];
    this.#buffer = undefined;
    this.#known = [];
    for (const event of events) this.#sort(event);
  }

  #sort(event: MarketEvent): void {
    if (event.kind === "listing") {
      if (this.#isLed) return;
      if (this.#listings.length < LISTINGS_MAX) this.#listings.push(event);
      return;
    }
    const own = this.#ownOf(event.instrument);
    switch (event.kind) {
      case "trade":
      case "liquidation":
        this.#matcherOf(event.instrument, event.kind).own(event, this.#nowMs(), this.#isLed);
        return;
      case "book":
        own.book = event;
        return;
      case "candle":
        keepCandle(own, event);
        return;
      case "status":
        own.statuses.set(event.channel, event);
        this.#judge(event);
        return;
      case "quote":
      case "ticker":
      case "funding":
      case "mark-price":
      case "open-interest":
        own.last[event.kind] = event;
        return;
    }
  }

  /** Whether our own feed of a topic is without a hole. */
  #judge({ instrument, channel, state }: Status): void {
    if (channel !== "trades" && channel !== "liquidations") return;
    const matcher = this.#matcherOf(instrument, channel === "trades" ? "trade" : "liquidation");
    // What is stale is silent: nothing of it has been lost yet.
    if (state === "live") matcher.live(this.#nowMs());
    else if (state !== "stale") matcher.interrupted();
  }

  #ownOf(instrument: Instrument): OwnInstrument {
    let own = this.#instruments.get(instrument);
    if (own === undefined) {
      own = {
        instrument,
        matchers: {},
        last: {},
        candles: new Map(),
        statuses: new Map(),
        book: undefined,
      };
      this.#instruments.set(instrument, own);
    }
    return own;
  }

  #matcherOf(instrument: Instrument, kind: Occurrence["kind"]): EventMatcher {
    const { matchers } = this.#ownOf(instrument);
    let matcher = matchers[kind];
    if (matcher === undefined) {
      matcher = new EventMatcher(this.budget);
      matchers[kind] = matcher;
    }
    return matcher;
  }
}

/** Our own candle of the same interval and start; undefined if there is none. */
export function ownCandleOf({ candles }: OwnInstrument, candle: Candle): Candle | undefined {
  return candles.get(keyOf(candle));
}

function keyOf({ intervalMs, openTimeUs }: Candle): string {
  return `${intervalMs} ${openTimeUs}`;
}

function keepCandle({ candles }: OwnInstrument, candle: Candle): void {
  const key = keyOf(candle);
  candles.delete(key);
  candles.set(key, candle);
  const [oldest] = candles.keys();
  if (candles.size > CANDLES_MAX && oldest !== undefined) candles.delete(oldest);
}
