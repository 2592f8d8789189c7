import type { Instrument as InstrumentMessage } from "@tickwire/proto/service";
import type { OrderBook } from "@tickwire/proto/model";
import type { CancelTimer, Clock } from "#core/clock.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Logger } from "#core/logger.ts";
import type { ConsolidatedConfig } from "../config.ts";
import { CONSOLIDATED_VENUE, isDerivedVenue } from "../derived-names.ts";
import type { DerivedVenue } from "../publishing/derived-venue.ts";
import type { ListChange, MarketReader } from "../reading/market-reader.ts";
import { channelsOf, instrumentOf } from "../reading/source-instrument.ts";
import { ConsolidatedInstrument, SOURCES_MAX } from "./consolidated-instrument.ts";
import { sizeFactorOf } from "./exact-sizes.ts";
import { SourceFeed } from "./source-feed.ts";

type ConsolidatedDeskParts = {
  readonly reader: MarketReader;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly definitions: readonly ConsolidatedConfig[];
  readonly sharedPairsMax: number;
};

/** What is consolidated, and of what. */
type Wanted = {
  readonly symbol: string;
  readonly patterns: readonly string[];
  readonly channels: ConsolidatedConfig["channels"];
};

/** One consolidated instrument with the feeds of its sources. */
type Running = {
  readonly consolidated: ConsolidatedInstrument;
  /** By venue and symbol. */
  readonly feeds: Map<string, SourceFeed>;
  isLimited: boolean;
};

const SECOND_MS = 1_000;

/**
 * The consolidated venue: finds the sources of what is wanted in the lists of the venues, follows
 * them, and publishes what they amount to. Pairs that several venues have are consolidated by
 * themselves, as far as there is room.
 */
export class ConsolidatedDesk {
  readonly #parts: ConsolidatedDeskParts;
  readonly #venue: DerivedVenue;
  readonly #wanted = new Map<string, Wanted>();
  readonly #running = new Map<string, Running>();
  /** Spot pairs by symbol, with the venues that have them, while one alone does. */
  readonly #pairs = new Map<string, Set<string>>();
  #sharedPairs = 0;
  #cancelSecond: CancelTimer | undefined;

  constructor(
    parts: ConsolidatedDeskParts,
    openVenue: (liveBookOf: (instrument: Instrument) => OrderBook | undefined) => DerivedVenue,
  ) {
    this.#parts = parts;
    this.#venue = openVenue((instrument) => this.#liveBookOf(instrument));
    for (const { symbol, sources, channels } of parts.definitions) {
      this.#wanted.set(symbol, { symbol, channels, patterns: sources ?? [`*:${symbol}`] });
    }
  }

  get venue(): DerivedVenue {
    return this.#venue;
  }

  /** Consolidated instruments that have a source. */
  get instruments(): number {
    return this.#running.size;
  }

  /** Sources that are followed, and of those the ones whose quotes are set aside now. */
  get sources(): { readonly followed: number; readonly setAside: number } {
    let [followed, setAside] = [0, 0];
    for (const { consolidated } of this.#running.values()) {
      for (const source of consolidated.sources) {
        followed += 1;
        if (source.verdictOf("quotes")?.state !== "live") setAside += 1;
      }
    }
    return { followed, setAside };
  }

  start(): void {
    this.#parts.reader.onList((change) => this.#onList(change));
    this.#scheduleSecond();
  }

