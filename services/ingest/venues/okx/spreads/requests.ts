// https://www.okx.com/docs-v5/en/#spread-trading-websocket-public-channel
import type { Channel } from "#core/instrument.ts";
import type {
  ConnectionPlan,
  FeedEndpoints,
  FeedSubscribeOptions,
  FeedSubscription,
} from "../../../feed/feed-adapter.ts";
import { planByInstrument } from "../../../reading/connection-plans.ts";
import { groupBy } from "../../../reading/groups.ts";

/** All of them are served by one address. */
const PATH = "/business";

const NAMES: ReadonlyMap<Channel, string> = new Map<Channel, string>([
  ["trades", "sprd-public-trades"],
  ["quotes", "sprd-bbo-tbt"],
  ["book", "sprd-books-l2-tbt"],
  ["ticker", "sprd-tickers"],
  ["candles", "sprd-candle1m"],
]);

export function planOkxSpreads(
  subscriptions: readonly FeedSubscription[],
  { webSocket, webSocketFallback: fallback }: FeedEndpoints,
  subscriptionsMax: number,
): readonly ConnectionPlan[] {
  const wanted = subscriptions.filter(({ channel }) => NAMES.has(channel));
  const url = webSocket.replace(/\/+$/, "") + PATH;
  return planByInstrument(wanted, { url, subscriptionsMax }).map((plan) =>
    fallback === undefined ? plan : { ...plan, fallbackUrl: fallback + PATH },
  );
}

/** One request for each spread, so that one which is refused costs nobody else anything. */
export function okxSpreadRequests(
  op: "subscribe" | "unsubscribe",
  subscriptions: readonly FeedSubscription[],
  { requestId }: FeedSubscribeOptions,
): readonly string[] {
  const bySpread = groupBy(subscriptions, ({ instrument }) => instrument.venueSymbol);
  const requests = [...bySpread].map(([sprdId, together]) =>
    together.flatMap(({ channel }) => {
      const name = NAMES.get(channel);
      return name === undefined ? [] : [{ channel: name, sprdId }];
    }),
  );
  return requests
    .filter((args) => args.length > 0)
    .map((args, index) => JSON.stringify({ id: String(requestId + index), op, args }));
}
