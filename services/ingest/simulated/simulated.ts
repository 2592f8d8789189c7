import { z } from "zod";
import { DERIVATIVE_CHANNELS, FEED_CHANNELS, type Instrument } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedAdapter,
  FeedEndpoints,
  FeedSubscription,
} from "../feed/feed-adapter.ts";
import { candleHistory, rowsAt } from "../reading/candle-history.ts";
import { parseJson } from "../reading/text-fields.ts";
import { SIMULATED_CANDLES_MAX, SIMULATED_INTERVALS_MS } from "./simulated-candles.ts";
import { SimulatedDecoder } from "./simulated-decoder.ts";

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
  recordedRequest: (url) => (url.endsWith("/instruments") ? { kind: "instruments" } : undefined),
  parseInstruments,
  deriveInstrument,
  planConnections,
  marketFrames: () => ['{"op":"subscribe","channels":[["*","states"]]}'],
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
