// https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/info-endpoint
import { bookProbeOf } from "../../reading/book-probe.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RecordedRequest, RestRequest } from "../../feed/feed-adapter.ts";

/** What recorded addresses were asked for. */
export function hyperliquidRecordedRequest(url: string): RecordedRequest | undefined {
  const coin = /\/info#recentTrades=(.+)$/.exec(url)?.[1];
  if (coin !== undefined) return { kind: "trades", venueSymbol: decodeURIComponent(coin) };
  return /\/info\/?(?:\?|$)/.test(url) ? { kind: "instruments" } : undefined;
}

/** Perpetuals and spot pairs, told apart by the body of the request alone. */
export function hyperliquidInstrumentsRequests(endpoints: FeedEndpoints): readonly RestRequest[] {
  return [info(endpoints, { type: "meta" }), info(endpoints, { type: "spotMeta" })];
}

/**
 * The latest trades. Every request goes to one address; what follows the # is not sent: it says in
 * a recording what was asked for.
 */
export function hyperliquidTradesRequest(
  { venueSymbol }: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  const request = info(endpoints, { type: "recentTrades", coin: venueSymbol });
  return { ...request, url: `${request.url}#recentTrades=${encodeURIComponent(venueSymbol)}` };
}

/** Of 1,200 a minute, lists and trades cost 20. */
function info({ rest }: FeedEndpoints, asked: object): RestRequest {
  return { url: `${rest}/info`, weight: 20, method: "POST", body: JSON.stringify(asked) };
}

export const HYPERLIQUID_BOOK_PROBE = bookProbeOf(
  ({ venueSymbol }, endpoints) => {
    const asked = info(endpoints, { type: "l2Book", coin: venueSymbol });
    return { ...asked, url: `${asked.url}#l2Book=${encodeURIComponent(venueSymbol)}`, weight: 2 };
  },
  { at: ["levels"], bids: 0, asks: 1, price: "px", size: "sz" },
);
