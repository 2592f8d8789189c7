import type { BookRow, RowTimes } from "@tickwire/proto/codec";
import { rescaleMantissa } from "@tickwire/proto/model";
import type { Mantissa } from "@tickwire/proto/model";

type Sizes = Map<Mantissa, Mantissa>;
type Scales = { readonly priceScale: number; readonly sizeScale: number };

/** Rows of a book that follow one another, as one: the last size of each level that they name. */
export class MergedBookRows {
  #bids: Sizes = new Map();
  #asks: Sizes = new Map();
  #scales: Scales = { priceScale: 0, sizeScale: 0 };
  #isWhole = false;
  #times: RowTimes | undefined;

  add(row: BookRow): void {
    this.#times = row;
    if (row.snapshot) {
      this.#isWhole = true;
      this.#bids.clear();
      this.#asks.clear();
      this.#scales = row;
    }
    this.#grow(row);
    this.#setAll(this.#bids, row, row.bids);
    this.#setAll(this.#asks, row, row.asks);
  }

  /** Undefined if nothing was added. */
  get row(): BookRow | undefined {
    if (this.#times === undefined) return undefined;
    const { venueTimeUs, receivedTimeUs } = this.#times;
    const { priceScale, sizeScale } = this.#scales;
    const bids = this.#sorted(this.#bids, -1);
    const asks = this.#sorted(this.#asks, 1);
    const snapshot = this.#isWhole;
    return { venueTimeUs, receivedTimeUs, snapshot, priceScale, sizeScale, bids, asks };
  }

  #grow(row: Scales): void {
    const from = this.#scales;
    const to = {
      priceScale: Math.max(from.priceScale, row.priceScale),
      sizeScale: Math.max(from.sizeScale, row.sizeScale),
    };
    if (to.priceScale === from.priceScale && to.sizeScale === from.sizeScale) return;
    this.#bids = rescaled(this.#bids, from, to);
    this.#asks = rescaled(this.#asks, from, to);
    this.#scales = to;
  }

  #setAll(sizes: Sizes, scales: Scales, levels: BookRow["bids"]): void {
    const { priceScale, sizeScale } = this.#scales;
    levels.prices.forEach((price, index) => {
      const at = rescaleMantissa(price, scales.priceScale, priceScale);
      sizes.set(at, rescaleMantissa(levels.sizes[index] ?? 0, scales.sizeScale, sizeScale));
    });
  }

  /** A whole book has no levels that are gone. */
  #sorted(sizes: Sizes, sign: number): BookRow["bids"] {
    const levels = [...sizes].filter(([, size]) => !this.#isWhole || size !== 0);
    levels.sort(([one], [other]) => (one < other ? -sign : sign));
    return { prices: levels.map(([price]) => price), sizes: levels.map(([, size]) => size) };
  }
}

function rescaled(sizes: Sizes, from: Scales, to: Scales): Sizes {
  const result: Sizes = new Map();
  for (const [price, size] of sizes) {
    result.set(
      rescaleMantissa(price, from.priceScale, to.priceScale),
      rescaleMantissa(size, from.sizeScale, to.sizeScale),
    );
  }
  return result;
}
