import { canonicalDecimal } from "@tickwire/proto/model";
import { CHANNELS, type Channel, type Instrument } from "#core/instrument.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
} from "../feed/feed-adapter.ts";
import { isNotMantissa, ScaleTracker } from "../reading/scale-tracker.ts";
import { emitStates } from "../reading/state-events.ts";

type Emit = (event: FeedEvent) => void;
/** What the venue says that can be done with an instrument. */
const STATES = ["trading", "halted", "delisted"] as const;
type Payload = { readonly [field in PayloadField]?: unknown };
type PayloadField =
  | ("e" | "s" | "c" | "t" | "id" | "p" | "q" | "side" | "b" | "B" | "a" | "A" | "U" | "u" | "i")
  | ("snapshot" | "interval" | "open" | "o" | "h" | "l" | "v" | "n" | "closed" | "Q" | "r")
  | ("next" | "value" | "reason" | "state");
type Known = {
  readonly instrument: Instrument;
  readonly venueTimeUs: number;
  readonly receivedTimeUs: number;
};

/** In 1973: the market has no time before. */
const TIME_US_MIN = 1e14;

const utf8 = new TextDecoder();

/** Turns the frames of the simulated venue into events. */
export class SimulatedDecoder implements FeedDecoder {
  readonly #context: FeedDecoderContext;
  readonly #scales = new Map<Instrument, ScaleTracker>();
  /** Number of the last trade; the venue gives them without a hole. */
  readonly #lastTrades = new Map<Instrument, number>();

  constructor(context: FeedDecoderContext) {
    this.#context = context;
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    let message: Payload | null;
    try {
      message = JSON.parse(typeof frame === "string" ? frame : utf8.decode(frame)) as Payload;
    } catch {
      return reject(emit, "bad-json");
    }
    if (typeof message !== "object" || message === null) return reject(emit, "unknown-message");
    switch (message.e) {
      case "trade":
      case "liquidation":
      case "quote":
      case "book":
      case "candle":
      case "ticker":
      case "mark":
      case "funding":
      case "interest":
        return this.#data(message, receivedTimeUs, emit);
      case "subscribed":
        return this.#acknowledge(message, emit);
      case "state":
        return this.#state(message, emit);
      case "error":
        return refuse(message, emit);
      case "heartbeat":
      case "unsubscribed":
        return emit({ kind: "heartbeat" });
      default:
        return reject(emit, "unknown-message");
    }
  }

  decodeRest(_response: unknown, _receivedTimeUs: number, emit: Emit): void {
    reject(emit, "unknown-message");
  }

  #data(message: Payload, receivedTimeUs: number, emit: Emit): void {
    if (typeof message.s !== "string") return reject(emit, "missing-field");
    const instrument = this.#context.catalog.byVenueSymbol(message.s);
    if (instrument === undefined) return reject(emit, "unknown-instrument");
    if (!isCount(message.t) || message.t < TIME_US_MIN) return reject(emit, "bad-time");
    const known = { instrument, venueTimeUs: message.t, receivedTimeUs };
    let scales = this.#scales.get(instrument);
    if (scales === undefined) this.#scales.set(instrument, (scales = new ScaleTracker()));
    if (message.e === "trade") {
      this.#followTrades(message.id, instrument, emit);
      return decodeTrade(message, known, scales, emit);
    }
    if (message.e === "quote") return decodeQuote(message, known, scales, emit);
    if (message.e === "book") return decodeBook(message, known, scales, emit);
    decodeSlow(message, known, emit);
  }

  /** A hole in the numbers of an instrument's trades is told; one that comes late fills none. */
  #followTrades(id: unknown, instrument: Instrument, emit: Emit): void {
    const number = typeof id === "string" && /^\d{1,15}$/.test(id) ? Number(id) : undefined;
    if (number === undefined) return;
    const last = this.#lastTrades.get(instrument);
    if (last !== undefined && number > last + 1) {
      emit({ kind: "rejected", reason: "missing-data", instrument, channel: "trades" });
    }
    if (last === undefined || number > last) this.#lastTrades.set(instrument, number);
  }

  #acknowledge(message: Payload, emit: Emit): void {
    // What was asked for all instruments at once belongs to no subscription.
    if (message.s === "*") return emit({ kind: "heartbeat" });
    const channel = channelOf(message.c);
    if (typeof message.s !== "string" || channel === undefined) {
      return reject(emit, "missing-field");
    }
    const instrument = this.#context.catalog.byVenueSymbol(message.s);
    // What was traded while nobody had asked for it is not missing.
    if (channel === "trades" && instrument !== undefined) this.#lastTrades.delete(instrument);
    emit({ kind: "subscribed", venueSymbol: message.s, channel });
  }

  #state({ s: venueSymbol, state: word }: Payload, emit: Emit): void {
    const state = STATES.find((each) => each === word);
    if (state === undefined) return reject(emit, "missing-field");
    emitStates([{ venueSymbol, said: { state, stateWord: state } }], this.#context.catalog, emit);
  }
}

