// https://docs.kraken.com/exchange/api-reference/spot-websocket
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import { asJsonObject } from "#core/json-text.ts";
import type { Candle } from "#core/market-event.ts";
import type { FeedDecoderContext, RejectReason, RestPurpose } from "../../feed/feed-adapter.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { readCandleValues } from "../../reading/candle-values.ts";
import { doubtEach, fieldFinder, rejectDamaged } from "../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf, type TakeTick } from "../../reading/emit.ts";
import type { FrameReader } from "../../reading/frame-decoder.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { stateOfWord } from "../../reading/instrument-words.ts";
import { quoteEvent } from "../../reading/quote-event.ts";
import { tickerEvent } from "../../reading/ticker-event.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { emitStates, emitVenueState, type SaidOfInstrument } from "../../reading/state-events.ts";
import { takerSide } from "../../reading/trade-fields.ts";
import { isBadTime, parseIsoTimeUs } from "../../reading/venue-time.ts";
import { channelsOfStream, KrakenAnswers, type KrakenTickers } from "./answers.ts";
import { isOfExchange, KRAKEN_STATES } from "./instruments.ts";
import { KrakenPairs, nearestBookDepth } from "./book.ts";
import { readTradesAnswer } from "./rest.ts";
import { KrakenScanner } from "./scanner.ts";

const LEVELS = { price: "price", size: "qty" };
const SIDES = { buyer: "buy", seller: "sell" };

const streamIn = fieldFinder("channel");
const symbolIn = fieldFinder("symbol");

/** What is said to be lost when an item of a message cannot be read. */
type DataChannel = Extract<Channel, "book" | "trades" | "ticker" | "candles">;

/** An item of the message under way. */
type Item = {
  readonly node: number;
  readonly instrument: Instrument;
  readonly snapshot: boolean;
  readonly receivedTimeUs: number;
};

/** Reads one connection. Numbers keep the text that the venue wrote. */
export class KrakenReader implements FrameReader<JsonTape, JsonTape> {
  readonly #tape: JsonTape;
  readonly #catalog: InstrumentCatalog;
  readonly #bookDepth: number;
  readonly #answers: KrakenAnswers;
  readonly #pairs: KrakenPairs;
  readonly #scanner: KrakenScanner;
  readonly #candles = new CandleCloser();

