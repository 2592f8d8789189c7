// https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/products/get-product-trades
// https://docs.cdp.coinbase.com/api-reference/exchange-api/rest-api/time
import type { Instrument } from "#core/instrument.ts";
import type {
  FeedEndpoints,
  FeedEvent,
  RestRequest,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { readTradeValues } from "../../reading/event-values.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isBadTime, parseIsoTimeUs } from "../../reading/venue-time.ts";

/** The largest page there is. */
const TRADES_MAX = 1000;

/** The latest trades of a product. */
export function productTradesRequest(
  { venueSymbol }: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  const product = encodeURIComponent(venueSymbol);
  return { url: `${endpoints.rest}/products/${product}/trades?limit=${TRADES_MAX}`, weight: 1 };
}

/** The product whose trades an address is about. */
export function productOfTradesUrl(url: string): string | undefined {
  const name = /\/products\/([^/?#]+)\/trades(?:[?#]|$)/.exec(url)?.[1];
  return name === undefined ? undefined : decodeURIComponent(name);
}

/** The venue's clock. */
export function timeRequest(endpoints: FeedEndpoints): RestRequest {
  return { url: `${endpoints.rest}/time`, weight: 1 };
}

/** `{"iso":"2026-01-01T00:00:00.000Z","epoch":...}` */
export function parseTime(body: string): number | undefined {
  const { iso } = (parse(body) ?? {}) as { readonly iso?: unknown };
  const timeUs = parseIsoTimeUs(iso);
  return timeUs === undefined || isBadTime(timeUs) ? undefined : timeUs;
}

type ListedTrade = {
  readonly [field in "trade_id" | "side" | "size" | "price" | "time"]?: unknown;
};

/** The latest trades, which the venue lists newest first. As in the stream, the side is the maker's. */
export function decodeProductTrades(
  response: RestResponse,
  context: {
    readonly instrument: Instrument;
    readonly tracker: ScaleTracker;
    readonly receivedTimeUs: number;
    readonly emit: (event: FeedEvent) => void;
  },
): void {
  const { instrument, tracker, receivedTimeUs, emit } = context;
  const channel = "trades";
  const list = parse(response.body);
  if (!Array.isArray(list)) {
    const reason = list === undefined ? "bad-json" : "unknown-message";
    emit({ kind: "rejected", reason, instrument, channel });
    return;
  }
  for (const item of (list as readonly unknown[]).toReversed()) {
    const trade = (typeof item === "object" && item !== null ? item : {}) as ListedTrade;
    const { trade_id: tradeId, side } = trade;
    const venueTimeUs = parseIsoTimeUs(trade.time);
    const values = readTradeValues(tracker, trade.price, trade.size);
    if (!Number.isSafeInteger(tradeId) || (side !== "buy" && side !== "sell")) {
      emit({ kind: "rejected", reason: "missing-field", instrument, channel });
    } else if (isBadTime(venueTimeUs) || typeof values === "string") {
      const reason = typeof values === "string" ? values : "bad-time";
      emit({ kind: "rejected", reason, instrument, channel });
    } else {
      const aggressorSide = side === "buy" ? "seller" : "buyer";
      const common = { instrument, venueTimeUs, receivedTimeUs, aggressorSide } as const;
      emit({ kind: "trade", ...common, ...values, tradeId: String(tradeId), historical: true });
    }
  }
}

function parse(body: string): unknown {
  try {
    return JSON.parse(body) as unknown;
  } catch {
    return undefined;
  }
}
