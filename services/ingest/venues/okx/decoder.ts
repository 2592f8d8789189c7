// https://www.okx.com/docs-v5/en/#order-book-trading-market-data-ws-order-book-channel
// https://www.okx.com/docs-v5/en/#public-data-websocket-liquidation-orders-channel
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { readQuoteValues, readTradeValues } from "../../reading/event-values.ts";
import { textOfFrame } from "../../reading/frame-text.ts";
import { OkxAnswers } from "./answers.ts";
import {
  type EventCommon,
  readOkxCandle,
  readOkxFunding,
  readOkxLiquidation,
  readOkxOpenInterest,
  readOkxTicker,
} from "./readings.ts";
import { channelOfOkx, NOT_PUBLISHED_BY_OKX, okxCandleIntervalMs } from "./requests.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import {
  decimalText,
  isRecord,
  isUpdateId,
  type JsonRecord,
  millisecondsTimeUs,
  parseJson,
} from "../../reading/text-fields.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** Index prices that are remembered; far more than the venue has. */
const INDEXES_MAX = 10_000;

/** The item of a message that is read, and what it belongs to. */
type Item = {
  readonly venueChannel: string;
  readonly instrument: Instrument;
  readonly action: unknown;
  readonly receivedTimeUs: number;
};

/**
 * Decodes one connection, public or business. Numbers are strings all along, so the built-in reader
 * of JSON loses nothing.
 */
