// https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
// https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/notation
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { JsonTape, MISSING } from "#core/json-tape.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { readTradeValues } from "../../reading/event-values.ts";
import { textOfFrame } from "../../reading/frame-text.ts";
import {
  type HyperliquidEventCommon,
  readHyperliquidCandle,
  readHyperliquidContext,
  readHyperliquidQuote,
} from "./readings.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { millisecondsTimeUs } from "../../reading/text-fields.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** What a subscription of the venue gives. */
export type HyperliquidType = "trades" | "l2Book" | "bbo" | "candle" | "activeAssetCtx";

/** What is published of a subscription, the first being the one that damage is told of. */
const CHANNELS_OF: Readonly<Record<HyperliquidType, readonly [Channel, ...Channel[]]>> = {
  trades: ["trades"],
  l2Book: ["book"],
  bbo: ["quotes"],
  candle: ["candles"],
  activeAssetCtx: ["ticker", "funding", "mark-price", "open-interest"],
};

/** Spot answers under a name of its own to the same subscription. */
const TYPE_OF_CHANNEL: Readonly<Record<string, HyperliquidType>> = {
  trades: "trades",
  l2Book: "l2Book",
  bbo: "bbo",
  candle: "candle",
  activeAssetCtx: "activeAssetCtx",
  activeSpotAssetCtx: "activeAssetCtx",
};

const LEVELS = { price: "px", size: "sz" };
/** Said once in plain text to whoever connects. */
const GREETING = "Websocket connection established.";

