// https://www.kucoin.com/docs-new/rest/futures-trading/market-data/get-all-symbols
// https://www.kucoin.com/docs-new/rest/futures-trading/market-data/get-full-orderbook
// https://www.kucoin.com/docs-new/rest/futures-trading/market-data/get-trade-history
// https://www.kucoin.com/docs-new/rest/futures-trading/market-data/get-klines
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { RecordedRequest, RestPoll } from "../../../feed/feed-adapter.ts";
import { bestProbeOf } from "../../../reading/book-probe.ts";
import { candleHistory, renamedIntervals, rowsAt } from "../../../reading/candle-history.ts";
import { type Emit, rejectOf } from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import { oldestFirst } from "../../../reading/oldest-first.ts";
import { recordedRequestOf } from "../../../reading/recorded-addresses.ts";
import { decimalText } from "../../../reading/text-fields.ts";
import { kucoinGet } from "../rest.ts";
import type { KucoinSubject } from "../readings.ts";
import { readTrade } from "./readings.ts";

/** The list of contracts, which says their open interest too. */
export const CONTRACTS_PATH = "/api/v1/contracts/active";
/** The cost of the list. */
export const CONTRACTS_WEIGHT = 3;

/** Tells the two uses of the list apart; the fragment of an address is never sent. */
const INTEREST_FRAGMENT = "#open-interest";

const recorded = recordedRequestOf([
  { kind: "instruments", path: /\/api\/v1\/contracts\/active$/ },
  {
    kind: "book-snapshot",
    path: /\/api\/v1\/level2\/(?:snapshot|depth(?:20|100))$/,
    symbolIn: "symbol",
  },
  { kind: "trades", path: /\/api\/v1\/trade\/history$/, symbolIn: "symbol" },
]);

/** What recorded addresses were asked for. */
export function kucoinFuturesRecordedRequest(url: string): RecordedRequest | undefined {
  if (!url.endsWith(INTEREST_FRAGMENT)) return recorded(url);
  return { kind: "poll", channel: "open-interest", venueSymbol: undefined };
}

/** What the venue does not stream. One answer has the open interest of all contracts. */
export const KUCOIN_FUTURES_POLLS: readonly RestPoll[] = [
  {
    channel: "open-interest",
    intervalMs: 30_000,
    requests: (_instruments, endpoints) => [
      kucoinGet(endpoints, CONTRACTS_PATH + INTEREST_FRAGMENT, CONTRACTS_WEIGHT),
    ],
  },
];

/** The best level of each side. */
export const KUCOIN_FUTURES_BOOK_PROBE = bestProbeOf(
  ({ venueSymbol }, endpoints) => kucoinGet(endpoints, "/api/v1/ticker", 2, venueSymbol),
  { at: ["data"], bid: ["bestBidPrice", "bestBidSize"], ask: ["bestAskPrice", "bestAskSize"] },
);

/** The venue's names are minutes. */
const CANDLE_NAMES = "1=1m 5=5m 15=15m 30=30m 60=1h 120=2h 240=4h 480=8h 720=12h 1440=1d 10080=1w";

/** Candles of the past, oldest first. What turnover counts no page says. */
export const kucoinFuturesCandles = candleHistory({
  intervals: renamedIntervals(CANDLE_NAMES),
  // The pages say 500, and said 200 before.
  rowsMax: 200,
  request: ({ instrument, name, intervalMs, fromMs, lastMs }, endpoints) => {
    const request = kucoinGet(endpoints, "/api/v1/kline/query", 3, instrument.venueSymbol);
    // Whether the end is part of the range the pages do not say.
    const range = `from=${fromMs}&to=${lastMs + intervalMs - 1}`;
    return { ...request, url: `${request.url}&granularity=${name}&${range}` };
  },
  rowsOf: rowsAt("data"),
  columnsOf: () => ({ openTime: 0, open: 1, high: 2, low: 3, close: 4, volume: 5 }),
});

/** Oldest first, by their sequence. One damaged trade costs itself only. */
export function readTradesAnswer(
  data: JsonText | undefined,
  subject: KucoinSubject,
  emit: Emit,
): Fault {
  const trades = asJsonArray(data)?.map((trade) => asJsonObject(trade) ?? {});
  if (trades === undefined) return "missing-field";
  for (const trade of oldestFirst(trades, "newest", ({ sequence: id }) => ({ id: asText(id) }))) {
    const fault = readTrade(trade, subject, emit);
    if (fault !== undefined) rejectOf(emit, fault, subject.instrument, "trades");
  }
  return undefined;
}

/** One answer tells of all contracts, of which some may not be listed. It has no time. */
export function readInterestAnswer(
  data: JsonText | undefined,
  { catalog, receivedTimeUs }: { catalog: InstrumentCatalog; receivedTimeUs: number },
  emit: Emit,
): Fault {
  const channel = "open-interest";
  const contracts = asJsonArray(data);
  if (contracts === undefined) return "missing-field";
  for (const contract of contracts) {
    const fields = asJsonObject(contract);
    const venueSymbol = asText(fields?.["symbol"]);
    if (venueSymbol === undefined) {
      emit({ kind: "rejected", reason: "missing-field", channel });
      continue;
    }
    const instrument = catalog.byVenueSymbol(venueSymbol);
    if (instrument === undefined) continue;
    const openInterest = decimalText(fields?.["openInterest"]);
    if (openInterest === undefined) {
      rejectOf(emit, "bad-decimal", instrument, channel);
      continue;
    }
    const common = { instrument, venueTimeUs: undefined, receivedTimeUs };
    emit({ kind: channel, ...common, openInterest, openInterestValue: undefined });
  }
  return undefined;
}