  close(): void {
    this.#cancelSecond?.();
    for (const { feeds } of this.#running.values()) for (const feed of feeds.values()) feed.close();
    this.#running.clear();
    this.#venue.close();
  }

  #scheduleSecond(): void {
    const { clock } = this.#parts;
    this.#cancelSecond = clock.after(SECOND_MS, () => {
      this.#scheduleSecond();
      const nowUs = clock.nowUs();
      for (const { consolidated } of this.#running.values()) consolidated.second(nowUs);
    });
  }

  #liveBookOf(instrument: Instrument): OrderBook | undefined {
    const [symbol = ""] = instrument.symbol.split("@");
    return this.#running.get(symbol)?.consolidated.liveBookOf(instrument);
  }

  #onList({ venue, added, removed }: ListChange): void {
    if (isDerivedVenue(venue)) return;
    for (const { symbol } of removed) this.#onGone(venue, symbol);
    for (const message of added.values()) {
      if (this.#parts.sharedPairsMax > 0) this.#notePair(message);
      for (const wanted of this.#wanted.values()) this.#consider(wanted, message);
    }
  }

  #onGone(venue: string, symbol: string): void {
    this.#pairs.get(symbol)?.delete(venue);
    for (const [name, running] of this.#running) {
      const feed = running.feeds.get(`${venue}:${symbol}`);
      if (feed === undefined) continue;
      running.feeds.delete(`${venue}:${symbol}`);
      feed.close();
      running.consolidated.remove(feed.source, this.#parts.clock.nowUs());
      this.#venue.remove(feed.source.share, "source-gone");
      if (running.feeds.size > 0) continue;
      this.#running.delete(name);
      this.#venue.remove(running.consolidated.instrument, "sources-gone");
    }
  }

  /** A pair that a second venue has is wanted from now on, and of both. */
  #notePair(message: InstrumentMessage): void {
    const { venue, base, quote, kind } = message;
    const symbol = `${base}-${quote}`;
    if (kind !== "INSTRUMENT_KIND_SPOT" || message.symbol !== symbol) return;
    if (this.#wanted.has(symbol) || this.#sharedPairs >= this.#parts.sharedPairsMax) return;
    const venues = this.#pairs.get(symbol) ?? new Set();
    this.#pairs.set(symbol, venues.add(venue));
    if (venues.size < 2) return;
    this.#pairs.delete(symbol);
    this.#sharedPairs += 1;
    const channels = ["quotes", "book", "ticker"] as const;
    const wanted: Wanted = { symbol, patterns: [`*:${symbol}`], channels: [...channels] };
    this.#wanted.set(symbol, wanted);
    for (const other of venues) {
      const known = this.#parts.reader.instrument(other, symbol);
      if (other !== venue && known !== undefined) this.#consider(wanted, known);
    }
  }

  #consider(wanted: Wanted, message: InstrumentMessage): void {
    const { venue, symbol } = message;
    const isNamed = wanted.patterns.includes(`${venue}:${symbol}`);
    if (!isNamed && !wanted.patterns.includes(`*:${symbol}`)) return;
    const [base = ""] = wanted.symbol.split("-");
    if (message.base !== base || !this.#venue.owns(wanted.symbol)) return;
    const running = this.#running.get(wanted.symbol);
    if (running?.feeds.has(`${venue}:${symbol}`) === true) return;
    const instrument = instrumentOf(message);
    const factor = sizeFactorOf(instrument);
    const { logger } = this.#parts;
    if (factor === undefined) {
      const fields = { consolidated: wanted.symbol, source: `${venue}:${symbol}` };
      logger.warn(fields, "a source is left out: its sizes are no exact amounts of the base asset");
      return;
    }
    this.#follow(running ?? this.#begin(wanted), { wanted, message, instrument, factor });
  }

  #begin({ symbol, channels }: Wanted): Running {
    const [base = "", quote = ""] = symbol.split("-");
    const instrument: Instrument = {
      venue: CONSOLIDATED_VENUE,
      symbol,
      venueSymbol: symbol,
      kind: "spot",
      base,
      quote,
      settle: quote,
      inverse: false,
      sizeUnit: "base",
    };
    const consolidated = new ConsolidatedInstrument({
      instrument,
      channels: new Set(channels),
      emit: (event) => this.#venue.emit(event),
    });
    const running: Running = { consolidated, feeds: new Map(), isLimited: false };
    this.#running.set(symbol, running);
    this.#venue.add(instrument, channels);
    return running;
  }

  #follow(
    running: Running,
    parts: {
      readonly wanted: Wanted;
      readonly message: InstrumentMessage;
      readonly instrument: Instrument;
      readonly factor: NonNullable<ReturnType<typeof sizeFactorOf>>;
    },
  ): void {
    const { wanted, message, instrument, factor } = parts;
    const { consolidated } = running;
    const share: Instrument = {
      ...consolidated.instrument,
      symbol: `${wanted.symbol}@${instrument.venue}.${instrument.symbol}`,
      venueSymbol: `${wanted.symbol}@${instrument.venue}.${instrument.symbol}`,
      kind: instrument.kind,
      quote: instrument.quote,
      settle: instrument.settle,
    };
    const channels = new Set(channelsOf(message));
    const isBookOnly = !channels.has("quotes");
    const source = consolidated.add({ instrument, share, factor, isBookOnly });
    const { reader, clock, logger } = this.#parts;
    if (source === undefined) {
      if (running.isLimited) return;
      running.isLimited = true;
      const fields = { consolidated: wanted.symbol, sourcesMax: SOURCES_MAX };
      logger.warn(fields, "a consolidated instrument has no room for more sources");
      return;
    }
    const shared = wanted.channels.filter((each) => each !== "ticker");
    this.#venue.add(share, shared);
    const feed = new SourceFeed({ reader, clock, consolidated, source, channels, wanted: shared });
    running.feeds.set(`${instrument.venue}:${instrument.symbol}`, feed);
  }
}
