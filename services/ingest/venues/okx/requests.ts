// https://www.okx.com/docs-v5/en/#overview-websocket-subscribe
import type { Channel, Instrument } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedEndpoints,
  FeedSubscribeOptions,
  FeedSubscription,
} from "../../feed/feed-adapter.ts";
import { batchesOf } from "../../reading/batches.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { groupBy } from "../../reading/groups.ts";
import { isOkxXperp, OKX_TYPE_OF_KIND, okxIndexOf } from "./instruments.ts";

/** What names one subscription of the venue. */
export type OkxArgument = {
  readonly channel: string;
  readonly instId?: string;
  readonly instType?: string;
};

type OkxChannel = { readonly name: string; readonly path: "/public" | "/business" };

/** The channel that is asked for, and the address that serves it. */
const OKX_CHANNELS: Readonly<Partial<Record<Channel, OkxChannel>>> = {
  trades: { name: "trades-all", path: "/business" },
  quotes: { name: "bbo-tbt", path: "/public" },
  book: { name: "books", path: "/public" },
  ticker: { name: "tickers", path: "/public" },
  candles: { name: "candle1m", path: "/business" },
  funding: { name: "funding-rate", path: "/public" },
  "mark-price": { name: "mark-price", path: "/public" },
  "open-interest": { name: "open-interest", path: "/public" },
  liquidations: { name: "liquidation-orders", path: "/public" },
};

/** What the venue has channels for. */
export type OkxPublished = Exclude<Channel, "status" | "listings">;

/** What is published of a channel of the venue, including those that only recordings have. */
const CHANNEL_OF_OKX: ReadonlyMap<string, OkxPublished> = new Map<string, OkxPublished>([
  ["trades", "trades"],
  ["trades-all", "trades"],
  ["bbo-tbt", "quotes"],
  ["books", "book"],
  ["books5", "book"],
  ["books-l2-tbt", "book"],
  ["books50-l2-tbt", "book"],
  ["tickers", "ticker"],
  ["funding-rate", "funding"],
  ["mark-price", "mark-price"],
  ["open-interest", "open-interest"],
  ["liquidation-orders", "liquidations"],
]);

const CANDLES = /^candle(\d+)([smHDW])(utc)?$/;
const UNITS_MS: ReadonlyMap<string, number> = new Map([
  ["s", 1000],
  ["m", 60_000],
  ["H", 3_600_000],
  ["D", 86_400_000],
  ["W", 604_800_000],
]);

/** How long the candles of a channel are; undefined if it has none, or none of fixed length. */
export function okxCandleIntervalMs(venueChannel: string): number | undefined {
  const [, count, unit = ""] = CANDLES.exec(venueChannel) ?? [];
  const unitMs = UNITS_MS.get(unit);
  return unitMs === undefined ? undefined : Number(count) * unitMs;
}

/** What is published of a channel of the venue, candles of all lengths included. */
export function channelOfOkx(venueChannel: string): OkxPublished | undefined {
  const channel = CHANNEL_OF_OKX.get(venueChannel);
  if (channel !== undefined) return channel;
  return okxCandleIntervalMs(venueChannel) === undefined ? undefined : "candles";
}

/** Public channels of the venue of which nothing is published; recordings of others have them. */
export const NOT_PUBLISHED_BY_OKX =
  /^(instruments|status|price-limit|estimated-price|opt-summary|option-trades|adl-warning|call-auction-details|economic-calendar|(mark-price-|index-)?candle\w+|(public-)?(struc-)?block-\w+|public-\w+-block-trades|sprd-[\w-]+)$/;

/**
 * Books on one connection: the venue advises against 30 or more, and a book is what an instrument
 * takes most of.
 */
const BOOKS_PER_CONNECTION_MAX = 29;

