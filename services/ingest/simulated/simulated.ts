import { canonicalDecimal } from "@tickwire/proto/model";
import { z } from "zod";
import {
  CHANNELS,
  DERIVATIVE_CHANNELS,
  FEED_CHANNELS,
  type Channel,
  type Instrument,
} from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedAdapter,
  FeedDecoder,
  FeedDecoderContext,
  FeedEndpoints,
  FeedEvent,
  FeedSubscription,
  RejectReason,
} from "../feed/feed-adapter.ts";
import { candleHistory, rowsAt } from "../reading/candle-history.ts";
import { isNotMantissa, ScaleTracker } from "../reading/scale-tracker.ts";
import { parseJson } from "../reading/text-fields.ts";
import { SIMULATED_CANDLES_MAX, SIMULATED_INTERVALS_MS } from "./simulated-candles.ts";

const VENUE = "simulated";
/** Subscriptions named in one request. */
const SUBSCRIPTIONS_PER_FRAME_MAX = 500;
const SUBSCRIPTIONS_PER_CONNECTION_MAX = 5_000;

/**
 * The simulated venue of `services/ingest/simulated`, which has no address: its own dialer and REST
 * client stand in for the network. Its frames are described beside the market that makes them.
 * Books start in-band, with update ids that rise by one, so that a lost frame is noticed.
 */
export const simulated: FeedAdapter = {
  venue: VENUE,
  title: "Simulated market",
  documentation: [],
  channels: FEED_CHANNELS,
  notes: {},
  bookProof: {
    order: "sequence",
    content: "none",
    note: "Every update continues the number of the one before.",
  },
  endpoints: { webSocket: "simulated://market/stream", rest: "simulated://market" },
  limits: {
    subscriptionsPerConnectionMax: SUBSCRIPTIONS_PER_CONNECTION_MAX,
    outgoingFrames: { count: 1_000, intervalMs: 1000 },
    restWeight: { count: 1_000, intervalMs: 1000 },
    connects: { count: 1_000, intervalMs: 1000 },
    silenceMsMax: { "mark-price": 10_000, funding: 10_000 },
    // It sends a heartbeat every 5 s.
    connectionSilenceMsMax: 30_000,
    frameBytesMax: 8 * 1024 * 1024,
    connectionAgeMsMax: undefined,
  },
  bookSync: {
    snapshot: "in-band",
    sequencing: {
      isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? Infinity) <= snapshotUpdateId,
      bridges: (delta, snapshotUpdateId) => delta.firstUpdateId === snapshotUpdateId + 1,
      follows: (delta, lastUpdateId) => delta.firstUpdateId === lastUpdateId + 1,
    },
  },
  instrumentsRequests: (endpoints) => [{ url: `${endpoints.rest}/instruments`, weight: 1 }],
  recordedRequest: (url) => (url.endsWith("/instruments") ? { kind: "instruments" } : undefined),
  candleHistory: candleHistory({
    intervals: new Map(SIMULATED_INTERVALS_MS.map((ms) => [ms, String(ms)])),
    rowsMax: SIMULATED_CANDLES_MAX,
    request: ({ instrument, name, fromMs, lastMs }, endpoints) => {
      const query = `symbol=${instrument.venueSymbol}&interval=${name}&from=${fromMs}&to=${lastMs + 1}`;
      return { url: `${endpoints.rest}/candles?${query}`, weight: 1 };
    },
    rowsOf: rowsAt("candles"),
    columnsOf: () => ({
      openTime: 0,
      open: 1,
      high: 2,
      low: 3,
      close: 4,
      volume: 5,
      quoteVolume: 6,
      tradeCount: 7,
    }),
  }),
  parseInstruments,
  deriveInstrument,
  planConnections,
  subscribeFrames: (subscriptions) => requestFrames("subscribe", subscriptions),
  unsubscribeFrames: (subscriptions) => requestFrames("unsubscribe", subscriptions),
  createDecoder: (context) => new SimulatedDecoder(context),
};

const instrumentSchema = z.object({
  symbol: z.string().regex(/^[A-Z0-9]+-[A-Z]+(-PERP)?$/),
  kind: z.enum(["spot", "perpetual"]),
  priceScale: z.number().int().min(0).max(18),
  sizeScale: z.number().int().min(0).max(18),
});
const listSchema = z.object({ instruments: z.array(z.unknown()) });

