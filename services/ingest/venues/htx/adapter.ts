// HTX, spot and linear contracts (those that are settled in what they are quoted in).
// https://www.htx.com/en-us/opend/newApiPages/?id=7ec4d0b5-7773-11ed-9966-0242ac110003
// https://www.htx.com/en-us/opend/newApiPages/?id=8cb7e25d-77b5-11ed-9966-0242ac110003
// https://www.htx.com/en-us/opend/newApiPages/?id=8cb7d626-77b5-11ed-9966-0242ac110003
import type { Channel, Instrument } from "#core/instrument.ts";
import type {
  BookSequencing,
  BookSync,
  ConnectionPlan,
  FeedAdapter,
  FeedEndpoints,
  FeedLimits,
  FeedSubscribeOptions,
  FeedSubscription,
  RestRequest,
} from "../../feed/feed-adapter.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { HtxDecoder } from "./decoder.ts";
import { deriveHtxInstrument, HTX, parseHtxInstruments } from "./instruments.ts";
import { INDEX_KIND } from "./fields.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";

const LIMITS: FeedLimits = {
  // Guesses: the venue publishes no limit of topics or connects for public feeds.
  subscriptionsPerConnectionMax: 100,
  // Spot takes a request for a book every 100 ms; subscriptions have no limit.
  outgoingFrames: { count: 1, intervalMs: 100 },
  connects: { count: 10, intervalMs: 10_000 },
  // Contracts allow 240 requests in three seconds to an address, spot ten a second.
  restWeight: { count: 8, intervalMs: 1000 },
  // A guess: changes are sent when there are any, and most pairs are small.
  silenceMsMax: { book: 300_000 },
  // The venue pings every five seconds.
  connectionSilenceMsMax: 30_000,
  connectionAgeMsMax: undefined,
};

/** Each change names the number of the one before it. */
const SEQUENCING: BookSequencing = {
  isCovered: (delta, snapshotUpdateId) => (delta.lastUpdateId ?? Infinity) <= snapshotUpdateId,
  bridges: (delta, snapshotUpdateId) => {
    const { previousUpdateId = Infinity, lastUpdateId = 0 } = delta;
    return previousUpdateId <= snapshotUpdateId && snapshotUpdateId < lastUpdateId;
  },
  follows: (delta, lastUpdateId) => delta.previousUpdateId === lastUpdateId,
};

const SPOT_SYNC: BookSync = { snapshot: "request", sequencing: SEQUENCING };
const CONTRACT_SYNC: BookSync = { snapshot: "in-band", sequencing: SEQUENCING };

/** Every pair has 150 levels; the pages promise 400 for the largest only. */
const SPOT_BOOK = "mbp.150";

/** Where a channel is had, and by what name. */
type Source = { readonly path: string; readonly kind: string };

const SPOT: Partial<Record<Channel, Source>> = {
  trades: { path: "/ws", kind: "trade.detail" },
  quotes: { path: "/ws", kind: "bbo" },
  book: { path: "/feed", kind: SPOT_BOOK },
  ticker: { path: "/ws", kind: "detail" },
  candles: { path: "/ws", kind: "kline.1min" },
};

const CONTRACTS: Partial<Record<Channel, Source>> = {
  trades: { path: "/linear-swap-ws", kind: "trade.detail" },
  quotes: { path: "/linear-swap-ws", kind: "bbo" },
  book: { path: "/linear-swap-ws", kind: "depth.size_150.high_freq" },
  ticker: { path: "/linear-swap-ws", kind: "detail" },
  candles: { path: "/linear-swap-ws", kind: "kline.1min" },
  funding: { path: "/linear-swap-notification", kind: "funding_rate" },
  "mark-price": { path: "/ws_index", kind: "mark_price.1min" },
  liquidations: { path: "/linear-swap-notification", kind: "liquidation_orders" },
};

