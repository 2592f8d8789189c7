// https://docs.dydx.xyz/indexer-client/websockets
import { type Channel, DERIVATIVE_CHANNELS } from "#core/instrument.ts";
import type { ConnectionPlan, FeedEndpoints, FeedSubscription } from "../../feed/feed-adapter.ts";
import { batchesOf } from "../../reading/batches.ts";
import { planByInstrument } from "../../reading/connection-plans.ts";
import { groupBy } from "../../reading/groups.ts";

/** What the venue's channels are published as; the first is what damage is told of. */
const CHANNELS: ReadonlyMap<string, readonly Channel[]> = new Map<string, readonly Channel[]>([
  ["v4_trades", ["trades", "liquidations"]],
  ["v4_orderbook", ["book"]],
  ["v4_candles", ["candles"]],
  ["v4_markets", ["funding", "mark-price", "open-interest"]],
]);

const NAMES: Partial<Record<Channel, string>> = {
  trades: "v4_trades",
  liquidations: "v4_trades",
  book: "v4_orderbook",
  candles: "v4_candles",
  funding: "v4_markets",
  "mark-price": "v4_markets",
  "open-interest": "v4_markets",
};

const CANDLES = "1MIN";

/** Markets that a connection may have in one channel. */
const MARKETS_PER_CONNECTION_MAX = 32;

/** What is published of one of the venue's channels; nothing if it is none that is read. */
export function channelsOfName(name: string | undefined): readonly Channel[] {
  return CHANNELS.get(name ?? "") ?? [];
}

/** The market that an id names; that of candles names their length as well. */
export function marketOfId(id: string): { readonly market: string; readonly resolution: string } {
  const end = id.lastIndexOf("/");
  return end < 0
    ? { market: id, resolution: CANDLES }
    : { market: id.slice(0, end), resolution: id.slice(end + 1) };
}

/** True for the length of the candles that are asked for. */
export function isPublishedLength(resolution: string): boolean {
  return resolution === CANDLES;
}

/**
 * The state of all markets is one subscription, so that it has a connection of its own. Of the
 * rest, no more markets share a connection than each of its channels may have.
 */
export function planDydx(
  subscriptions: readonly FeedSubscription[],
  { webSocket: url }: FeedEndpoints,
  subscriptionsMax: number,
): readonly ConnectionPlan[] {
  const named = subscriptions.filter(({ channel }) => NAMES[channel] !== undefined);
  const isOfAll = ({ channel }: FeedSubscription): boolean =>
    channel !== "liquidations" && DERIVATIVE_CHANNELS.has(channel);
  const states = named.filter(isOfAll);
  const markets = groupBy(
    named.filter((each) => !isOfAll(each)),
    ({ instrument }) => instrument.symbol,
  );
  return [
    ...planByInstrument(states, { url, subscriptionsMax }),
    ...batchesOf(markets.values(), MARKETS_PER_CONNECTION_MAX).map((together) => ({
      url,
      subscriptions: together.flat(),
    })),
  ];
}

/** A frame for each subscription of the venue; the state of all markets is one. */
export function dydxRequests(
  type: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
): readonly string[] {
  const frames = new Set<string>();
  for (const { instrument, channel: wanted } of subscriptions) {
    const channel = NAMES[wanted];
    const { venueSymbol } = instrument;
    if (channel === undefined) continue;
    if (channel === "v4_markets") frames.add(JSON.stringify({ type, channel }));
    else {
      const id = channel === "v4_candles" ? `${venueSymbol}/${CANDLES}` : venueSymbol;
      frames.add(JSON.stringify({ type, channel, id, batched: false }));
    }
  }
  return [...frames];
}
