// https://www.htx.com/en-us/opend/newApiPages/?id=28c2ff82-77ae-11ed-9966-0242ac110003
// https://www.htx.com/en-us/opend/newApiPages/?id=5d51f7a8-77b6-11ed-9966-0242ac110003
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestPoll, RestRequest } from "../../../feed/feed-adapter.ts";
import { bookProbeOf } from "../../../reading/book-probe.ts";
import { candleHistory, rowsAt } from "../../../reading/candle-history.ts";
import { recordedRequestOf } from "../../../reading/recorded-addresses.ts";
import { HTX_CANDLE_INTERVALS, HTX_CANDLES_MAX } from "../rest.ts";

/** What recorded addresses were asked for. Swaps and futures have paths of their own. */
export const htxCoinmRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/swap-api\/v1\/swap_contract_info$/ },
  { kind: "instruments", path: /\/api\/v1\/contract_contract_info$/ },
  { kind: "poll", channel: "open-interest", path: /\/swap-api\/v1\/swap_open_interest$/ },
  { kind: "poll", channel: "open-interest", path: /\/api\/v1\/contract_open_interest$/ },
  { kind: "trades", path: /\/swap-ex\/market\/history\/trade$/, symbolIn: "contract_code" },
  { kind: "trades", path: /\/market\/history\/trade$/, symbolIn: "symbol" },
]);

export function htxCoinmInstrumentsRequests(endpoints: FeedEndpoints): readonly RestRequest[] {
  return [
    get(endpoints, "/swap-api/v1/swap_contract_info"),
    get(endpoints, "/api/v1/contract_contract_info"),
  ];
}

/** What the venue does not stream. One answer has the open interest of all swaps or futures. */
export const HTX_COINM_POLLS: readonly RestPoll[] = [
  {
    channel: "open-interest",
    intervalMs: 30_000,
    requests: (instruments, endpoints) => {
      const kinds = new Set(instruments.map(({ kind }) => kind));
      return [
        ...(kinds.has("perpetual") ? [get(endpoints, "/swap-api/v1/swap_open_interest")] : []),
        ...(kinds.has("future") ? [get(endpoints, "/api/v1/contract_open_interest")] : []),
      ];
    },
  },
];

/** The latest 2000 matches. */
export function htxCoinmTradesRequest(
  instrument: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  return getOf(instrument, endpoints, "history/trade", "size=2000");
}

export const HTX_COINM_BOOK_PROBE = bookProbeOf(
  (instrument, endpoints) => getOf(instrument, endpoints, "depth", "type=step0"),
  { at: ["tick"], bids: "bids", asks: "asks" },
);

/** Candles of the past. */
export const htxCoinmCandles = candleHistory({
  intervals: HTX_CANDLE_INTERVALS,
  rowsMax: HTX_CANDLES_MAX,
  request: ({ instrument, name, fromMs, lastMs }, endpoints) => {
    const query = `period=${name}&from=${fromMs / 1000}&to=${lastMs / 1000}`;
    return getOf(instrument, endpoints, "history/kline", query);
  },
  rowsOf: rowsAt("data"),
  // `amount` counts the base asset. What was paid is not said.
  columnsOf: () => ({
    openTime: "id",
    open: "open",
    high: "high",
    low: "low",
    close: "close",
    volume: "vol",
    tradeCount: "count",
  }),
});

export function htxCoinmTimeRequest(endpoints: FeedEndpoints): RestRequest {
  return get(endpoints, "/api/v1/timestamp");
}

/** Swaps and futures have paths of their own, and other words for a contract. */
function getOf(
  { kind, venueSymbol }: Instrument,
  endpoints: FeedEndpoints,
  path: string,
  query: string,
): RestRequest {
  const name = encodeURIComponent(venueSymbol);
  return kind === "perpetual"
    ? get(endpoints, `/swap-ex/market/${path}?contract_code=${name}&${query}`)
    : get(endpoints, `/market/${path}?symbol=${name}&${query}`);
}

function get({ rest }: FeedEndpoints, path: string): RestRequest {
  return { url: rest + path, weight: 1 };
}