/** Reads one connection. Numbers are strings; times and ids are integers, read by their text. */
export class HyperliquidDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  readonly #tape = new JsonTape();
  readonly #trackers = new Map<Instrument, ScaleTracker>();
  readonly #candles = new CandleCloser();
  /** Instruments whose first message of trades, which are old ones, has been. */
  readonly #begun = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    if (text === GREETING) {
      emit({ kind: "heartbeat" });
      return;
    }
    const tape = this.#tape;
    if (!tape.scan(text)) {
      this.#rejectDamaged(text, emit);
      return;
    }
    const channel = tape.isObject(0) ? tape.text(tape.get(0, "channel")) : undefined;
    const type = channel === undefined ? undefined : typeOfChannel(channel);
    if (type !== undefined) {
      this.#data(type, tape.get(0, "data"), receivedTimeUs, emit);
    } else if (channel === "pong" || channel === "allMids") {
      emit({ kind: "heartbeat" });
    } else if (channel === "subscriptionResponse") {
      this.#acknowledged(tape.get(0, "data"), emit);
    } else if (channel === "error") {
      this.#refused(tape.text(tape.get(0, "data")) ?? "refused", emit);
    } else {
      emit({ kind: "rejected", reason: "unknown-message" });
    }
  }

  /** Recent trades, each of which names its instrument. */
  decodeRest({ body }: RestResponse, receivedTimeUs: number, emit: Emit): void {
    if (!this.#tape.scan(body)) emit({ kind: "rejected", reason: "bad-json" });
    else if (!this.#tape.isArray(0)) emit({ kind: "rejected", reason: "unknown-message" });
    else this.#trades(0, { isLive: true, receivedTimeUs }, emit);
  }

  #data(type: HyperliquidType, data: number, receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    if (type === "trades") {
      if (tape.isArray(data)) this.#trades(data, { isLive: false, receivedTimeUs }, emit);
      else emit({ kind: "rejected", reason: "missing-field" });
      return;
    }
    // Candles are documented as a list and come one by one.
    if (type === "candle" && tape.isArray(data)) {
      for (let item = tape.first(data); item !== MISSING; item = tape.next(item)) {
        this.#item(type, item, receivedTimeUs, emit);
      }
      return;
    }
    this.#item(type, data, receivedTimeUs, emit);
  }

  #item(
    type: Exclude<HyperliquidType, "trades">,
    item: number,
    receivedTimeUs: number,
    emit: Emit,
  ): void {
    const instrument = this.#instrumentOf(item, type === "candle" ? "s" : "coin", emit);
    if (instrument === undefined) return;
    const reason = this.#read(type, item, instrument, receivedTimeUs, emit);
    if (reason === undefined) return;
    // The next message is a whole book again: nothing has to begin anew.
    if (type === "l2Book") emit({ kind: "rejected", reason, instrument });
    else emit({ kind: "rejected", reason, instrument, channel: CHANNELS_OF[type][0] });
  }

  #read(
    type: Exclude<HyperliquidType, "trades">,
    item: number,
    instrument: Instrument,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    const tape = this.#tape;
    if (type === "candle") {
      const common = { instrument, venueTimeUs: undefined, receivedTimeUs };
      return readHyperliquidCandle(tape, item, common, (candle) =>
        this.#candles.take(candle, emit),
      );
    }
    const venueTimeUs = millisecondsTimeUs(this.#text(item, "time"));
    if (isBadTime(venueTimeUs)) return "bad-time";
    const common = { instrument, venueTimeUs, receivedTimeUs };
    if (type === "l2Book") return this.#book(item, common, emit);
    if (type === "bbo") {
      return readHyperliquidQuote(tape, item, this.#tracker(instrument), common, emit);
    }
    return readHyperliquidContext(tape, tape.get(item, "ctx"), common, emit);
  }

  /** Always the whole of the best 20 levels. */
  #book(item: number, common: HyperliquidEventCommon, emit: Emit): RejectReason | undefined {
    const tape = this.#tape;
    const levels = tape.get(item, "levels");
    const sides = { bids: tape.at(levels, 0), asks: tape.at(levels, 1) };
    if (!tape.isArray(sides.bids) || !tape.isArray(sides.asks)) return "missing-field";
    const tracker = this.#tracker(common.instrument);
    const columns = tracker.bookFromTape(tape, sides, LEVELS);
    if (typeof columns === "string") return columns;
    emit({
      kind: "raw-book",
      ...common,
      snapshot: true,
      source: "in-band",
      firstUpdateId: undefined,
      lastUpdateId: undefined,
      previousUpdateId: undefined,
      checksum: undefined,
      priceScale: tracker.priceScale,
      sizeScale: tracker.sizeScale,
      bids: columns.bids,
      asks: columns.asks,
    });
    return undefined;
  }

  /** Old trades begin with the newest; what leaves here begins with the oldest. */
  #trades(
    list: number,
    { isLive, receivedTimeUs }: { readonly isLive: boolean; readonly receivedTimeUs: number },
    emit: Emit,
  ): void {
    const tape = this.#tape;
    const items: number[] = [];
    for (let item = tape.first(list); item !== MISSING; item = tape.next(item)) items.push(item);
    const [first, last] = [items[0], items.at(-1)];
    if (first !== undefined && last !== undefined) {
      const timeOf = (item: number): number => tape.number(tape.get(item, "time"));
      if (timeOf(first) > timeOf(last)) items.reverse();
    }
    const beginning: Instrument[] = [];
    for (const item of items) {
      const instrument = this.#instrumentOf(item, "coin", emit);
      if (instrument === undefined) continue;
      if (!isLive && !this.#begun.has(instrument)) {
        this.#begun.add(instrument);
        beginning.push(instrument);
      }
      const historical = beginning.includes(instrument);
      const reason = this.#trade(item, { instrument, receivedTimeUs }, historical, emit);
      if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel: "trades" });
    }
  }

  #trade(
    item: number,
    about: Omit<HyperliquidEventCommon, "venueTimeUs">,
    historical: boolean,
    emit: Emit,
  ): RejectReason | undefined {
    const side = this.#text(item, "side");
    const tradeId = this.#text(item, "tid");
    if ((side !== "A" && side !== "B") || tradeId === undefined) return "missing-field";
    const venueTimeUs = millisecondsTimeUs(this.#text(item, "time"));
    if (isBadTime(venueTimeUs)) return "bad-time";
    const tracker = this.#tracker(about.instrument);
    const values = readTradeValues(tracker, this.#text(item, "px"), this.#text(item, "sz"));
    if (typeof values === "string") return values;
    const aggressorSide = side === "B" ? "buyer" : "seller";
    const common = { ...about, venueTimeUs };
    emit({ kind: "trade", ...common, ...values, aggressorSide, tradeId, historical });
    return undefined;
  }

  #acknowledged(data: number, emit: Emit): void {
    const subscription = this.#tape.get(data, "subscription");
    const venueSymbol = this.#text(subscription, "coin");
    const type = typeOf(this.#text(subscription, "type"));
    const isNew = this.#text(data, "method") === "subscribe";
    if (!isNew || venueSymbol === undefined || type === undefined) {
      emit({ kind: "heartbeat" });
      return;
    }
    const instrument = this.#catalog.byVenueSymbol(venueSymbol);
    if (type === "trades" && instrument !== undefined) this.#begun.delete(instrument);
    for (const channel of CHANNELS_OF[type]) emit({ kind: "subscribed", venueSymbol, channel });
  }

  /** The subscription is quoted in the error's text. */
  #refused(reason: string, emit: Emit): void {
    if (/already (un)?subscribed/i.test(reason)) {
      emit({ kind: "heartbeat" });
      return;
    }
    const venueSymbol = /"coin"\s*:\s*"([^"]+)"/.exec(reason)?.[1];
    const type = typeOf(/"type"\s*:\s*"([A-Za-z0-9]+)"/.exec(reason)?.[1]);
    const channels = type === undefined ? [undefined] : CHANNELS_OF[type];
    for (const channel of channels) emit({ kind: "refused", venueSymbol, channel, reason });
  }

  /** A book is whole again with the next message; of anything else it matters what was lost. */
  #rejectDamaged(text: string, emit: Emit): void {
    const type = typeOfChannel(/"channel"\s*:\s*"([A-Za-z0-9]+)"/.exec(text)?.[1] ?? "");
    const coin = /"(?:coin|s)"\s*:\s*"([^"\\]+)"/.exec(text)?.[1];
    const instrument = coin === undefined ? undefined : this.#catalog.byVenueSymbol(coin);
    if (type === undefined || type === "l2Book" || instrument === undefined) {
      emit({ kind: "rejected", reason: "bad-json" });
    } else {
      const channel = CHANNELS_OF[type][0];
      emit({ kind: "rejected", reason: "bad-json", instrument, channel });
    }
  }

  #instrumentOf(item: number, key: string, emit: Emit): Instrument | undefined {
    const coin = this.#text(item, key);
    const instrument = coin === undefined ? undefined : this.#catalog.byVenueSymbol(coin);
    if (instrument === undefined) {
      const reason = coin === undefined ? "missing-field" : "unknown-instrument";
      emit({ kind: "rejected", reason });
    }
    return instrument;
  }

  #tracker(instrument: Instrument): ScaleTracker {
    let tracker = this.#trackers.get(instrument);
    if (tracker === undefined) {
      tracker = new ScaleTracker();
      this.#trackers.set(instrument, tracker);
    }
    return tracker;
  }

  #text(item: number, key: string): string | undefined {
    return this.#tape.text(this.#tape.get(item, key));
  }
}

function typeOfChannel(channel: string): HyperliquidType | undefined {
  return Object.hasOwn(TYPE_OF_CHANNEL, channel) ? TYPE_OF_CHANNEL[channel] : undefined;
}

function typeOf(name: string | undefined): HyperliquidType | undefined {
  return name !== undefined && Object.hasOwn(CHANNELS_OF, name)
    ? (name as HyperliquidType)
    : undefined;
}
