// https://www.htx.com/en-us/opend/newApiPages/?id=28c34bd5-77ae-11ed-9966-0242ac110003
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedEndpoints,
  FeedSubscription,
} from "../../../feed/feed-adapter.ts";
import { planByAddress } from "../../../reading/address-plans.ts";
import type { SymbolsOfTopic } from "../answers.ts";
import { INDEX_KIND } from "../fields.ts";
import type { HtxSource, HtxTopicRequest } from "../requests.ts";

type Sources = Readonly<Partial<Record<Channel, HtxSource>>>;

const LIQUIDATIONS = "liquidation_orders";
const INDEXES_PATH = "/ws_index";

function sourcesOf(path: string): Sources {
  return {
    trades: { path, kind: "trade.detail" },
    quotes: { path, kind: "bbo" },
    book: { path, kind: "depth.size_150.high_freq" },
    ticker: { path, kind: "detail" },
    candles: { path, kind: "kline.1min" },
    "mark-price": { path: INDEXES_PATH, kind: "mark_price.1min" },
  };
}

/** Those of swaps. */
export const HTX_COINM_NOTICES_PATH = "/swap-notification";

const SWAPS: Sources = {
  ...sourcesOf("/swap-ws"),
  funding: { path: HTX_COINM_NOTICES_PATH, kind: "funding_rate" },
  liquidations: { path: HTX_COINM_NOTICES_PATH, kind: LIQUIDATIONS },
};

const FUTURES: Sources = {
  ...sourcesOf("/ws"),
  liquidations: { path: "/notification", kind: LIQUIDATIONS },
};

function sourceOf({ instrument, channel }: FeedSubscription): HtxSource | undefined {
  return (instrument.kind === "perpetual" ? SWAPS : FUTURES)[channel];
}

/** Each feed has an address of its own. */
export function planHtxCoinm(
  subscriptions: readonly FeedSubscription[],
  { webSocket }: FeedEndpoints,
  subscriptionsMax: number,
): readonly ConnectionPlan[] {
  const addressOf = (wanted: FeedSubscription): string | undefined => {
    const source = sourceOf(wanted);
    return source === undefined ? undefined : webSocket.replace(/\/+$/, "") + source.path;
  };
  return planByAddress(subscriptions, addressOf, subscriptionsMax);
}

/** The liquidations of futures are had by asset, not by contract: all of them in one topic. */
const ALL_LIQUIDATIONS: HtxTopicRequest = { topic: `public.*.${LIQUIDATIONS}` };

/** The topics of what is wanted, each once. */
export function htxCoinmTopicsOf(
  subscriptions: readonly FeedSubscription[],
): readonly HtxTopicRequest[] {
  const topics = subscriptions.flatMap(topicsOf);
  return [...new Map(topics.map((asked) => [asked.topic, asked])).values()];
}

/** The same without what several contracts share: others may still want it. */
export function htxCoinmOwnTopicsOf(
  subscriptions: readonly FeedSubscription[],
): readonly HtxTopicRequest[] {
  const own = htxCoinmTopicsOf(subscriptions).filter((asked) => asked !== ALL_LIQUIDATIONS);
  return own.filter(({ topic }) => !topic.endsWith(`.${INDEX_KIND}`));
}

function topicsOf(wanted: FeedSubscription): readonly HtxTopicRequest[] {
  const { instrument } = wanted;
  const { path, kind } = sourceOf(wanted) ?? {};
  if (path === undefined || kind === undefined) return [];
  if (path.endsWith("notification")) {
    const isShared = instrument.kind === "future";
    return [isShared ? ALL_LIQUIDATIONS : { topic: `public.${instrument.venueSymbol}.${kind}` }];
  }
  const topic = `market.${instrument.venueSymbol}.${kind}`;
  if (kind.startsWith("depth.")) return [{ topic, data_type: "incremental" }];
  // Indexes have the names of swaps.
  const index = `market.${instrument.base}-${instrument.quote}.${INDEX_KIND}`;
  return path === INDEXES_PATH ? [{ topic: index }, { topic }] : [{ topic }];
}

/** A topic of all assets is about every future that is known. */
export function htxCoinmSymbolsOf(catalog: InstrumentCatalog): SymbolsOfTopic {
  return ({ venueSymbol }) => (venueSymbol === "*" ? futuresIn(catalog) : [venueSymbol]);
}

function futuresIn(catalog: InstrumentCatalog): readonly string[] {
  const isFuture = ({ kind }: Instrument): boolean => kind === "future";
  return [...catalog.all()].filter(isFuture).map(({ venueSymbol }) => venueSymbol);
}
