import * as BatchField from "../../gen/batch-field.ts";
import { fromBigInt } from "../../model/decimal.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { takeEntry, takeNumber, takeWide, varintEnd } from "../byte-reader.ts";
import { addWrapped, unzigzag, unzigzagWide } from "../wide-integers.ts";
import { malformed } from "../wire-error.ts";
import type { ChainState } from "./chain-state.ts";
import { applyTexts, hasTexts } from "./decimal-text-reader.ts";
import { misfit } from "./field-scan.ts";
import type { FieldScan } from "./field-scan.ts";

const SIZE_MAX = 2n ** 63n;

/** The flags of the entries of `prices` that were read last. Reading is never re-entered. */
export let flags = /* @__PURE__ */ new Uint8Array(64);

/** Scratch that one large batch has grown beyond this is given up with the next. */
const RETAINED_FLAGS_MAX = 65_536;

/**
 * Reads the `count` entries of the column `prices`, their flags too, and moves the state's prices;
 * a mask tells the ask chain from the other. Throws WireError if the column has more or fewer.
 */
export function readPrices(
  scan: FieldScan,
  state: ChainState,
  count: number,
  askMask: number,
): Mantissa[] {
  const { bytes } = scan;
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const prices = new Array<Mantissa>(count);
  if (count > flags.length || flags.length > RETAINED_FLAGS_MAX) {
    flags = new Uint8Array(Math.max(64, count));
  }
  let { price, askPrice } = state;
  const end = scan.columnEnd(BatchField.Prices);
  let at = scan.start(BatchField.Prices);
  for (let index = 0; index < count; index += 1) {
    if (at >= end) throw misfit(BatchField.Prices);
    const code = takeNumber(bytes, at);
    let flag = code & 3;
    const before = (flag & askMask) !== 0 ? askPrice : price;
    let value: Mantissa =
      typeof before !== "number"
        ? NaN
        : before +
          (code <= 0x7fff_ffff ? (code >>> 3) ^ -((code >>> 2) & 1) : unzigzag((code - flag) / 4));
    // Not so either where the code was NaN.
    if (!(value <= Number.MAX_SAFE_INTEGER && value >= -Number.MAX_SAFE_INTEGER)) {
      const wide = code >= 0 ? BigInt(code) : takeWide(bytes, at);
      flag = Number(wide & 3n);
      const chain = (flag & askMask) !== 0 ? askPrice : price;
      value = addWrapped(chain, unzigzagWide(wide >> 2n));
    }
    at = varintEnd;
    if ((flag & askMask) !== 0) askPrice = value;
    else price = value;
    prices[index] = value;
    flags[index] = flag;
  }
  if (at !== end) throw misfit(BatchField.Prices);
  state.price = price;
  state.askPrice = askPrice;
  return prices;
}

/**
 * Reads the column `sizes` of `count` trades or levels; one whose flag has a bit of the mask is 0
 * and has no size. Throws WireError if the column does not fit.
 */
export function readSizes(scan: FieldScan, count: number, removedMask: number): Mantissa[] {
  const { bytes } = scan;
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const sizes = new Array<Mantissa>(count);
  const end = scan.columnEnd(BatchField.Sizes);
  let at = scan.start(BatchField.Sizes);
  for (let index = 0; index < count; index += 1) {
    if (((flags[index] as number) & removedMask) !== 0) {
      sizes[index] = 0;
      continue;
    }
    if (at >= end) throw misfit(BatchField.Sizes);
    let size: Mantissa = takeEntry(bytes, at);
    if (size !== size) {
      const wide = takeWide(bytes, at);
      if (wide >= SIZE_MAX) throw malformed(`a size is ${wide}`);
      size = fromBigInt(wide);
    }
    at = varintEnd;
    sizes[index] = size;
  }
  if (at !== end) throw misfit(BatchField.Sizes);
  return sizes;
}

/** Puts in what travels as text; returns the scales of prices and of sizes. */
export function applyPriceTexts(
  scan: FieldScan,
  state: ChainState,
  prices: Mantissa[],
  sizes: Mantissa[],
): [priceScale: number, sizeScale: number] {
  const scales: readonly number[] = [state.priceScale, state.sizeScale];
  const texted = hasTexts(scan)
    ? applyTexts(scan, [prices, sizes], { scales, groups: [0, 1], fieldCount: 2 })
    : scales;
  return texted as [number, number];
}