/** HTX spot and linear contracts. Coin-margined contracts and options are not read. */
export const htx: FeedAdapter = {
  venue: HTX,
  title: "HTX spot and linear contracts",
  documentation: [
    "https://www.htx.com/en-us/opend/newApiPages/?id=7ec4d0b5-7773-11ed-9966-0242ac110003",
    "https://www.htx.com/en-us/opend/newApiPages/?id=8cb7e25d-77b5-11ed-9966-0242ac110003",
    "https://www.htx.com/en-us/opend/newApiPages/?id=8cb7d626-77b5-11ed-9966-0242ac110003",
  ],
  channels: [
    "trades",
    "quotes",
    "book",
    "ticker",
    "candles",
    "funding",
    "mark-price",
    "open-interest",
    "liquidations",
  ],
  notes: {
    trades:
      "The pages say that contracts count both sides: their sizes are then twice the trade's.",
    book: "150 levels a side, every 100 ms on spot.",
    ticker: "Contracts count their volume in contracts.",
    candles: "One minute. A candle is told as closed when the next one begins.",
    funding: "Perpetual contracts only.",
    "mark-price":
      "The last price of the minute's candle of mark prices, and the index price told before it.",
    "open-interest": "By REST, every 30 seconds.",
    liquidations: "The price is the bankruptcy price.",
  },
  bookProof: {
    order: "sequence",
    content: "none",
    note: "Every change names the number of the one before; a wrong number is not noticed.",
  },
  endpoints: {
    webSocket: "wss://api.huobi.pro",
    rest: "https://api.huobi.pro",
    derivativesWebSocket: "wss://api.hbdm.com",
    derivativesRest: "https://api.hbdm.com",
  },
  limits: LIMITS,
  bookSync: SPOT_SYNC,
  bookSyncOf: ({ kind }) => (kind === "spot" ? SPOT_SYNC : CONTRACT_SYNC),
  instrumentsRequests: (endpoints) => [
    get(endpoints.rest, "/v1/settings/common/market-symbols"),
    get(derivativesRest(endpoints), "/linear-swap-api/v1/swap_contract_info?business_type=all"),
  ],
  recordedRequest: recordedRequestOf([
    {
      kind: "instruments",
      path: /\/v1\/common\/symbols$|\/v1\/settings\/common\/market-symbols$|\/linear-swap-api\/v1\/swap_contract_info$/,
    },
    {
      kind: "poll",
      channel: "open-interest",
      path: /\/linear-swap-api\/v1\/swap_open_interest$/,
    },
    {
      kind: "trades",
      path: /\/linear-swap-ex\/market\/history\/trade$/,
      symbolIn: "contract_code",
    },
    { kind: "trades", path: /\/market\/history\/trade$/, symbolIn: "symbol" },
  ]),
  parseInstruments: parseHtxInstruments,
  deriveInstrument: (venueSymbol) => deriveHtxInstrument(venueSymbol),
  planConnections: plan,
  subscribeFrames: (wanted, options) => frames("sub", wanted, options),
  unsubscribeFrames: (wanted, options) => frames("unsub", wanted, options),
  snapshotFrames: ({ venueSymbol }, { requestId }) => [
    JSON.stringify({ req: `market.${venueSymbol}.${SPOT_BOOK}`, id: String(requestId) }),
  ],
  polls: [
    {
      channel: "open-interest",
      intervalMs: 30_000,
      // Of all contracts at once.
      requests: (instruments, endpoints) =>
        instruments.some(({ kind }) => kind !== "spot")
          ? [
              get(
                derivativesRest(endpoints),
                "/linear-swap-api/v1/swap_open_interest?business_type=all",
              ),
            ]
          : [],
    },
  ],
  tradesRequest: ({ kind, venueSymbol }, { endpoints }) =>
    kind === "spot"
      ? get(endpoints.rest, `/market/history/trade?symbol=${query(venueSymbol)}&size=2000`)
      : get(
          derivativesRest(endpoints),
          `/linear-swap-ex/market/history/trade?contract_code=${query(venueSymbol)}&size=2000`,
        ),
  serverTimeRequest: (endpoints) => get(endpoints.rest, "/v1/common/timestamp"),
  parseServerTimeUs: (body) => {
    const text = /"data"\s*:\s*(\d{13})\b/.exec(body)?.[1];
    return text === undefined ? undefined : Number(text) * 1000;
  },
  createDecoder: (context) => new HtxDecoder(context),
};

/** Undefined where the instrument does not have the channel, or it is polled. */
function sourceOf(channel: Channel, { kind }: Instrument): Source | undefined {
  if (kind === "spot") return SPOT[channel];
  return channel === "funding" && kind !== "perpetual" ? undefined : CONTRACTS[channel];
}

/** Each feed has an address of its own. */
function plan(
  subscriptions: readonly FeedSubscription[],
  endpoints: FeedEndpoints,
): readonly ConnectionPlan[] {
  const byUrl = new Map<string, FeedSubscription[]>();
  for (const subscription of subscriptions) {
    const { instrument, channel } = subscription;
    const source = sourceOf(channel, instrument);
    if (source === undefined) continue;
    const derivatives = endpoints.derivativesWebSocket ?? endpoints.webSocket;
    const base = instrument.kind === "spot" ? endpoints.webSocket : derivatives;
    const url = `${base.replace(/\/+$/, "")}${source.path}`;
    const together = byUrl.get(url);
    if (together === undefined) byUrl.set(url, [subscription]);
    else together.push(subscription);
  }
  return [...byUrl].flatMap(([url, planned]) =>
    planByInstrument(planned, {
      url,
      subscriptionsMax: LIMITS.subscriptionsPerConnectionMax,
    }),
  );
}

/** A request for each topic; the notification feed has a form of its own. */
function frames(
  operation: "sub" | "unsub",
  subscriptions: readonly FeedSubscription[],
  { requestId }: FeedSubscribeOptions,
): readonly string[] {
  const requests = subscriptions.flatMap(({ instrument, channel }) => {
    const source = sourceOf(channel, instrument);
    return source === undefined ? [] : topicsOf(instrument, source);
  });
  return requests.map(({ topic, ...rest }, index) => {
    const id = String(requestId + index);
    const isNotice = topic.startsWith("public.");
    const request = isNotice ? { op: operation, cid: id, topic } : { [operation]: topic, id };
    return JSON.stringify({ ...request, ...rest });
  });
}

/** What is asked for, and what the venue wants to know beside it. */
function topicsOf(
  { venueSymbol, kind }: Instrument,
  source: Source,
): readonly { readonly topic: string; readonly [key: string]: string }[] {
  if (source.path === "/linear-swap-notification") {
    const topic = `public.${venueSymbol}.${source.kind}`;
    // Without its kind, a dated contract is none.
    return [{ topic, ...(kind === "future" ? { business_type: "futures" } : {}) }];
  }
  const topic = `market.${venueSymbol}.${source.kind}`;
  if (source.kind.startsWith("depth.")) return [{ topic, data_type: "incremental" }];
  // Indexes have the names of perpetual contracts.
  const hasIndex = source.path === "/ws_index" && kind === "perpetual";
  return hasIndex ? [{ topic: `market.${venueSymbol}.${INDEX_KIND}` }, { topic }] : [{ topic }];
}

function derivativesRest(endpoints: FeedEndpoints): string {
  return endpoints.derivativesRest ?? endpoints.rest;
}

function get(base: string, path: string): RestRequest {
  return { url: base + path, weight: 1 };
}

function query(venueSymbol: string): string {
  return encodeURIComponent(venueSymbol);
}
