// https://docs.cdp.coinbase.com/exchange/websocket-feed/channels
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedDecoderContext, RestPurpose } from "../../feed/feed-adapter.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { changesBySide } from "../../reading/changes-by-side.ts";
import { doubtEach, fieldFinder, rejectDamaged } from "../../reading/damage.ts";
import {
  type Emit,
  type EventSubject,
  heartbeat,
  reject,
  rejectOf,
  type TakeTick,
} from "../../reading/emit.ts";
import { exactDigits } from "../../reading/exact-digits.ts";
import type { Fault } from "../../reading/fault.ts";
import type { FrameReader } from "../../reading/frame-decoder.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { emitSubscribed } from "../../reading/subscription-answers.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { isRecord, type JsonRecord } from "../../reading/text-fields.ts";
import { parseIsoTimeUs } from "../../reading/venue-time.ts";
import { CoinbaseSubscriptions, refuse } from "./answers.ts";
import {
  emitMatch,
  MATCH_SIDES,
  type NumberedTrades,
  readProductStates,
  readTicker,
  tradeOf,
} from "./readings.ts";
import { CHANNELS_OF_NAME } from "./requests.ts";
import { readProductTrades } from "./rest.ts";
import { CoinbaseScanner } from "./scanner.ts";

/** Messages with data, and what damage to them is told of. */
const CHANNEL_OF_TYPE: ReadonlyMap<unknown, Channel> = new Map<string, Channel>([
  ["snapshot", "book"],
  ["l2update", "book"],
  ["match", "trades"],
  ["last_match", "trades"],
  ["ticker", "ticker"],
]);

const NO_SIDES = { bids: undefined, asks: undefined };

const TRADE_ID = /"trade_id":\s*(\d+)/;
const TYPE = /"type"\s*:\s*"([a-z0-9_]+)"/;

const productIn = fieldFinder("product_id");

/** What is kept of one product on one connection. */
type ProductState = NumberedTrades & {
  readonly instrument: Instrument;
  readonly scales: ScaleTracker;
  /**
   * Its book is of this connection, and may have lost something in a frame that cannot be read at
   * all.
   */
  hasBook: boolean;
  /** The last trade that a heartbeat spoke of. */
  announcedTradeId: number;
};