function parseInstruments(body: string): ReturnType<FeedAdapter["parseInstruments"]> {
  const list = listSchema.safeParse(parseJson(body));
  if (!list.success) return undefined;
  const instruments = new Map<string, Instrument>();
  for (const entry of list.data.instruments) {
    const parsed = instrumentSchema.safeParse(entry);
    const derived = parsed.success ? deriveInstrument(parsed.data.symbol) : undefined;
    if (!parsed.success || derived === undefined || derived.kind !== parsed.data.kind) continue;
    instruments.set(derived.symbol, {
      ...derived,
      priceIncrement: unitOf(parsed.data.priceScale),
      sizeIncrement: unitOf(parsed.data.sizeScale),
    });
  }
  const skipped = list.data.instruments.length - instruments.size;
  return { instruments: [...instruments.values()], skipped };
}

/** "0.01" for a scale of 2. */
function unitOf(scale: number): string {
  return scale === 0 ? "1" : `0.${"0".repeat(scale - 1)}1`;
}

/** The simulated venue writes symbols as Tickwire does. */
function deriveInstrument(venueSymbol: string): Instrument | undefined {
  const match = /^([A-Z0-9]+)-([A-Z]+)(-PERP)?$/.exec(venueSymbol);
  if (match === null) return undefined;
  const [, base = "", quote = "", perpetual] = match;
  const kind = perpetual === undefined ? "spot" : "perpetual";
  const symbol = venueSymbol;
  return { venue: VENUE, symbol, venueSymbol, kind, base, quote, settle: quote, inverse: false };
}

/** What only a derivative has is not asked for on spot instruments: the venue would refuse it. */
function planConnections(
  wanted: readonly FeedSubscription[],
  endpoints: FeedEndpoints,
): readonly ConnectionPlan[] {
  const subscriptions = wanted.filter(
    ({ instrument, channel }) =>
      instrument.kind === "perpetual" || !DERIVATIVE_CHANNELS.has(channel),
  );
  const plans: ConnectionPlan[] = [];
  for (let start = 0; start < subscriptions.length; start += SUBSCRIPTIONS_PER_CONNECTION_MAX) {
    const part = subscriptions.slice(start, start + SUBSCRIPTIONS_PER_CONNECTION_MAX);
    plans.push({ url: endpoints.webSocket, subscriptions: part });
  }
  return plans;
}

function requestFrames(op: string, subscriptions: readonly FeedSubscription[]): readonly string[] {
  const frames: string[] = [];
  for (let start = 0; start < subscriptions.length; start += SUBSCRIPTIONS_PER_FRAME_MAX) {
    const part = subscriptions.slice(start, start + SUBSCRIPTIONS_PER_FRAME_MAX);
    const channels = part.map(({ instrument, channel }) => [instrument.venueSymbol, channel]);
    frames.push(JSON.stringify({ op, channels }));
  }
  return frames;
}

type Emit = (event: FeedEvent) => void;
type Payload = { readonly [field in PayloadField]?: unknown };
type PayloadField =
  | ("e" | "s" | "c" | "t" | "id" | "p" | "q" | "side" | "b" | "B" | "a" | "A" | "U" | "u" | "i")
  | ("snapshot" | "interval" | "open" | "o" | "h" | "l" | "v" | "n" | "closed" | "Q" | "r")
  | ("next" | "value" | "reason");
type Known = {
  readonly instrument: Instrument;
  readonly venueTimeUs: number;
  readonly receivedTimeUs: number;
};

/** In 1973: the market has no time before. */
const TIME_US_MIN = 1e14;

const utf8 = new TextDecoder();

class SimulatedDecoder implements FeedDecoder {
  readonly #context: FeedDecoderContext;
  readonly #scales = new Map<Instrument, ScaleTracker>();

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
        return acknowledge(message, emit);
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
    if (message.e === "trade") return decodeTrade(message, known, scales, emit);
    if (message.e === "quote") return decodeQuote(message, known, scales, emit);
    if (message.e === "book") return decodeBook(message, known, scales, emit);
    decodeSlow(message, known, emit);
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

function acknowledge(message: Payload, emit: Emit): void {
  const channel = channelOf(message.c);
  if (typeof message.s !== "string" || channel === undefined) return reject(emit, "missing-field");
  emit({ kind: "subscribed", venueSymbol: message.s, channel });
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