  constructor(tape: JsonTape, context: FeedDecoderContext, tickers: KrakenTickers = "by-trigger") {
    this.#tape = tape;
    this.#answers = new KrakenAnswers(tickers);
    this.#catalog = context.catalog;
    this.#bookDepth = nearestBookDepth(context.bookDepth);
    this.#pairs = new KrakenPairs(context.catalog);
    this.#scanner = new KrakenScanner(this.#pairs.symbols, (instrument) =>
      this.#depthOf(instrument),
    );
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    this.#answers.sent(frame);
  }

  message(tape: JsonTape, receivedTimeUs: number, emit: Emit): void {
    switch (tape.text(tape.get(0, "channel")) ?? "") {
      case "book":
        return this.#data("book", receivedTimeUs, emit);
      case "trade":
        return this.#data("trades", receivedTimeUs, emit);
      case "ticker":
        return this.#data("ticker", receivedTimeUs, emit);
      case "ohlc":
        return this.#data("candles", receivedTimeUs, emit);
      case "status": {
        const system = tape.get(tape.first(tape.get(0, "data")), "system");
        return emitVenueState(KRAKEN_STATES, tape.text(system), emit);
      }
      case "instrument":
        return this.#instruments(emit);
      case "heartbeat":
        return heartbeat(emit);
      default:
        return this.#answers.read(asJsonObject(tape.value(0)) ?? {}, emit);
    }
  }

  /**
   * Nothing numbers messages here: what a damaged frame was about must be found out, or every book
   * may be wrong.
   */
  damaged(text: string, emit: Emit): void {
    const stream = streamIn(text);
    const symbol = symbolIn(text);
    const instrument = symbol === undefined ? undefined : this.#catalog.byVenueSymbol(symbol);
    if (rejectDamaged(emit, instrument, channelsOfStream(stream)[0])) return;
    if (stream === undefined || stream === "book") doubtEach(this.#pairs.withBooks(), "book", emit);
  }

  answer(
    tape: JsonTape,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    if (kind !== "trades") return "unknown-message";
    const { ticks } = this.#pairs.of(instrument).scales;
    return readTradesAnswer(tape, { instrument, receivedTimeUs }, ticks, emit);
  }

  /** Pairs of another place than the exchange itself have other books. */
  #instruments(emit: Emit): void {
    const tape = this.#tape;
    const pairs = tape.get(tape.get(0, "data"), "pairs");
    if (!tape.isArray(pairs)) return heartbeat(emit);
    const said: SaidOfInstrument[] = [];
    for (let pair = tape.first(pairs); pair !== MISSING; pair = tape.next(pair)) {
      if (!isOfExchange(this.#text(pair, "execution_venue"))) continue;
      const state = stateOfWord(KRAKEN_STATES, this.#text(pair, "status"));
      said.push({ venueSymbol: this.#text(pair, "symbol"), said: state });
    }
    emitStates(said, this.#catalog, emit);
  }

  /** A message whose data is a list, each item about an instrument of its own. */
  #data(channel: DataChannel, receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    const data = tape.get(0, "data");
    if (!tape.isArray(data)) return reject(emit, "missing-field");
    const snapshot = tape.equals(tape.get(0, "type"), "snapshot");
    for (let node = tape.first(data); node !== MISSING; node = tape.next(node)) {
      const instrument = lookUpInstrument(this.#catalog, this.#text(node, "symbol"), emit);
      if (instrument === undefined) continue;
      const reason = this.#read(channel, { node, instrument, snapshot, receivedTimeUs }, emit);
      if (reason !== undefined) rejectOf(emit, reason, instrument, channel);
    }
  }

  #read(channel: DataChannel, item: Item, emit: Emit): RejectReason | undefined {
    switch (channel) {
      case "book":
        return this.#book(item, emit);
      case "trades":
        return this.#trade(item, emit);
      case "ticker":
        return this.#ticker(item, emit);
      case "candles": {
        const candle = this.#candle(item);
        if (typeof candle === "string") return candle;
        this.#candles.take(candle, emit);
        return undefined;
      }
    }
  }

  #book(item: Item, emit: Emit): RejectReason | undefined {
    const { node, instrument, snapshot, receivedTimeUs } = item;
    const pair = this.#pairs.of(instrument);
    const { scales } = pair;
    pair.hasBook = true;
    if (snapshot) scales.startBook();
    const tape = this.#tape;
    const sides = { bids: tape.get(node, "bids"), asks: tape.get(node, "asks") };
    const checksum = tape.number(tape.get(node, "checksum"));
    if (sides.bids === MISSING || sides.asks === MISSING || !Number.isInteger(checksum)) {
      return "missing-field";
    }
    const venueTimeUs = parseIsoTimeUs(this.#text(node, "timestamp"));
    const columns = scales.book.bookFromTape(tape, sides, LEVELS);
    if (typeof columns === "string") return columns;
    const depth = this.#depthOf(instrument);
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    emit(bookEvent(subject, scales.book, columns, { snapshot, checksum, depth }));
    return undefined;
  }

  /** How many levels of each side the venue keeps. */
  #depthOf({ venueSymbol }: Instrument): number {
    return this.#answers.depthOf(venueSymbol) ?? this.#bookDepth;
  }

  #trade(item: Item, emit: Emit): RejectReason | undefined {
    const { node, instrument, snapshot: historical, receivedTimeUs } = item;
    const aggressorSide = takerSide(this.#text(node, "side"), SIDES);
    const tradeId = this.#text(node, "trade_id");
    if (aggressorSide === undefined || tradeId === undefined) return "missing-field";
    const venueTimeUs = parseIsoTimeUs(this.#text(node, "timestamp"));
    const { ticks } = this.#pairs.of(instrument).scales;
    const price = this.#text(node, "price");
    const size = this.#text(node, "qty");
    const form = { price, size, aggressorSide, tradeId, historical };
    const event = tradeEvent({ instrument, venueTimeUs, receivedTimeUs }, ticks, form);
    if (typeof event === "string") return event;
    emit(event);
    return undefined;
  }

  #ticker({ node, instrument, receivedTimeUs }: Item, emit: Emit): RejectReason | undefined {
    const venueTimeUs = parseIsoTimeUs(this.#text(node, "timestamp"));
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    const bidPrice = this.#text(node, "bid");
    const askPrice = this.#text(node, "ask");
    const quote = quoteEvent(
      subject,
      this.#pairs.of(instrument).scales.ticks,
      { price: bidPrice, size: this.#text(node, "bid_qty") },
      { price: askPrice, size: this.#text(node, "ask_qty") },
    );
    if (typeof quote === "string") return quote;
    const ticker = tickerEvent(subject, {
      lastPrice: this.#text(node, "last"),
      highPrice: this.#text(node, "high"),
      lowPrice: this.#text(node, "low"),
      volume: this.#text(node, "volume"),
      bidPrice,
      askPrice,
    });
    if (typeof ticker === "string") return ticker;
    emit(quote);
    emit(ticker);
    return undefined;
  }

  #candle({ node, instrument, receivedTimeUs }: Item): Candle | RejectReason {
    const openTimeUs = parseIsoTimeUs(this.#text(node, "interval_begin"));
    const venueTimeUs = parseIsoTimeUs(this.#text(0, "timestamp"));
    const minutes = Number(this.#text(node, "interval") ?? Number.NaN);
    if (openTimeUs === undefined || !(minutes > 0)) return "missing-field";
    if (isBadTime(openTimeUs)) return "bad-time";
    const intervalMs = minutes * 60_000;
    const values = readCandleValues({
      open: this.#text(node, "open"),
      high: this.#text(node, "high"),
      low: this.#text(node, "low"),
      close: this.#text(node, "close"),
      volume: this.#text(node, "volume"),
    });
    if (typeof values === "string") return values;
    const trades = Number(this.#text(node, "trades") ?? Number.NaN);
    return {
      kind: "candle",
      instrument,
      venueTimeUs,
      receivedTimeUs,
      intervalMs,
      openTimeUs,
      ...values,
      quoteVolume: undefined,
      tradeCount: Number.isSafeInteger(trades) ? trades : undefined,
      // The venue never says so, but one whose end is not after the venue's own clock is over.
      closed: venueTimeUs !== undefined && venueTimeUs >= openTimeUs + intervalMs * 1000,
    };
  }

  #text(node: number, key: string): string | undefined {
    return this.#tape.text(this.#tape.get(node, key));
  }
}