export class OkxDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #answers: OkxAnswers;
  /** The channel that an instrument's book is taken from, should there be several. */
  readonly #bookChannels = new Map<Instrument, string>();
  readonly #scales = new Map<Instrument, ScaleTracker>();
  /** The last price of each index, which belongs to many instruments. */
  readonly #indexPrices = new Map<string, string>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#answers = new OkxAnswers(context.catalog);
  }

  sent(frame: string): void {
    this.#answers.sent(frame);
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    if (text === "pong") {
      emit({ kind: "heartbeat" });
      return;
    }
    const message = parseJson(text);
    if (message === undefined) {
      this.#rejectDamaged(text, emit);
      return;
    }
    if (!isRecord(message)) {
      emit({ kind: "rejected", reason: "unknown-message" });
      return;
    }
    if (message["event"] !== undefined) {
      this.#answers.read(message, receivedTimeUs, emit);
      return;
    }
    this.#data(message, receivedTimeUs, emit);
  }

  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    if (!/\/api\/v5\/market\/trades\?/.test(response.url)) {
      emit({ kind: "rejected", reason: "unknown-message" });
      return;
    }
    const answer = parseJson(response.body);
    if (answer === undefined) {
      emit({ kind: "rejected", reason: "bad-json" });
      return;
    }
    const data = isRecord(answer) ? answer["data"] : undefined;
    if (!Array.isArray(data)) {
      emit({ kind: "rejected", reason: "missing-field" });
      return;
    }
    // The latest trade comes first.
    for (const item of (data as readonly unknown[]).toReversed()) {
      const instId = isRecord(item) ? item["instId"] : undefined;
      this.#item(item, { channel: "trades", instId }, undefined, receivedTimeUs, emit);
    }
  }

  #data(message: JsonRecord, receivedTimeUs: number, emit: Emit): void {
    const { arg: argument, data, action } = message;
    if (!isRecord(argument) || !Array.isArray(data)) {
      emit({ kind: "rejected", reason: "unknown-message" });
      return;
    }
    for (const item of data as readonly unknown[]) {
      this.#item(item, argument, action, receivedTimeUs, emit);
    }
  }

  #item(
    item: unknown,
    argument: JsonRecord,
    action: unknown,
    receivedTimeUs: number,
    emit: Emit,
  ): void {
    const venueChannel = argument["channel"];
    if (venueChannel === "index-tickers") {
      this.#index(item, emit);
      return;
    }
    const channel = typeof venueChannel === "string" ? channelOfOkx(venueChannel) : undefined;
    if (
      typeof venueChannel === "string" &&
      channel === undefined &&
      NOT_PUBLISHED_BY_OKX.test(venueChannel)
    ) {
      emit({ kind: "heartbeat" });
      return;
    }
    if (typeof venueChannel !== "string" || channel === undefined) {
      emit({ kind: "rejected", reason: "unknown-message" });
      return;
    }
    // Books do not repeat the name in each item, liquidations have it only there.
    const instId = argument["instId"] ?? (isRecord(item) ? item["instId"] : undefined);
    if (typeof instId !== "string") {
      emit({ kind: "rejected", reason: "missing-field" });
      return;
    }
    const instrument = this.#catalog.byVenueSymbol(instId);
    if (instrument === undefined) {
      emit({ kind: "rejected", reason: "unknown-instrument" });
      return;
    }
    const reason = this.#read(item, { venueChannel, instrument, action, receivedTimeUs }, emit);
    if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel });
  }

  #read(item: unknown, about: Item, emit: Emit): RejectReason | undefined {
    const { venueChannel, instrument, receivedTimeUs } = about;
    const intervalMs = okxCandleIntervalMs(venueChannel);
    if (intervalMs !== undefined) {
      const common = { instrument, venueTimeUs: undefined, receivedTimeUs };
      return readOkxCandle(item, { ...common, intervalMs }, emit);
    }
    if (!isRecord(item)) return "missing-field";
    const venueTimeUs = millisecondsTimeUs(item["ts"]);
    if (isBadTime(venueTimeUs)) return "bad-time";
    const common = { instrument, venueTimeUs, receivedTimeUs };
    switch (venueChannel) {
      case "trades":
      case "trades-all":
        return this.#trade(item, common, venueChannel, emit);
      case "bbo-tbt":
        return this.#quote(item, common, emit);
      case "tickers":
        return readOkxTicker(item, common, emit);
      case "funding-rate":
        return readOkxFunding(item, common, emit);
      case "mark-price":
        return this.#markPrice(item, common, emit);
      case "open-interest":
        return readOkxOpenInterest(item, common, emit);
      case "liquidation-orders":
        return readOkxLiquidation(item, common, emit);
      default:
        return this.#book(item, common, about, emit);
    }
  }

  #book(item: JsonRecord, common: EventCommon, about: Item, emit: Emit): RejectReason | undefined {
    const { bids, asks, seqId, prevSeqId, checksum } = item;
    if (!Array.isArray(bids) || !Array.isArray(asks)) return "missing-field";
    // Recordings from before 2023 have no numbers at all.
    if (seqId !== undefined && !isUpdateId(seqId)) return "missing-field";
    if (prevSeqId !== undefined && !isUpdateId(prevSeqId)) return "missing-field";
    if (checksum !== undefined && !isUpdateId(checksum)) return "missing-field";
    // The channel of five levels always sends all of them.
    const snapshot = about.venueChannel === "books5" || about.action === "snapshot";
    if (!snapshot && about.action !== "update") return "missing-field";
    if (!this.#isBookOf(common.instrument, about.venueChannel, snapshot)) {
      emit({ kind: "heartbeat" });
      return undefined;
    }
    const scales = this.#scalesOf(common.instrument);
    const columns = scales.book(bids, asks);
    if (typeof columns === "string") return columns;
    emit({
      kind: "raw-book",
      ...common,
      snapshot,
      source: "in-band",
      firstUpdateId: undefined,
      lastUpdateId: seqId,
      previousUpdateId: snapshot ? undefined : prevSeqId,
      // Always 0 since the venue gave checksums up.
      checksum: checksum === 0 ? undefined : checksum,
      priceScale: scales.priceScale,
      sizeScale: scales.sizeScale,
      bids: columns.bids,
      asks: columns.asks,
    });
    return undefined;
  }

  /**
   * True for the first channel that told of a book: mixed with another, numbers would not follow
   * each other. Five levels give way to more.
   */
  #isBookOf(instrument: Instrument, venueChannel: string, snapshot: boolean): boolean {
    const known = this.#bookChannels.get(instrument);
    if (known === venueChannel) return true;
    if (known !== undefined && (known !== "books5" || !snapshot)) return false;
    this.#bookChannels.set(instrument, venueChannel);
    return true;
  }

  /** The side is the taker's. */
  #trade(
    item: JsonRecord,
    common: EventCommon,
    venueChannel: string,
    emit: Emit,
  ): RejectReason | undefined {
    const { side, tradeId } = item;
    if ((side !== "buy" && side !== "sell") || typeof tradeId !== "string") return "missing-field";
    const values = readTradeValues(this.#scalesOf(common.instrument), item["px"], item["sz"]);
    if (typeof values === "string") return values;
    emit({
      kind: "trade",
      ...common,
      ...values,
      aggressorSide: side === "buy" ? "buyer" : "seller",
      tradeId,
      historical: this.#answers.isHistory(venueChannel, common.instrument, common.venueTimeUs),
    });
    return undefined;
  }

  #quote(item: JsonRecord, common: EventCommon, emit: Emit): RejectReason | undefined {
    const { bids, asks } = item;
    if (!Array.isArray(bids) || !Array.isArray(asks)) return "missing-field";
    const bid = bestOf(bids);
    const ask = bestOf(asks);
    if (bid === undefined || ask === undefined) return "missing-field";
    const values = readQuoteValues(this.#scalesOf(common.instrument), bid, ask);
    if (typeof values === "string") return values;
    emit({ kind: "quote", ...common, ...values });
    return undefined;
  }

  #markPrice(item: JsonRecord, common: EventCommon, emit: Emit): RejectReason | undefined {
    const markPrice = decimalText(item["markPx"]);
    if (markPrice === undefined) return "bad-decimal";
    const { base, quote } = common.instrument;
    const indexPrice = this.#indexPrices.get(`${base}-${quote}`);
    emit({ kind: "mark-price", ...common, markPrice, indexPrice });
    return undefined;
  }

  /** Kept for the mark prices that follow: the venue tells of both on channels of their own. */
  #index(item: unknown, emit: Emit): void {
    const { instId, idxPx } = isRecord(item) ? item : {};
    const price = decimalText(idxPx);
    if (typeof instId !== "string" || price === undefined) {
      emit({ kind: "rejected", reason: "missing-field" });
      return;
    }
    if (this.#indexPrices.size < INDEXES_MAX || this.#indexPrices.has(instId)) {
      this.#indexPrices.set(instId, price);
    }
    emit({ kind: "heartbeat" });
  }

  #scalesOf(instrument: Instrument): ScaleTracker {
    let scales = this.#scales.get(instrument);
    if (scales === undefined) {
      scales = new ScaleTracker();
      this.#scales.set(instrument, scales);
    }
    return scales;
  }

  /**
   * The numbers of a book would show the hole with the next message, which may take a minute: what
   * the frame was about is looked for in what is left of it.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const venueChannel = /"channel"\s*:\s*"([a-z0-9-]+)"/.exec(text)?.[1];
    const instId = /"instId"\s*:\s*"([^"\\]+)"/.exec(text)?.[1];
    const channel = venueChannel === undefined ? undefined : channelOfOkx(venueChannel);
    const instrument = instId === undefined ? undefined : this.#catalog.byVenueSymbol(instId);
    if (channel === undefined || instrument === undefined) {
      emit({ kind: "rejected", reason: "bad-json" });
    } else {
      emit({ kind: "rejected", reason: "bad-json", instrument, channel });
    }
  }
}

/** The best level of a side; without texts where the side is empty, undefined if it is none. */
function bestOf(levels: readonly unknown[]): { price: unknown; size: unknown } | undefined {
  const [best] = levels;
  if (best === undefined) return { price: undefined, size: undefined };
  if (!Array.isArray(best)) return undefined;
  const [price, size] = best as readonly unknown[];
  return { price, size };
}