/** True if the venue has this channel for the instrument. */
function exists({ instrument, channel }: FeedSubscription): boolean {
  const { kind } = instrument;
  switch (channel) {
    case "funding":
      return kind === "perpetual" || isOkxXperp(instrument);
    case "mark-price":
    case "open-interest":
      return kind !== "spot";
    case "liquidations":
      // Those of options say neither price nor size.
      return kind === "perpetual" || kind === "future";
    case "trades":
    case "quotes":
    case "book":
    case "ticker":
    case "candles":
      return true;
    case "status":
    case "listings":
      return false;
  }
}

/** Splits what is wanted over the two addresses and over connections. */
export function planOkx(
  subscriptions: readonly FeedSubscription[],
  endpoints: FeedEndpoints,
  subscriptionsMax: number,
): readonly ConnectionPlan[] {
  const base = endpoints.webSocket.replace(/\/+$/, "");
  const fallback = endpoints.webSocketFallback;
  const wanted = subscriptions.filter(exists);
  return (["/public", "/business"] as const).flatMap((path) =>
    byBooks(wanted.filter(({ channel }) => OKX_CHANNELS[channel]?.path === path))
      .flatMap((group) => planByInstrument(group, { url: base + path, subscriptionsMax }))
      .map((plan) => (fallback === undefined ? plan : { ...plan, fallbackUrl: fallback + path })),
  );
}

/** Groups of whole instruments, none with more books than a connection should have. */
function byBooks(subscriptions: readonly FeedSubscription[]): readonly FeedSubscription[][] {
  const groupOf = new Map<Instrument, number>();
  for (const { instrument, channel } of subscriptions) {
    if (channel !== "book" || groupOf.has(instrument)) continue;
    groupOf.set(instrument, Math.floor(groupOf.size / BOOKS_PER_CONNECTION_MAX));
  }
  return [...groupBy(subscriptions, ({ instrument }) => groupOf.get(instrument) ?? 0).values()];
}

/** Arguments in one request that is about no single instrument; far below the venue's 64 KB. */
const SHARED_ARGUMENTS_MAX = 200;

/**
 * One request for each instrument: if the venue refuses a request as a whole for one unknown name,
 * nobody else is hit. What instruments share (an index, the liquidations of a type) comes behind
 * them, and is never ended: others of the connection may still want it.
 */
export function okxRequests(
  op: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  options: FeedSubscribeOptions,
): readonly string[] {
  const own = [...groupBy(subscriptions, ({ instrument }) => instrument).values()]
    .map((together) => together.flatMap(ownArguments))
    .filter((args) => args.length > 0);
  const wanted = op === "subscribe" ? subscriptions.flatMap(sharedArguments) : [];
  const shared = new Map(wanted.map((argument) => [JSON.stringify(argument), argument]));
  return [...own, ...batchesOf(shared.values(), SHARED_ARGUMENTS_MAX)].map((args, index) =>
    JSON.stringify({ id: String(options.requestId + index), op, args }),
  );
}

function ownArguments({ instrument, channel }: FeedSubscription): readonly OkxArgument[] {
  const name = OKX_CHANNELS[channel]?.name;
  if (name === undefined || channel === "liquidations") return [];
  return [{ channel: name, instId: instrument.venueSymbol }];
}

function sharedArguments({ instrument, channel }: FeedSubscription): readonly OkxArgument[] {
  if (channel === "liquidations") {
    const instType = OKX_TYPE_OF_KIND[instrument.kind];
    return instType === undefined ? [] : [{ channel: "liquidation-orders", instType }];
  }
  const index = channel === "mark-price" ? okxIndexOf(instrument.venueSymbol) : undefined;
  return index === undefined ? [] : [{ channel: "index-tickers", instId: index }];
}

/** The lists of all types, each whole at first and then what changed, and the venue's status. */
export function okxMarketFrames(url: string, { requestId }: FeedSubscribeOptions): string[] {
  if (!url.endsWith("/public")) return [];
  const types = Object.values(OKX_TYPE_OF_KIND).filter((type) => type !== undefined);
  const lists = [...new Set(types)].map((instType) => ({ channel: "instruments", instType }));
  const args = [...lists, { channel: "status" }];
  return [JSON.stringify({ id: String(requestId), op: "subscribe", args })];
}
