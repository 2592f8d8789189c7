// https://www.kucoin.com/docs-new/3470221w0
import { bestProbeOf } from "../../reading/book-probe.ts";
import { z } from "zod";
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type {
  AddressLimits,
  ConnectionTicket,
  FeedEndpoints,
  RestRequest,
} from "../../feed/feed-adapter.ts";
import { type Emit, rejectOf } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { oldestFirst } from "../../reading/oldest-first.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import { parseJson } from "../../reading/text-fields.ts";
import { type KucoinSubject, readTrade } from "./readings.ts";
import { candleHistory, renamedIntervals, rowsAt } from "../../reading/candle-history.ts";

/** Spot and futures have one budget. */
export const KUCOIN_ADDRESS: AddressLimits = { name: "kucoin", connectionsMax: 50 };

/** What recorded addresses were asked for. */
export const kucoinRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/api\/v[12]\/symbols$/ },
  {
    kind: "book-snapshot",
    path: /\/api\/v\d\/market\/orderbook\/level2(?:_20|_100)?$/,
    symbolIn: "symbol",
  },
  { kind: "trades", path: /\/api\/v1\/market\/histories$/, symbolIn: "symbol" },
]);

/** A request for what the venue has under a path, or for the part of it that is of one pair. */
export function kucoinGet(
  { rest }: FeedEndpoints,
  path: string,
  weight: number,
  venueSymbol?: string,
): RestRequest {
  const query = venueSymbol === undefined ? "" : `?symbol=${encodeURIComponent(venueSymbol)}`;
  return { url: rest + path + query, weight };
}

const ticketSchema = z.object({
  data: z.object({
    token: z.string().min(1),
    instanceServers: z.array(
      z.object({
        endpoint: z.string().regex(/^wss?:\/\/\S+$/),
        pingInterval: z.number().int().positive(),
      }),
    ),
  }),
});

/** The address with the token, and how often the venue wants to hear from us. */
export function parseKucoinTicket(
  body: string,
  { connectionId }: { readonly connectionId: string },
): ConnectionTicket | undefined {
  const parsed = ticketSchema.safeParse(parseJson(body));
  const [server] = parsed.success ? parsed.data.data.instanceServers : [];
  if (!parsed.success || server === undefined) return undefined;
  const { token } = parsed.data.data;
  const parameters = new URLSearchParams({ token, connectId: connectionId }).toString();
  const joint = server.endpoint.includes("?") ? "&" : "?";
  return {
    url: `${server.endpoint}${joint}${parameters}`,
    keepAliveIntervalMs: server.pingInterval,
  };
}

/** Oldest first, by their sequence. One damaged trade costs itself only. */
export function readTradesAnswer(
  data: JsonText | undefined,
  subject: KucoinSubject,
  emit: Emit,
): Fault {
  const trades = asJsonArray(data)?.map((trade) => asJsonObject(trade) ?? {});
  if (trades === undefined) return "missing-field";
  for (const trade of oldestFirst(trades, "oldest", ({ sequence: id }) => ({ id: asText(id) }))) {
    const fault = readTrade(trade, subject, emit);
    if (fault !== undefined) rejectOf(emit, fault, subject.instrument, "trades");
  }
  return undefined;
}

/** The best level of each side: a recording must not take twenty levels for a book's beginning. */
export const KUCOIN_BOOK_PROBE = bestProbeOf(
  ({ venueSymbol }, endpoints) =>
    kucoinGet(endpoints, "/api/v1/market/orderbook/level1", 2, venueSymbol),
  { at: ["data"], bid: ["bestBid", "bestBidSize"], ask: ["bestAsk", "bestAskSize"] },
);

const CANDLE_NAMES =
  "1min=1m 3min=3m 5min=5m 15min=15m 30min=30m 1hour=1h 2hour=2h 4hour=4h 6hour=6h 8hour=8h " +
  "12hour=12h 1day=1d 1week=1w";

/** Candles of the past, newest first. */
export const kucoinCandles = candleHistory({
  intervals: renamedIntervals(CANDLE_NAMES),
  rowsMax: 1500,
  request: ({ instrument, name, intervalMs, fromMs, lastMs }, endpoints) => {
    const request = kucoinGet(endpoints, "/api/v1/market/candles", 3, instrument.venueSymbol);
    // Whether the end is part of the range the pages do not say.
    const range = `startAt=${fromMs / 1000}&endAt=${(lastMs + intervalMs) / 1000}`;
    return { ...request, url: `${request.url}&type=${name}&${range}` };
  },
  rowsOf: rowsAt("data"),
  columnsOf: () => ({
    openTime: 0,
    open: 1,
    close: 2,
    high: 3,
    low: 4,
    volume: 5,
    quoteVolume: 6,
  }),
});
