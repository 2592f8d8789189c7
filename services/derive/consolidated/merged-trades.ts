import { formatDecimal, fromBigInt } from "@tickwire/proto/model";
import type { TradeRow } from "@tickwire/proto/model";
import type { SizeFactor } from "./exact-sizes.ts";

/** What was traded over all sources, as a ticker tells it. */
type TradedValues = {
  readonly lastPrice: string | undefined;
  readonly lastSize: string | undefined;
  readonly volume: string | undefined;
  readonly quoteVolume: string | undefined;
  readonly vwapPrice: string | undefined;
};

type Minute = { readonly startUs: number; volume: bigint; turnover: bigint };

const MINUTE_US = 60_000_000;
const DAY_US = 86_400_000_000;
/** Digits that a mean price has beyond the prices: it is the only number that is rounded. */
const MEAN_DIGITS = 4;

/** Trades of the last 24 hours over several sources, as far as they came, summed up by minutes. */
export class MergedTrades {
  #minutes: Minute[] = [];
  #priceScale = 0;
  #sizeScale = 0;
  #volume = 0n;
  #turnover = 0n;
  #last: { readonly price: string; readonly size: string } | undefined;

  take(trade: TradeRow, factor: SizeFactor): void {
    const { priceMantissa, priceScale, sizeMantissa, venueTimeUs, receivedTimeUs } = trade;
    const sizeScale = trade.sizeScale + factor.scale;
    this.#grow(priceScale, sizeScale);
    const price = BigInt(priceMantissa) * 10n ** BigInt(this.#priceScale - priceScale);
    const counted = BigInt(sizeMantissa) * factor.mantissa;
    const size = counted * 10n ** BigInt(this.#sizeScale - sizeScale);
    const timeUs = venueTimeUs ?? receivedTimeUs;
    const minute = this.#minuteOf(timeUs - (timeUs % MINUTE_US));
    minute.volume += size;
    minute.turnover += price * size;
    this.#volume += size;
    this.#turnover += price * size;
    this.#last = {
      price: formatDecimal(priceMantissa, priceScale),
      size: formatDecimal(fromBigInt(counted), sizeScale),
    };
  }

  /** What the last 24 hours amount to at this time. */
  values(nowUs: number): TradedValues {
    while (this.#minutes.length > 0 && (this.#minutes[0]?.startUs ?? 0) < nowUs - DAY_US) {
      const gone = this.#minutes.shift();
      this.#volume -= gone?.volume ?? 0n;
      this.#turnover -= gone?.turnover ?? 0n;
    }
    const hasTraded = this.#last !== undefined;
    return {
      lastPrice: this.#last?.price,
      lastSize: this.#last?.size,
      volume: hasTraded ? formatDecimal(fromBigInt(this.#volume), this.#sizeScale) : undefined,
      quoteVolume: hasTraded
        ? formatDecimal(fromBigInt(this.#turnover), this.#priceScale + this.#sizeScale)
        : undefined,
      vwapPrice: this.#mean(),
    };
  }

  #mean(): string | undefined {
    if (this.#volume === 0n) return undefined;
    const scaled = this.#turnover * 10n ** BigInt(MEAN_DIGITS);
    // Half up, in whole numbers.
    const mean = (2n * scaled + this.#volume) / (2n * this.#volume);
    return formatDecimal(fromBigInt(mean), this.#priceScale + MEAN_DIGITS);
  }

  #minuteOf(startUs: number): Minute {
    let index = this.#minutes.length;
    while (index > 0 && (this.#minutes[index - 1]?.startUs ?? 0) > startUs) index -= 1;
    const known = this.#minutes[index - 1];
    if (known?.startUs === startUs) return known;
    const minute = { startUs, volume: 0n, turnover: 0n };
    this.#minutes.splice(index, 0, minute);
    return minute;
  }

  #grow(priceScale: number, sizeScale: number): void {
    if (priceScale <= this.#priceScale && sizeScale <= this.#sizeScale) return;
    const sizeFactor = 10n ** BigInt(Math.max(0, sizeScale - this.#sizeScale));
    const priceFactor = 10n ** BigInt(Math.max(0, priceScale - this.#priceScale));
    this.#priceScale = Math.max(this.#priceScale, priceScale);
    this.#sizeScale = Math.max(this.#sizeScale, sizeScale);
    this.#volume *= sizeFactor;
    this.#turnover *= sizeFactor * priceFactor;
    for (const minute of this.#minutes) {
      minute.volume *= sizeFactor;
      minute.turnover *= sizeFactor * priceFactor;
    }
  }
}
