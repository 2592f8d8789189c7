// https://www.bitstamp.net/websocket/v2/
import { readBitstampRefusal } from "./answers.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { FeedDecoderContext, RejectReason, RestPurpose } from "../../feed/feed-adapter.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { doubtEach, fieldFinder, rejectDamaged } from "../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf, type TakeTick } from "../../reading/emit.ts";
import type { FrameReader } from "../../reading/frame-decoder.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { emitSubscribed } from "../../reading/subscription-answers.ts";
import { tradeEvent } from "../../reading/trade-event.ts";
import { epochTimeUs, isBadTime } from "../../reading/venue-time.ts";
import { idText, sideOf } from "./fields.ts";
import { type MarketSubject, readCandles, readFunding, readOpenInterest } from "./readings.ts";
import { channelsOfStream, splitChannel } from "./requests.ts";
import { readTickersAnswer, readTradesAnswer } from "./rest.ts";
import { BitstampScanner, type ScannedMarket } from "./scanner.ts";

const channelIn = fieldFinder("channel");

/**
 * Reads the feed of Bitstamp. Numbers are read from the texts beside them (`price_str`), never from
 * the JSON numbers, which carry the noise of a double.
 */
export class BitstampReader implements FrameReader<TextRecord, JsonText> {
  readonly #catalog: InstrumentCatalog;
  readonly #markets: SymbolTable<ScannedMarket>;
  readonly #scanner: BitstampScanner;
  readonly #scales = new InstrumentStates((instrument) => {
    const scales = new ScaleTracker();
    this.#markets.add(instrument, { instrument, scales });
    return scales;
  });
  /**
   * Books of this connection, which a frame that cannot be read may have been of, and the
   * microtimestamp of the last change of each.
   */
  readonly #books = new Map<Instrument, number | undefined>();
  /** Markets whose trades come on this connection. */
  readonly #trades = new Set<Instrument>();
  /** Books whose subscription was renewed, until that is confirmed. */
  readonly #renewed = new Set<Instrument>();
  /** Since when every change of a book comes; until its first one has. */
  readonly #beganUs = new Map<Instrument, number>();
  /** The latest microtimestamp of anything on the connection. */
  #latestUs = 0;

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#markets = new SymbolTable(context.catalog);
    this.#scanner = new BitstampScanner(this.#markets, (instrument, changedUs) =>
      this.#changed(instrument, changedUs),
    );
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  /** What a book's channel missed while it was not subscribed to, nothing tells. */
  sent(frame: string): void {
    const channel = /"bts:subscribe".*"diff_order_book_([^"]+)"/.exec(frame)?.[1];
    const instrument = channel === undefined ? undefined : this.#catalog.byVenueSymbol(channel);
    if (instrument === undefined || this.#books.get(instrument) === undefined) return;
    this.#books.set(instrument, undefined);
    this.#beganUs.delete(instrument);
    this.#renewed.add(instrument);
  }

  message(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const channel = asText(message["channel"]) ?? "";
    switch (asText(message["event"]) ?? "") {
      case "data":
      case "trade":
      case "funding_rate_saved":
        return this.#data(channel, message["data"], receivedTimeUs, emit);
      case "bts:subscription_succeeded":
        return this.#subscribed(channel, receivedTimeUs, emit);
      case "bts:heartbeat":
      case "bts:unsubscription_succeeded":
        return heartbeat(emit);
      case "bts:request_reconnect":
        return emit({ kind: "reconnect-requested", reason: "venue-request" });
      case "bts:error":
        return readBitstampRefusal(channel, message["data"], emit);
      default:
        return reject(emit, "unknown-message");
    }
  }

  /**
   * Nothing numbers messages here, so what a damaged frame was about is read from what is left of
   * it. The channel stands behind the data: if it is gone, a book is known by its sides and a trade
   * by its id, but not whose they are.
   */
  damaged(text: string, emit: Emit): void {
    const name = channelIn(text);
    const { stream, venueSymbol } = splitChannel(name ?? "");
    const [channel] = channelsOfStream(stream);
    const instrument = channel === undefined ? undefined : this.#catalog.byVenueSymbol(venueSymbol);
    if (rejectDamaged(emit, instrument, channel)) {
      if (instrument !== undefined && channel === "trades") doubtEach([instrument], channel, emit);
      return;
    }
    if (name !== undefined || /^\{"event"|"market"\s*:/.test(text)) return;
    const isBook = /"(?:bids|asks)"\s*:/.test(text);
    const isTrade = /"(?:id|amount|price)(?:_str)?"\s*:/.test(text);
    if (!isTrade) doubtEach(this.#books.keys(), "book", emit);
    if (!isBook) doubtEach(this.#trades, "trades", emit);
  }

  answer(
    body: JsonText,
    { kind, channel, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    if (instrument === undefined) {
      return readTickersAnswer(body, { catalog: this.#catalog, receivedTimeUs }, emit);
    }
    const subject = { instrument, receivedTimeUs };
    if (kind === "book-snapshot") return this.#book(body, subject, true, emit);
    if (kind === "trades") {
      return readTradesAnswer(body, subject, this.#scales.of(instrument), emit);
    }
    return channel === "candles"
      ? readCandles(body, subject, emit)
      : readOpenInterest(body, subject, emit);
  }

  #data(name: string, data: JsonText | undefined, receivedTimeUs: number, emit: Emit): void {
    const { stream, venueSymbol } = splitChannel(name);
    const [channel] = channelsOfStream(stream);
    if (channel === undefined) return reject(emit, "unknown-message");
    const instrument = lookUpInstrument(this.#catalog, venueSymbol, emit);
    if (instrument === undefined) return;
    const reason = this.#read(channel, data, { instrument, receivedTimeUs }, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, channel);
  }

  #read(
    channel: Channel,
    data: JsonText | undefined,
    subject: MarketSubject,
    emit: Emit,
  ): RejectReason | undefined {
    if (channel === "book") return this.#book(data, subject, false, emit);
    if (channel === "funding") return readFunding(data, subject, emit);
    this.#trades.add(subject.instrument);
    return this.#trade(data, subject, emit);
  }

  /**
   * `microtimestamp` stands in for a sequence: what REST answers is in line with the stream. It
   * rises by any amount, so each change also says which it came after; the first of a connection
   * comes after the confirmation of the subscription, so that a snapshot made since then lacks
   * nothing. An older one, out of a cache, may.
   */
  #book(
    data: JsonText | undefined,
    { instrument, receivedTimeUs }: MarketSubject,
    snapshot: boolean,
    emit: Emit,
  ): RejectReason | undefined {
    const message = asJsonObject(data);
    const bids = asJsonArray(message?.["bids"]);
    const asks = asJsonArray(message?.["asks"]);
    if (message === undefined || bids === undefined || asks === undefined) return "missing-field";
    const venueTimeUs = epochTimeUs(message["microtimestamp"]);
    // It is the number of the update as well.
    if (venueTimeUs === undefined || isBadTime(venueTimeUs)) return "bad-time";
    const previousUpdateId = snapshot ? undefined : this.#changed(instrument, venueTimeUs);
    const scales = this.#scales.of(instrument);
    const columns = scales.book(bids, asks);
    if (typeof columns === "string") return columns;
    const source = snapshot ? "rest" : "in-band";
    const form = { snapshot, source, lastUpdateId: venueTimeUs, previousUpdateId } as const;
    emit(bookEvent({ instrument, venueTimeUs, receivedTimeUs }, scales, columns, form));
    return undefined;
  }

  /** After what a change came; undefined if that is not known. */
  #previousOf(instrument: Instrument, changedUs: number): number | undefined {
    const before = this.#books.get(instrument);
    if (before !== undefined) return before;
    const beganUs = this.#beganUs.get(instrument) ?? Infinity;
    return beganUs < changedUs ? beganUs : undefined;
  }

  /** A change came. Returns after what it came; undefined if that is not known. */
  #changed(instrument: Instrument, changedUs: number): number | undefined {
    const previousUs = this.#previousOf(instrument, changedUs);
    this.#books.set(instrument, changedUs);
    this.#beganUs.delete(instrument);
    if (changedUs > this.#latestUs) this.#latestUs = changedUs;
    return previousUs;
  }

  /** `type` is the taker's side: the newer of the two orders, which the order ids tell as well. */
  #trade(data: JsonText | undefined, subject: MarketSubject, emit: Emit): RejectReason | undefined {
    const trade = asJsonObject(data) ?? {};
    const aggressorSide = sideOf(trade["type"]);
    // Ids are beyond 2^53 today; here even the bare number still has all of its digits.
    const tradeId = idText(trade["id_str"] ?? trade["id"]);
    if (aggressorSide === undefined || tradeId === undefined) return "missing-field";
    const venueTimeUs = epochTimeUs(trade["microtimestamp"]);
    if (venueTimeUs !== undefined && venueTimeUs > this.#latestUs) this.#latestUs = venueTimeUs;
    const { price_str: price, amount_str: size } = trade;
    const scales = this.#scales.of(subject.instrument);
    const form = { price, size, aggressorSide, tradeId, historical: false };
    const event = tradeEvent({ ...subject, venueTimeUs }, scales, form);
    if (typeof event === "string") return event;
    emit(event);
    return undefined;
  }

  #subscribed(name: string, receivedTimeUs: number, emit: Emit): void {
    const { stream, venueSymbol } = splitChannel(name);
    const channels = channelsOfStream(stream);
    emitSubscribed([{ venueSymbol, channels }], emit);
    const instrument = channels.length === 0 ? undefined : this.#catalog.byVenueSymbol(venueSymbol);
    if (instrument === undefined) return;
    if (channels.includes("trades")) this.#trades.add(instrument);
    if (!channels.includes("book")) return;
    if (!this.#books.has(instrument)) this.#books.set(instrument, undefined);
    // By our clock, or the venue's where it shows that ours is behind.
    if (this.#books.get(instrument) === undefined) {
      this.#beganUs.set(instrument, Math.max(receivedTimeUs, this.#latestUs));
    }
    if (this.#renewed.delete(instrument)) doubtEach([instrument], "book", emit);
  }
}