/** Reads one connection. Only trades are numbered there. */
export class CoinbaseReader implements FrameReader<JsonRecord, unknown> {
  readonly #catalog: InstrumentCatalog;
  readonly #symbols: SymbolTable<ProductState>;
  readonly #scanner: CoinbaseScanner;
  readonly #products = new InstrumentStates<ProductState>((instrument) => {
    const scales = new ScaleTracker();
    const numbers = { lastTradeId: undefined, announcedTradeId: 0 };
    const product = { instrument, scales, hasBook: false, ...numbers };
    this.#symbols.add(instrument, product);
    return product;
  });
  readonly #subscriptions = new CoinbaseSubscriptions(CHANNELS_OF_NAME);

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#symbols = new SymbolTable(context.catalog);
    this.#scanner = new CoinbaseScanner(this.#symbols, (instrument) =>
      this.#products.of(instrument),
    );
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  message(message: JsonRecord, receivedTimeUs: number, emit: Emit, text: string): void {
    const { type } = message;
    switch (type) {
      case "heartbeat":
        heartbeat(emit);
        return this.#compareTradeId(message, emit);
      case "status":
        return readProductStates(message["products"], this.#catalog, emit);
      case "subscriptions":
        return this.#subscribed(message, emit);
      case "error":
        return refuse(message, emit);
    }
    const channel = CHANNEL_OF_TYPE.get(type);
    if (channel === undefined) return reject(emit, "unknown-message");
    const instrument = lookUpInstrument(this.#catalog, message["product_id"], emit);
    if (instrument === undefined) return;
    const venueTimeUs = parseIsoTimeUs(message["time"]);
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    const reason = this.#data(message, subject, text, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, channel);
  }

  /**
   * Only trades are numbered: what a damaged frame was about must be found out, or every book may
   * be wrong.
   */
  damaged(text: string, emit: Emit): void {
    const type = TYPE.exec(text)?.[1];
    const channel = CHANNEL_OF_TYPE.get(type);
    const name = productIn(text);
    const instrument = name === undefined ? undefined : this.#catalog.byVenueSymbol(name);
    if (rejectDamaged(emit, instrument, channel)) return;
    if (type === undefined || channel === "book") doubtEach(this.#books(), "book", emit);
  }

  answer(
    body: unknown,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): Fault {
    if (kind !== "trades") return "unknown-message";
    const { scales } = this.#products.of(instrument);
    return readProductTrades(body, { instrument, receivedTimeUs }, scales, emit);
  }

  *#books(): Iterable<Instrument> {
    for (const { instrument, hasBook } of this.#products.all()) if (hasBook) yield instrument;
  }

  #data(message: JsonRecord, subject: EventSubject, text: string, emit: Emit): Fault {
    const { type } = message;
    switch (type) {
      case "snapshot":
      case "l2update":
        return this.#book(message, subject, type === "snapshot", emit);
      case "ticker":
        return readTicker(message, subject, this.#products.of(subject.instrument).scales, emit);
      default:
        return this.#match(message, subject, text, emit);
    }
  }

  #book(message: JsonRecord, subject: EventSubject, snapshot: boolean, emit: Emit): Fault {
    const product = this.#products.of(subject.instrument);
    product.hasBook = true;
    const sides = snapshot ? message : changesBySide(message["changes"]);
    const { bids, asks } = sides ?? NO_SIDES;
    if (!Array.isArray(bids) || !Array.isArray(asks)) return "missing-field";
    const { scales } = product;
    const columns = scales.book(bids, asks);
    if (typeof columns === "string") return columns;
    emit(bookEvent(subject, scales, columns, { snapshot }));
    return undefined;
  }

  #match(message: JsonRecord, subject: EventSubject, text: string, emit: Emit): Fault {
    const product = this.#products.of(subject.instrument);
    const tradeId = exactDigits(message["trade_id"], text, TRADE_ID);
    const trade = tradeOf(message, subject, {
      tradeId,
      historical: message["type"] === "last_match",
      sides: MATCH_SIDES,
      scales: product.scales,
    });
    if (typeof trade === "string") return trade;
    emitMatch(product, trade, Number(tradeId), emit);
    return undefined;
  }

  #subscribed({ channels }: JsonRecord, emit: Emit): void {
    if (!Array.isArray(channels)) return reject(emit, "missing-field");
    const listed = (channels as readonly unknown[])
      .filter(isRecord)
      .map(({ name, product_ids: products }) => [name, products] as const);
    emitSubscribed(this.#subscriptions.replace(listed), emit);
    for (const product of this.#products.all()) {
      if (!this.#subscriptions.has("matches", product.instrument.venueSymbol))
        product.lastTradeId = undefined;
    }
  }

  /**
   * The venue may drop messages under load, and says by heartbeats what there should have been. A
   * trade that did not come until the heartbeat after the one that announced it is lost.
   */
  #compareTradeId({ product_id: name, last_trade_id: tradeId }: JsonRecord, emit: Emit): void {
    const instrument = typeof name === "string" ? this.#catalog.byVenueSymbol(name) : undefined;
    const product = instrument === undefined ? undefined : this.#products.known(instrument);
    if (instrument === undefined || product?.lastTradeId === undefined) return;
    if (product.announcedTradeId > product.lastTradeId) {
      product.lastTradeId = product.announcedTradeId;
      rejectOf(emit, "missing-data", instrument, "trades");
    }
    product.announcedTradeId = typeof tradeId === "number" ? tradeId : 0;
  }
}