function decodeTrade(message: Payload, known: Known, scales: ScaleTracker, emit: Emit): void {
  const { id, side } = message;
  if (typeof id !== "string" || !isSide(side)) return reject(emit, "missing-field");
  const priceMantissa = scales.price(message.p);
  const sizeMantissa = scales.size(message.q);
  if (isNotMantissa(priceMantissa) || isNotMantissa(sizeMantissa)) {
    return reject(emit, "bad-decimal");
  }
  emit({
    kind: "trade",
    instrument: known.instrument,
    venueTimeUs: known.venueTimeUs,
    receivedTimeUs: known.receivedTimeUs,
    priceMantissa,
    priceScale: scales.priceScale,
    sizeMantissa,
    sizeScale: scales.sizeScale,
    aggressorSide: side === "buy" ? "buyer" : "seller",
    tradeId: id,
    historical: false,
  });
}

function decodeQuote(message: Payload, known: Known, scales: ScaleTracker, emit: Emit): void {
  // As two levels: both sides come out at one scale.
  const columns = scales.book([[message.b, message.B]], [[message.a, message.A]]);
  if (typeof columns === "string") return reject(emit, columns);
  emit({
    kind: "quote",
    instrument: known.instrument,
    venueTimeUs: known.venueTimeUs,
    receivedTimeUs: known.receivedTimeUs,
    priceScale: scales.priceScale,
    sizeScale: scales.sizeScale,
    bidPriceMantissa: columns.bids.prices[0] ?? 0,
    bidSizeMantissa: columns.bids.sizes[0] ?? 0,
    askPriceMantissa: columns.asks.prices[0] ?? 0,
    askSizeMantissa: columns.asks.sizes[0] ?? 0,
  });
}

function decodeBook(message: Payload, known: Known, scales: ScaleTracker, emit: Emit): void {
  const { U: firstUpdateId, u: lastUpdateId, b: bids, a: asks } = message;
  if (!isCount(firstUpdateId) || !isCount(lastUpdateId)) return reject(emit, "missing-field");
  if (!Array.isArray(bids) || !Array.isArray(asks)) return reject(emit, "missing-field");
  const columns = scales.book(bids, asks);
  if (typeof columns === "string") {
    const { instrument } = known;
    return emit({ kind: "rejected", reason: columns, instrument, channel: "book" });
  }
  emit({
    kind: "raw-book",
    instrument: known.instrument,
    venueTimeUs: known.venueTimeUs,
    receivedTimeUs: known.receivedTimeUs,
    snapshot: message.snapshot === true,
    source: "in-band",
    firstUpdateId,
    lastUpdateId,
    previousUpdateId: undefined,
    checksum: undefined,
    priceScale: scales.priceScale,
    sizeScale: scales.sizeScale,
    bids: columns.bids,
    asks: columns.asks,
  });
}

