import { BatchWriter, channelToWire } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import type { Bus, BusSubscription } from "#bus/bus.ts";
import {
  announceSubject,
  DISCOVER_SUBJECT,
  eventSubject,
  parseQuerySubject,
  queryPattern,
} from "#bus/subject.ts";
import type { Clock } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { BookEvent, MarketEvent, Quote, Status, Trade } from "#core/market-event.ts";
import {
  decodeHistoryRequest,
  encodeAnnouncement,
  encodeCatalogReply,
  encodeHistoryReply,
  encodeQueryError,
  encodeQueryReply,
  encodeSnapshotReply,
} from "#wire/bus-codec.ts";
import { batchKindOf, encodeState, rowsOfEvents } from "#wire/event-codec.ts";
import {
  GetCandlesResponseCodec,
  GetStatusRequestCodec,
  GetStatusResponseCodec,
  GetTradesResponseCodec,
} from "@tickwire/proto/service";

type TopicLog = {
  readonly writer: BatchWriter;
  readonly batches: BusBatch[];
  last: MarketEvent[];
  levels: Map<string, number>;
};

/** A spot instrument of a fake venue: `BTC-USDT` is `BTCUSDT` there. */
function fakeInstrument(venue: string, symbol: string): Instrument {
  const [base = "", quote = ""] = symbol.split("-");
  return {
    venue,
    symbol,
    venueSymbol: symbol.replace("-", ""),
    kind: "spot",
    base,
    quote,
    settle: quote,
    inverse: false,
  };
}

/**
 * The far end of the bus, as small as it can be: it announces a catalog, publishes batches with
 * rising sequences and answers queries from what it published.
 */
export class FakeIngestor {
  readonly channels: Channel[] = ["trades", "quotes", "book", "status"];
  publisherId = "one";
  /** Of this start; any number, because epochs have no order. */
  epoch = 5_000_000_000_000_003;
  /** Whether it can be asked for what it has published. */
  keepsHistory = false;
  /** Set while more is to be listed. */
  incomplete = false;
  /** Announced, and kept by nobody: this ingestor announces when a test says so. */
  announceIntervalMs = 60_000;
  /** Set to withhold answers; call the functions to let them go. */
  held: (() => void)[] | undefined;
  /** Queries that came, by subject. */
  readonly queries: string[] = [];
  readonly instruments = new Map<string, Instrument>();
  readonly #venue: string;
  readonly #bus: Bus;
  readonly #clock: Clock;
  readonly #logs = new Map<string, TopicLog>();
  readonly #subscriptions: BusSubscription[] = [];
  #version = 1;

