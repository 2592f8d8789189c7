// https://bybit-exchange.github.io/docs/v5/websocket/public/ticker
import type { Instrument } from "#core/instrument.ts";
import type { FeedEvent, RejectReason } from "../../feed/feed-adapter.ts";
import { decimalText, type JsonRecord, millisecondsTimeUs } from "../../reading/text-fields.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** What every event of a message has. */
export type EventCommon = {
  readonly instrument: Instrument;
  readonly venueTimeUs: number | undefined;
  readonly receivedTimeUs: number;
};

/** The fields that are published; options write `bidPrice` for `bid1Price`. */
const DECIMAL_FIELDS = [
  "lastPrice",
  "prevPrice24h",
  "highPrice24h",
  "lowPrice24h",
  "volume24h",
  "turnover24h",
  "bid1Price",
  "ask1Price",
  "bidPrice",
  "askPrice",
  "markPrice",
  "indexPrice",
  "openInterest",
  "openInterestValue",
  "fundingRate",
] as const;

type DecimalField = (typeof DECIMAL_FIELDS)[number];

/** What is known of one instrument; a field that the venue emptied is undefined. */
type Known = { [field in DecimalField]?: string | undefined } & {
  nextFundingTimeUs?: number | undefined;
  fundingIntervalMs?: number | undefined;
};

/**
 * Tickers of one connection. Those of futures and perpetuals say only what has changed, so the rest
 * is kept here.
 */
export class BybitTickers {
  readonly #known = new Map<Instrument, Known>();

  /**
   * What is known of an instrument may be old from now on: a message about it could not be read.
   */
  forget(instrument: Instrument): void {
    this.#known.delete(instrument);
  }

  /** Emits a ticker, and of a derivative what the message says about its price and contracts. */
  read(
    data: JsonRecord,
    { isSnapshot, ...common }: EventCommon & { readonly isSnapshot: boolean },
    emit: Emit,
  ): RejectReason | undefined {
    const told = readFields(data);
    if (typeof told === "string") return told;
    const { instrument } = common;
    const before = isSnapshot ? {} : (this.#known.get(instrument) ?? {});
    const known: Known = { ...before, ...told };
    this.#known.set(instrument, known);
    emitTicker(known, common, emit);
    if (instrument.kind === "spot") return undefined;
    const { markPrice, indexPrice, openInterest } = known;
    if (markPrice !== undefined && ("markPrice" in told || "indexPrice" in told)) {
      emit({ kind: "mark-price", ...common, markPrice, indexPrice });
    }
    if (openInterest !== undefined && ("openInterest" in told || "openInterestValue" in told)) {
      const { openInterestValue } = known;
      emit({ kind: "open-interest", ...common, openInterest, openInterestValue });
    }
    const saysFunding = "fundingRate" in told || "nextFundingTimeUs" in told;
    if (instrument.kind !== "perpetual" || known.fundingRate === undefined || !saysFunding) {
      return undefined;
    }
    const { fundingRate: rate, nextFundingTimeUs, fundingIntervalMs: intervalMs } = known;
    emit({ kind: "funding", ...common, rate, nextFundingTimeUs, intervalMs });
    return undefined;
  }
}

/**
 * `turnover24h` is in the quote asset, for inverse contracts in the base asset; for options it is
 * the worth of what they are on, not what was paid.
 */
function emitTicker(known: Known, common: EventCommon, emit: Emit): void {
  const { kind, inverse } = common.instrument;
  emit({
    kind: "ticker",
    ...common,
    lastPrice: known.lastPrice,
    lastSize: undefined,
    openPrice: known.prevPrice24h,
    highPrice: known.highPrice24h,
    lowPrice: known.lowPrice24h,
    volume: known.volume24h,
    quoteVolume: inverse || kind === "option" ? undefined : known.turnover24h,
    bidPrice: known.bid1Price ?? known.bidPrice,
    askPrice: known.ask1Price ?? known.askPrice,
  });
}

/** The fields that a message has; a damaged one costs the whole message. */
function readFields(data: JsonRecord): Known | RejectReason {
  const told: Known = {};
  for (const field of DECIMAL_FIELDS) {
    const value = data[field];
    if (value === undefined) continue;
    const decimal = decimalText(value);
    if (decimal === undefined && value !== "" && value !== null) return "bad-decimal";
    told[field] = decimal;
  }
  const { nextFundingTime, fundingIntervalHour } = data;
  if (nextFundingTime !== undefined) {
    // Dated futures write 0 or nothing.
    const timeUs = millisecondsTimeUs(nextFundingTime === "0" ? "" : nextFundingTime);
    if (isBadTime(timeUs)) return "bad-time";
    told.nextFundingTimeUs = timeUs;
  }
  if (typeof fundingIntervalHour === "string" && /^\d{1,3}$/.test(fundingIntervalHour)) {
    told.fundingIntervalMs = Number(fundingIntervalHour) * 3_600_000;
  }
  return told;
}
