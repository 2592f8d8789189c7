// https://www.htx.com/en-us/opend/newApiPages/?id=7ec4d0b5-7773-11ed-9966-0242ac110003
// https://www.htx.com/en-us/opend/newApiPages/?id=8cb7d626-77b5-11ed-9966-0242ac110003
import type { Channel, Instrument } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedEndpoints,
  FeedSubscribeOptions,
  FeedSubscription,
} from "../../feed/feed-adapter.ts";
import { planByAddress } from "../../reading/address-plans.ts";
import { INDEX_KIND, STATES_KIND } from "./fields.ts";

/** Every pair has 150 levels; the pages promise 400 for the largest only. */
const SPOT_BOOK = "mbp.150";

/** Where a channel is had, and by what name. */
export type HtxSource = { readonly path: string; readonly kind: string };

const SPOT: Partial<Record<Channel, HtxSource>> = {
  trades: { path: "/ws", kind: "trade.detail" },
  quotes: { path: "/ws", kind: "bbo" },
  book: { path: "/feed", kind: SPOT_BOOK },
  ticker: { path: "/ws", kind: "detail" },
  candles: { path: "/ws", kind: "kline.1min" },
};

export const HTX_NOTICES_PATH = "/linear-swap-notification";

const CONTRACTS: Partial<Record<Channel, HtxSource>> = {
  trades: { path: "/linear-swap-ws", kind: "trade.detail" },
  quotes: { path: "/linear-swap-ws", kind: "bbo" },
  book: { path: "/linear-swap-ws", kind: "depth.size_150.high_freq" },
  ticker: { path: "/linear-swap-ws", kind: "detail" },
  candles: { path: "/linear-swap-ws", kind: "kline.1min" },
  funding: { path: HTX_NOTICES_PATH, kind: "funding_rate" },
  "mark-price": { path: "/ws_index", kind: "mark_price.1min" },
  liquidations: { path: HTX_NOTICES_PATH, kind: "liquidation_orders" },
};

/** Undefined where the instrument does not have the channel, or it is polled. */
function sourceOf(channel: Channel, { kind }: Instrument): HtxSource | undefined {
  if (kind === "spot") return SPOT[channel];
  return channel === "funding" && kind !== "perpetual" ? undefined : CONTRACTS[channel];
}

/** Each feed has an address of its own. */
export function planHtx(
  subscriptions: readonly FeedSubscription[],
  endpoints: FeedEndpoints,
  subscriptionsMax: number,
): readonly ConnectionPlan[] {
  const { webSocket, derivativesWebSocket = webSocket } = endpoints;
  const addressOf = ({ instrument, channel }: FeedSubscription): string | undefined => {
    const source = sourceOf(channel, instrument);
    const base = instrument.kind === "spot" ? webSocket : derivativesWebSocket;
    return source === undefined ? undefined : base.replace(/\/+$/, "") + source.path;
  };
  return planByAddress(subscriptions, addressOf, subscriptionsMax);
}

/** What is asked for, and what the venue wants to know beside it. */
export type HtxTopicRequest = { readonly topic: string; readonly [key: string]: string };

/** A request for each topic; the notification feed has a form of its own. */
export function htxRequests(
  operation: "sub" | "unsub",
  topics: readonly HtxTopicRequest[],
  { requestId }: FeedSubscribeOptions,
): readonly string[] {
  return topics.map(({ topic, ...rest }, index) => {
    const id = String(requestId + index);
    const isNotice = topic.startsWith("public.");
    const request = isNotice ? { op: operation, cid: id, topic } : { [operation]: topic, id };
    return JSON.stringify({ ...request, ...rest });
  });
}

/** What one of the addresses tells of all of its contracts. */
export function htxMarketFrames(
  path: string,
  url: string,
  options: FeedSubscribeOptions,
  details: Readonly<Record<string, string>> = {},
): readonly string[] {
  const asked = { topic: `public.*.${STATES_KIND}`, ...details };
  return url.endsWith(path) ? htxRequests("sub", [asked], options) : [];
}

/** The frame that asks for the whole book of a pair. */
export function htxBookRequest({ venueSymbol }: Instrument, requestId: number): string {
  return JSON.stringify({ req: `market.${venueSymbol}.${SPOT_BOOK}`, id: String(requestId) });
}

/** The topics of one channel of a pair or linear contract. */
export function htxTopicsOf({ instrument, channel }: FeedSubscription): readonly HtxTopicRequest[] {
  const { venueSymbol, kind } = instrument;
  const source = sourceOf(channel, instrument);
  if (source === undefined) return [];
  if (source.path === HTX_NOTICES_PATH) {
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