  constructor(bus: Bus, clock: Clock, symbols: readonly string[], venue = "fake") {
    this.#venue = venue;
    this.#bus = bus;
    this.#clock = clock;
    for (const symbol of symbols) this.instruments.set(symbol, fakeInstrument(this.#venue, symbol));
    this.#listen();
  }

  /** Says that it is there, and where its topics stand if `progress`. */
  announce(options: { readonly progress?: boolean; readonly leaving?: boolean } = {}): void {
    const { epoch, announceIntervalMs, publisherId } = this;
    const progress = [...this.#logs].map(([key, { writer }]) => {
      const [symbol = "", channel = ""] = key.split("/");
      return { symbol, channel: channelToWire(channel), sequence: writer.sequence };
    });
    const announcement = {
      ingestorId: publisherId,
      venue: this.#venue,
      catalogVersion: this.#version,
      announceIntervalMs,
      epoch,
      leaving: options.leaving ?? false,
      progress: options.progress === true ? progress : [],
    };
    this.#bus.publish(announceSubject(this.#venue), encodeAnnouncement(announcement));
  }

  list(symbols: readonly string[]): void {
    this.instruments.clear();
    for (const symbol of symbols) this.instruments.set(symbol, fakeInstrument(this.#venue, symbol));
    this.#version += 1;
    this.announce();
  }

  /** Starts anew, as after a crash: another identity, and sequences from 1. */
  restart(identity: { readonly publisherId?: string; readonly epoch?: number } = {}): void {
    this.publisherId = identity.publisherId ?? `${this.publisherId}x`;
    this.epoch = identity.epoch ?? this.epoch - 1_000_000;
    this.#logs.clear();
    this.close();
    this.#listen();
    this.announce();
  }

  /**
   * Publishes events of one topic as one batch. `lost` keeps it off the bus but counts it;
   * `damaged` cuts it short.
   */
  publish(
    events: readonly MarketEvent[],
    options: { readonly lost?: boolean; readonly damaged?: boolean } = {},
  ): void {
    const [first] = events;
    if (first === undefined) return;
    const channel = CHANNEL_OF[first.kind as keyof typeof CHANNEL_OF];
    const log = this.#log(channel, first.instrument.symbol);
    for (const event of events) remember(log, event);
    const publishedTimeUs = this.#clock.nowUs();
    const subject = eventSubject({ ...first.instrument, channel });
    for (const batch of log.writer.write(rowsOfEvents(events), { publishedTimeUs })) {
      const { lost = false, damaged = false } = options;
      const { bytes } = batch;
      log.batches.push(batch);
      if (!lost) this.#bus.publish(subject, damaged ? bytes.subarray(0, -1) : bytes);
    }
  }

  position(channel: Channel, symbol: string): number {
    return this.#log(channel, symbol).writer.sequence;
  }

  trade(symbol: string, price: number, priceScale = 2): Trade {
    return {
      ...this.#base(symbol),
      kind: "trade",
      priceMantissa: price,
      priceScale,
      sizeMantissa: 1,
      sizeScale: 0,
      aggressorSide: "buyer",
      tradeId: String(price),
      historical: false,
    };
  }

  quote(symbol: string, bid: number): Quote {
    return {
      ...this.#base(symbol),
      kind: "quote",
      priceScale: 2,
      sizeScale: 0,
      bidPriceMantissa: bid,
      bidSizeMantissa: 1,
      askPriceMantissa: bid + 1,
      askSizeMantissa: 2,
    };
  }

  /** A delta that sets one bid level. */
  book(symbol: string, price: number, size: number): BookEvent {
    return {
      ...this.#base(symbol),
      kind: "book",
      snapshot: false,
      priceScale: 2,
      sizeScale: 0,
      bids: { prices: [price], sizes: [size] },
      asks: { prices: [], sizes: [] },
    };
  }

  status(symbol: string, channel: Channel, state: Status["state"]): Status {
    const sinceTimeUs = this.#clock.nowUs();
    const base = { ...this.#base(symbol), venueTimeUs: undefined };
    return { ...base, kind: "status", channel, state, reason: "test", sinceTimeUs };
  }

  /** The bids as they stand, price to size. */
  bids(symbol: string): Map<string, number> {
    return this.#log("book", symbol).levels;
  }

  /** Gone without a word. */
  close(): void {
    for (const subscription of this.#subscriptions.splice(0)) subscription.unsubscribe();
  }

  #listen(): void {
    const { publisherId } = this;
    const pattern = queryPattern({ venue: this.#venue, publisherId });
    this.#subscriptions.push(
      this.#bus.subscribe(DISCOVER_SUBJECT, () => this.announce()),
      this.#bus.subscribe(pattern, (message) => {
        this.queries.push(message.subject);
        const answer = () => message.respond(this.#answer(message.subject, message.payload));
        if (this.held === undefined) answer();
        else this.held.push(answer);
      }),
    );
  }

  #base(symbol: string) {
    const instrument = this.instruments.get(symbol) ?? fakeInstrument(this.#venue, symbol);
    const receivedTimeUs = this.#clock.nowUs();
    return { instrument, receivedTimeUs, venueTimeUs: receivedTimeUs - 5 };
  }

  #log(channel: Channel, symbol: string): TopicLog {
    const key = `${symbol}/${channel}`;
    let log = this.#logs.get(key);
    if (log === undefined) {
      const writer = new BatchWriter({ kind: batchKindOf(channel), epoch: this.epoch });
      log = { writer, batches: [], last: [], levels: new Map() };
      this.#logs.set(key, log);
    }
    return log;
  }

  #answer(subject: string, payload: Uint8Array): Uint8Array {
    const query = parseQuerySubject(subject);
    switch (query?.query) {
      case "catalog":
        return encodeQueryReply(this.#catalog());
      case "snapshot":
        return this.#snapshot(query.channel, query.symbol);
      case "trades": {
        const trades = [{ sequence: 7, price: "1.5", size: "2", tradeId: query.symbol }];
        return encodeQueryReply(GetTradesResponseCodec.encode({ trades }));
      }
      case "candles":
        return encodeQueryReply(GetCandlesResponseCodec.encode({ candles: [{ open: "1" }] }));
      case "statuses":
        return encodeQueryReply(this.#statuses(payload));
      case "ping":
        return encodeQueryReply(new Uint8Array(0));
      case "history":
        return this.#history(query.channel, query.symbol, payload);
      case "positions":
      case undefined:
        return encodeQueryError({ code: "CODE_UNIMPLEMENTED", message: subject });
    }
  }

  #history(channel: Channel, symbol: string, payload: Uint8Array): Uint8Array {
    if (!this.keepsHistory) {
      return encodeQueryError({ code: "CODE_UNIMPLEMENTED", message: channel });
    }
    const { epoch, afterSequence } = decodeHistoryRequest(payload);
    const { batches, writer } = this.#log(channel, symbol);
    const kept = epoch === this.epoch ? batches : [];
    const behind = kept.filter(({ baseSequence }) => baseSequence >= afterSequence);
    return encodeQueryReply(
      encodeHistoryReply(
        behind.map(({ bytes }) => bytes),
        writer.sequence,
      ),
    );
  }

  #statuses(payload: Uint8Array): Uint8Array {
    const venue = this.#venue;
    const { health } = GetStatusRequestCodec.decode(payload);
    return GetStatusResponseCodec.encode({
      statuses: [{ venue, symbol: "BTC-USDT", status: { channel: "CHANNEL_TRADES" } }],
      health: health ? [{ venue, publisherId: this.publisherId, gaps: 7 }] : [],
    });
  }

  #catalog(): Uint8Array {
    const channels = this.channels.map(channelToWire);
    return encodeCatalogReply({
      // As of an ingestor that has no list yet.
      incomplete: this.incomplete || this.instruments.size === 0,
      catalogVersion: this.#version,
      instruments: [...this.instruments.values()].map((instrument) => ({
        ...instrument,
        kind: "INSTRUMENT_KIND_SPOT" as const,
        optionType: "OPTION_TYPE_UNSPECIFIED" as const,
        sizeUnit: "SIZE_UNIT_BASE" as const,
        state: "INSTRUMENT_STATE_TRADING" as const,
        channels,
      })),
    });
  }

  #snapshot(channel: Channel, symbol: string): Uint8Array {
    if (!this.instruments.has(symbol)) {
      return encodeQueryError({ code: "CODE_NOT_FOUND", message: `no ${symbol}` });
    }
    const log = this.#log(channel, symbol);
    const { sequence } = log.writer;
    const reply = (events: readonly MarketEvent[]): Uint8Array => {
      const position = { channel, epoch: this.epoch, sequence };
      const state = encodeState(position, events, this.#clock.nowUs());
      return encodeQueryReply(encodeSnapshotReply(state));
    };
    if (sequence === 0 || channel === "trades") return reply([]);
    if (channel !== "book") return reply(log.last);
    const prices = [...log.levels.keys()].map(Number).sort((one, other) => other - one);
    const sizes = prices.map((price) => log.levels.get(String(price)) ?? 0);
    const book: BookEvent = {
      ...this.book(symbol, 0, 0),
      snapshot: true,
      bids: { prices, sizes },
    };
    return reply([book]);
  }
}

const CHANNEL_OF = { trade: "trades", quote: "quotes", book: "book", status: "status" } as const;

function remember(log: TopicLog, event: MarketEvent): void {
  if (event.kind === "status") {
    const others = log.last.filter(
      (last) => last.kind === "status" && last.channel !== event.channel,
    );
    log.last = [...others, event];
  } else {
    log.last = [event];
  }
  if (event.kind !== "book") return;
  event.bids.prices.forEach((price, index) => {
    const size = Number(event.bids.sizes[index]);
    if (size === 0) log.levels.delete(String(price));
    else log.levels.set(String(price), size);
  });
}
