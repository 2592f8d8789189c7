import type { Instrument as InstrumentMessage } from "@tickwire/proto/service";
import type { CandlePast } from "#core/candle-past.ts";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Logger } from "#core/logger.ts";
import type { DeriveConfig } from "../config.ts";
import { derivedVenueOf, isDerivedVenue } from "../derived-names.ts";
import type { DerivedVenue } from "../publishing/derived-venue.ts";
import type { ListChange, MarketReader } from "../reading/market-reader.ts";
import { channelsOf, instrumentOf } from "../reading/source-instrument.ts";
import type { SourceQueries } from "../reading/source-queries.ts";
import { createBuilderCounters } from "./candle-builder.ts";
import { CandleFeed } from "./candle-feed.ts";
import { SourcePast } from "./source-past.ts";

type CandleDeskParts = {
  readonly reader: MarketReader;
  readonly queries: SourceQueries;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly config: DeriveConfig["candles"];
  /** Makes the derived venue of this id, and starts it. */
  readonly openVenue: (venue: string, candlePast: CandlePast) => DerivedVenue;
};

/** What is made of one venue. */
type CandleVenue = {
  readonly venue: DerivedVenue;
  readonly past: SourcePast;
  readonly feeds: Map<string, { readonly instrument: Instrument; readonly feed: CandleFeed }>;
};

/** How often candles are looked at that may be over. */
const LOOK_MS = 250;
/** Looking through candles keeps the process busy for no longer at a stretch. */
const TURN_BUDGET_US = 2_000;
const MINUTE_MS = 60_000;

/** Candles of every venue that is announced: a derived venue for each, as its lists come. */
export class CandleDesk {
  readonly counters = createBuilderCounters();
  readonly #parts: CandleDeskParts;
  readonly #venues = new Map<string, CandleVenue>();
  #instruments = 0;
  #leftOut = 0;
  #looks = 0;
  #cancelLook: CancelTimer | undefined;

  constructor(parts: CandleDeskParts) {
    this.#parts = parts;
  }

  /** The derived venues that there are. */
  get venues(): readonly DerivedVenue[] {
    return Array.from(this.#venues.values(), ({ venue }) => venue);
  }

  get instruments(): number {
    return this.#instruments;
  }

  /** Instruments that there was no room for. */
  get leftOut(): number {
    return this.#leftOut;
  }

  start(): void {
    this.#parts.reader.onList((change) => this.#onList(change));
    this.#scheduleLook(LOOK_MS);
  }

  close(): void {
    this.#cancelLook?.();
    for (const { feeds, venue } of this.#venues.values()) {
      for (const { feed } of feeds.values()) feed.close();
      venue.close();
    }
    this.#venues.clear();
  }

  #onList({ venue, added, removed }: ListChange): void {
    const { config } = this.#parts;
    if (isDerivedVenue(venue)) return;
    if (config.venues.length > 0 && !config.venues.includes(venue)) return;
    for (const { symbol } of removed) this.#onGone(venue, symbol);
    for (const message of added.values()) this.#onListed(message);
  }

  #onGone(source: string, symbol: string): void {
    const made = this.#venues.get(source);
    const known = made?.feeds.get(symbol);
    if (made === undefined || known === undefined) return;
    known.feed.close();
    made.feeds.delete(symbol);
    made.venue.remove(known.instrument, "source-gone");
    this.#instruments -= 1;
  }

  #onListed(message: InstrumentMessage): void {
    const { config, logger, reader, queries, clock } = this.#parts;
    const { venue: source, symbol } = message;
    const channels = new Set(channelsOf(message));
    if (!channels.has("trades") && !channels.has("candles")) return;
    const made = this.#venues.get(source) ?? this.#open(source);
    if (made.feeds.has(symbol) || !made.venue.owns(symbol)) return;
    if (this.#instruments >= config.instrumentsMax) {
      if (this.#leftOut === 0) {
        const { instrumentsMax } = config;
        logger.warn({ instrumentsMax }, "there is no room for the candles of more instruments");
      }
      this.#leftOut += 1;
      return;
    }
    const lengths = config.intervalsMs.toSorted((one, other) => one - other);
    const own = channels.has("candles") ? message.candleIntervalsMs : [];
    const native = lengths.filter((each) => own.includes(each));
    const hasTrades = channels.has("trades");
    const built = hasTrades ? lengths.filter((each) => !own.includes(each)) : [];
    const past = message.candleHistoryIntervalsMs;
    made.past.add(past.filter((each) => lengths.includes(each)));
    const instrument = { ...instrumentOf(message), venue: made.venue.venue };
    made.venue.add(
      instrument,
      ["candles"],
      [...native, ...built].toSorted((a, b) => a - b),
    );
    const feed = new CandleFeed({
      reader,
      queries,
      logged: reader.logged,
      clock,
      source: instrumentOf(message),
      instrument,
      channels,
      intervalsMs: { built, native },
      hasMinutes: past.includes(MINUTE_MS) || own.includes(MINUTE_MS),
      graceMs: config.graceMs,
      counters: this.counters,
      emit: (event) => made.venue.emit(event),
    });
    made.feeds.set(symbol, { instrument, feed });
    this.#instruments += 1;
  }

  #open(source: string): CandleVenue {
    const { openVenue, queries, clock } = this.#parts;
    const past = new SourcePast({ source, queries, clock });
    const venue = openVenue(derivedVenueOf(source), past);
    const made: CandleVenue = { venue, past, feeds: new Map() };
    this.#venues.set(source, made);
    return made;
  }

  #scheduleLook(delayMs: number): void {
    this.#cancelLook = this.#parts.clock.after(delayMs, () => {
      this.#looks += 1;
      const looksPerUpdate = Math.max(1, Math.round(this.#parts.config.updateIntervalMs / LOOK_MS));
      this.#look(this.#allFeeds(), this.#looks % looksPerUpdate === 0);
    });
  }

  /** Looks at as many as the turn has time for, and at the rest in the next ones. */
  #look(feeds: Iterator<CandleFeed>, withOpen: boolean): void {
    const { clock } = this.#parts;
    const deadlineUs = clock.monotonicUs() + TURN_BUDGET_US;
    for (;;) {
      const next = feeds.next();
      if (next.done === true) {
        this.#scheduleLook(LOOK_MS);
        return;
      }
      next.value.tell(withOpen);
      if (clock.monotonicUs() >= deadlineUs) break;
    }
    this.#cancelLook = clock.after(0, () => this.#look(feeds, withOpen));
  }

  *#allFeeds(): Iterator<CandleFeed> {
    for (const { feeds } of this.#venues.values()) {
      for (const { feed } of feeds.values()) yield feed;
    }
  }
}