function decodeSlow(message: Payload, known: Known, emit: Emit): void {
  const event = slowEvent(message, known);
  if (typeof event === "string") return reject(emit, event);
  emit(event);
}

function slowEvent(message: Payload, known: Known): FeedEvent | RejectReason {
  switch (message.e) {
    case "candle":
      return candleEvent(message, known);
    case "ticker":
      return tickerEvent(message, known);
    case "liquidation": {
      const [price, size] = [decimal(message.p), decimal(message.q)];
      if (price === undefined || size === undefined) return "bad-decimal";
      if (typeof message.id !== "string" || !isSide(message.side)) return "missing-field";
      const aggressorSide = message.side === "buy" ? "buyer" : "seller";
      return {
        kind: "liquidation",
        ...known,
        price,
        size,
        aggressorSide,
        liquidationId: message.id,
      };
    }
    case "mark": {
      const [markPrice, indexPrice] = [decimal(message.p), decimal(message.i)];
      if (markPrice === undefined) return "bad-decimal";
      return { kind: "mark-price", ...known, markPrice, indexPrice };
    }
    case "funding": {
      const rate = decimal(message.r);
      if (rate === undefined) return "bad-decimal";
      if (!isCount(message.next) || !isCount(message.interval)) return "missing-field";
      const { next: nextFundingTimeUs, interval: intervalMs } = message;
      return { kind: "funding", ...known, rate, nextFundingTimeUs, intervalMs };
    }
    default: {
      const [openInterest, openInterestValue] = [decimal(message.q), decimal(message.value)];
      if (openInterest === undefined) return "bad-decimal";
      return { kind: "open-interest", ...known, openInterest, openInterestValue };
    }
  }
}

function candleEvent(message: Payload, known: Known): FeedEvent | RejectReason {
  const { interval: intervalMs, open: openTimeUs, n: tradeCount, closed } = message;
  if (!isCount(intervalMs) || !isCount(openTimeUs) || !isCount(tradeCount)) return "missing-field";
  if (typeof closed !== "boolean") return "missing-field";
  const [open, high, low] = [decimal(message.o), decimal(message.h), decimal(message.l)];
  const [close, volume] = [decimal(message.c), decimal(message.v)];
  if (open === undefined || high === undefined || low === undefined) return "bad-decimal";
  if (close === undefined || volume === undefined) return "bad-decimal";
  const quoteVolume = decimal(message.q);
  const prices = { open, high, low, close, volume, quoteVolume };
  return { kind: "candle", ...known, intervalMs, openTimeUs, ...prices, tradeCount, closed };
}

function tickerEvent(message: Payload, known: Known): FeedEvent | RejectReason {
  const lastPrice = decimal(message.c);
  if (lastPrice === undefined) return "bad-decimal";
  return {
    kind: "ticker",
    ...known,
    lastPrice,
    lastSize: decimal(message.Q),
    openPrice: decimal(message.o),
    highPrice: decimal(message.h),
    lowPrice: decimal(message.l),
    volume: decimal(message.v),
    quoteVolume: decimal(message.q),
    bidPrice: decimal(message.b),
    askPrice: decimal(message.a),
  };
}

function refuse(message: Payload, emit: Emit): void {
  const venueSymbol = typeof message.s === "string" ? message.s : undefined;
  const reason = typeof message.reason === "string" ? message.reason : "unknown";
  emit({ kind: "refused", venueSymbol, channel: channelOf(message.c), reason });
}

function channelOf(name: unknown): Channel | undefined {
  return CHANNELS.find((channel) => channel === name);
}

function isSide(value: unknown): value is "buy" | "sell" {
  return value === "buy" || value === "sell";
}

/** Ids, counts and times: safe integers from 0. */
function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function decimal(text: unknown): string | undefined {
  return typeof text === "string" ? canonicalDecimal(text) : undefined;
}

function reject(emit: Emit, reason: RejectReason): void {
  emit({ kind: "rejected", reason });
}
