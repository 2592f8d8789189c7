// https://www.htx.com/en-us/opend/newApiPages/?id=7ec4d0b5-7773-11ed-9966-0242ac110003
// https://www.htx.com/en-us/opend/newApiPages/?id=8cb7e25d-77b5-11ed-9966-0242ac110003
import { bookProbeOf } from "../../reading/book-probe.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type {
  CandleHistory,
  FeedEndpoints,
  RestPoll,
  RestRequest,
} from "../../feed/feed-adapter.ts";
import { type Emit, type EventSubject, rejectOf } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { itemsOf, oldestFirst } from "./fields.ts";
import { readOpenInterest, readTrade } from "./readings.ts";
import { candleHistory, renamedIntervals, rowsAt } from "../../reading/candle-history.ts";

/** The most that one answer gives. */
export const HTX_CANDLES_MAX = 2000;

export const HTX_CANDLE_INTERVALS = renamedIntervals(
  "1min=1m 5min=5m 15min=15m 30min=30m 60min=1h 4hour=4h 1day=1d 1week=1w",
);

/** What recorded addresses were asked for. `common/symbols` came before `market-symbols`. */
export const htxRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/v1\/(?:common\/symbols|settings\/common\/market-symbols)$/ },
  { kind: "instruments", path: /\/linear-swap-api\/v1\/swap_contract_info$/ },
  {
    kind: "poll",
    channel: "open-interest",
    path: /\/v5\/market\/open_interest$/,
    symbolIn: "contract_code",
  },
  { kind: "poll", channel: "open-interest", path: /\/linear-swap-api\/v1\/swap_open_interest$/ },
  { kind: "trades", path: /\/linear-swap-ex\/market\/history\/trade$/, symbolIn: "contract_code" },
  { kind: "trades", path: /\/market\/history\/trade$/, symbolIn: "symbol" },
]);

export function htxInstrumentsRequests(endpoints: FeedEndpoints): readonly RestRequest[] {
  return [
    get(endpoints.rest, "/v1/settings/common/market-symbols"),
    getOfContracts(endpoints, "/linear-swap-api/v1/swap_contract_info?business_type=all"),
  ];
}

/**
 * Of a budget of eight a second, which is what spot bears: of the public data of contracts an
 * address may ask for 80 a second.
 */
const CONTRACT_DATA_WEIGHT = 0.2;

/**
 * What the venue does not stream. An answer is about one contract; the older one about all of them
 * (`swap_open_interest`) went with the older interface of contracts in July 2026.
 */
export const HTX_POLLS: readonly RestPoll[] = [
  {
    channel: "open-interest",
    intervalMs: 60_000,
    requests: (instruments, endpoints) =>
      instruments
        .filter(({ kind }) => kind !== "spot")
        .map((instrument) => {
          const code = encodeURIComponent(instrument.venueSymbol);
          const path = `/v5/market/open_interest?contract_code=${code}`;
          const request = getOfContracts(endpoints, path);
          return { ...request, weight: CONTRACT_DATA_WEIGHT, instrument };
        }),
  },
];

/** The latest 2000 matches. */
export function htxTradesRequest(
  { kind, venueSymbol }: Instrument,
  endpoints: FeedEndpoints,
): RestRequest {
  const name = encodeURIComponent(venueSymbol);
  return kind === "spot"
    ? get(endpoints.rest, `/market/history/trade?symbol=${name}&size=2000`)
    : getOfContracts(
        endpoints,
        `/linear-swap-ex/market/history/trade?contract_code=${name}&size=2000`,
      );
}

export function htxTimeRequest(endpoints: FeedEndpoints): RestRequest {
  return get(endpoints.rest, "/v1/common/timestamp");
}

/** Trades stand in groups of one match, the newest first. A damaged trade costs itself only. */
export function readTradesAnswer(
  body: JsonText,
  subject: EventSubject,
  scales: ScaleTracker,
  emit: Emit,
): Fault {
  const matches = itemsOf(asJsonObject(body)?.["data"]);
  if (matches === undefined) return "missing-field";
  const trades = matches.flatMap((match) => itemsOf(match["data"]) ?? [match]);
  for (const trade of oldestFirst(trades)) {
    const reason = readTrade(trade, subject, scales, emit);
    if (reason !== undefined) rejectOf(emit, reason, subject.instrument, "trades");
  }
  return undefined;
}

/** About one contract, or a list of them, of which some may not be listed. */
export function readInterestAnswer(
  body: JsonText,
  { catalog, receivedTimeUs }: { catalog: InstrumentCatalog; receivedTimeUs: number },
  emit: Emit,
): Fault {
  const channel = "open-interest";
  const answer = asJsonObject(body);
  const venueTimeUs = epochTimeUs(answer?.["ts"]);
  const one = asJsonObject(answer?.["data"]);
  const items = one === undefined ? itemsOf(answer?.["data"]) : [one];
  if (items === undefined) return "missing-field";
  for (const item of items) {
    const venueSymbol = asText(item["contract_code"]);
    if (venueSymbol === undefined) {
      emit({ kind: "rejected", reason: "missing-field", channel });
      continue;
    }
    const instrument = catalog.byVenueSymbol(venueSymbol);
    if (instrument === undefined) continue;
    const reason = readOpenInterest(item, { instrument, venueTimeUs, receivedTimeUs }, emit);
    if (reason !== undefined) rejectOf(emit, reason, instrument, channel);
  }
  return undefined;
}

function getOfContracts(
  { rest, derivativesRest = rest }: FeedEndpoints,
  path: string,
): RestRequest {
  return get(derivativesRest, path);
}

function get(base: string, path: string): RestRequest {
  return { url: base + path, weight: 1 };
}

export const HTX_BOOK_PROBE = bookProbeOf(
  ({ kind, venueSymbol }, endpoints) => {
    const name = encodeURIComponent(venueSymbol);
    return kind === "spot"
      ? get(endpoints.rest, `/market/depth?symbol=${name}&type=step0&depth=5`)
      : getOfContracts(endpoints, `/linear-swap-ex/market/depth?contract_code=${name}&type=step0`);
  },
  { at: ["tick"], bids: "bids", asks: "asks" },
);

/** Candles of the past; spot has its latest alone, contracts those of two years. */
export const htxCandles: CandleHistory = candleHistory({
  intervals: HTX_CANDLE_INTERVALS,
  rowsMax: HTX_CANDLES_MAX,
  request: ({ instrument, name, fromMs, lastMs }, endpoints) => {
    const code = encodeURIComponent(instrument.venueSymbol);
    if (instrument.kind === "spot") {
      const query = `symbol=${code}&period=${name}&size=${HTX_CANDLES_MAX}`;
      return get(endpoints.rest, `/market/history/kline?${query}`);
    }
    const range = `from=${fromMs / 1000}&to=${lastMs / 1000}`;
    const query = `contract_code=${code}&period=${name}&${range}`;
    const request = getOfContracts(endpoints, `/linear-swap-ex/market/history/kline?${query}`);
    return { ...request, weight: CONTRACT_DATA_WEIGHT };
  },
  rowsOf: rowsAt("data"),
  columnsOf: ({ kind }) => ({
    openTime: "id",
    open: "open",
    high: "high",
    low: "low",
    close: "close",
    // Contracts count contracts, and write the base asset as `amount`.
    volume: kind === "spot" ? "amount" : "vol",
    quoteVolume: kind === "spot" ? "vol" : "trade_turnover",
    tradeCount: "count",
  }),
});
