import * as BatchField from "../../gen/batch-field.ts";
import { fromBigInt } from "../../model/decimal.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { VARINT_BYTES_MAX, putBigVarint, putVarint } from "../byte-writer.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { BookRow } from "../types.ts";
import { FAST_MAGNITUDE_MAX, zigzagWide } from "../wide-integers.ts";
import { LEVEL_ASK, LEVEL_REMOVED } from "./batch-marks.ts";
import type { ChainState } from "./chain-state.ts";
import { NO_TEXTS, ScaledColumn } from "./scaled-column.ts";
import type { PlacedText } from "./scaled-column.ts";

/** Codes are four times the zigzag of a difference, and so stay safe integers up to here. */
const FAST_DIFFERENCE_MAX = FAST_MAGNITUDE_MAX / 4;

/** Differences from here on do not fit beside the two flags. */
const DIFFERENCE_MAX = 2n ** 61n;

/**
 * The columns `prices` and `sizes` of a batch of trades or books that is being written: each entry
 * is a trade or a level. Reused from batch to batch.
 */
export class PriceColumns {
  readonly prices = new ScaledColumn({ allowNegative: true });
  readonly sizes = new ScaledColumn({ allowNegative: false });
  #flags = new Uint8Array(256);

  reset(): void {
    this.prices.reset();
    this.sizes.reset();
  }

  /** `flags` are the side of a trade. */
  add(
    price: Mantissa,
    size: Mantissa,
    scales: { readonly priceScale: number; readonly sizeScale: number },
    flags: number,
  ): void {
    const index = this.prices.count;
    this.#reserve(index + 1);
    this.#flags[index] = flags;
    this.prices.add(price, scales.priceScale);
    this.sizes.add(size, scales.sizeScale);
  }

  /** The levels of one side; those of size 0 are marked as removed. */
  addLevels(
    levels: BookRow["bids"],
    { priceScale, sizeScale }: { readonly priceScale: number; readonly sizeScale: number },
    flags: number,
  ): void {
    const { prices, sizes } = levels;
    const first = this.prices.count;
    this.#reserve(first + prices.length);
    this.prices.addAll(prices, priceScale);
    this.sizes.addAll(sizes, sizeScale);
    const flagsList = this.#flags;
    for (let index = 0; index < sizes.length; index += 1) {
      flagsList[first + index] = sizes[index] === 0 ? flags | LEVEL_REMOVED : flags;
    }
  }

  /** Makes room for the flags of so many entries. */
  #reserve(count: number): void {
    if (count <= this.#flags.length) return;
    const grown = new Uint8Array(2 * count);
    grown.set(this.#flags);
    this.#flags = grown;
  }

  /** Price of the first entry of the ask chain, or of the other one, which trades have alone. */
  firstPrice(isLevels: boolean, ask: boolean): Mantissa {
    for (let index = 0; index < this.prices.count; index += 1) {
      const isAsk = isLevels && ((this.#flags[index] as number) & LEVEL_ASK) !== 0;
      if (isAsk !== ask) continue;
      return this.prices.at(index) ?? 0;
    }
    return 0;
  }

  /**
   * Writes both columns and moves the prices of the state; with `isLevels` the sides of a book have
   * a chain each. Returns what has to travel as text.
   */
  write(writer: ByteWriter, state: ChainState, isLevels: boolean): readonly PlacedText[] {
    const { count } = this.prices;
    if (count === 0) return NO_TEXTS;
    const isExact = this.prices.exact !== undefined || this.sizes.exact !== undefined;
    const start = writer.open(BatchField.Prices);
    writer.reserve(count * VARINT_BYTES_MAX);
    let texts: PlacedText[] | undefined = isExact ? [] : undefined;
    if (!this.#writePrices(writer, state, isLevels)) {
      writer.position = start;
      texts ??= [];
      this.#writePricesExactly(writer, state, isLevels, texts);
    }
    writer.close(start);
    this.#writeSizes(writer, isLevels, texts);
    return texts ?? NO_TEXTS;
  }

  /** False if one of the prices is no safe integer; the state is then as it was. */
  #writePrices(writer: ByteWriter, state: ChainState, isLevels: boolean): boolean {
    const { values, exact, count } = this.prices;
    if (exact !== undefined) return false;
    if (typeof state.price !== "number" || typeof state.askPrice !== "number") return false;
    const askMask = isLevels ? LEVEL_ASK : 0;
    const flagsList = this.#flags;
    const { bytes } = writer;
    let at = writer.position;
    let { price, askPrice } = state;
    for (let index = 0; index < count; index += 1) {
      const value = values[index] as number;
      const flags = flagsList[index] as number;
      const isAsk = (flags & askMask) !== 0;
      const before = isAsk ? askPrice : price;
      if (isAsk) askPrice = value;
      else price = value;
      const difference = value - before;
      if (difference > FAST_DIFFERENCE_MAX || difference < -FAST_DIFFERENCE_MAX) {
        at = putWidePrice(bytes, at, BigInt(value) - BigInt(before), flags);
        continue;
      }
      const code = (difference < 0 ? -8 * difference - 4 : 8 * difference) + flags;
      if (code < 0x80) {
        bytes[at] = code;
        at += 1;
      } else {
        at = putVarint(bytes, at, code);
      }
    }
    state.price = price;
    state.askPrice = askPrice;
    writer.position = at;
    return true;
  }

  #writePricesExactly(
    writer: ByteWriter,
    state: ChainState,
    isLevels: boolean,
    texts: PlacedText[],
  ): void {
    const { values, exact, count } = this.prices;
    const askMask = isLevels ? LEVEL_ASK : 0;
    let chains: [bigint, bigint] = [BigInt(state.price), BigInt(state.askPrice)];
    for (let index = 0; index < count; index += 1) {
      const flags = this.#flags[index] as number;
      const chain = (flags & askMask) === 0 ? 0 : 1;
      const value = exact === undefined ? (values[index] as number) : exact[index];
      let difference = value === undefined ? DIFFERENCE_MAX : BigInt(value) - chains[chain];
      if (difference >= DIFFERENCE_MAX || difference < -DIFFERENCE_MAX) {
        texts.push({ place: 2 * index, text: this.prices.text(index) });
        difference = 0n;
      }
      chains =
        chain === 0 ? [chains[0] + difference, chains[1]] : [chains[0], chains[1] + difference];
      writer.position = putWidePrice(writer.bytes, writer.position, difference, flags);
    }
    state.price = fromBigInt(chains[0]);
    state.askPrice = fromBigInt(chains[1]);
  }

  #writeSizes(writer: ByteWriter, isLevels: boolean, texts: PlacedText[] | undefined): void {
    const before = writer.position;
    const start = writer.open(BatchField.Sizes);
    writer.reserve(this.sizes.count * VARINT_BYTES_MAX);
    const { values, exact, count } = this.sizes;
    const removedMask = isLevels ? LEVEL_REMOVED : 0;
    const { bytes } = writer;
    let at = start;
    for (let index = 0; index < count; index += 1) {
      if (((this.#flags[index] as number) & removedMask) !== 0) continue;
      const value = exact === undefined ? (values[index] as number) : exact[index];
      if (value === undefined) {
        texts?.push({ place: 2 * index + 1, text: this.sizes.text(index) });
      }
      at =
        typeof value === "bigint"
          ? putBigVarint(bytes, at, value)
          : putVarint(bytes, at, value ?? 0);
    }
    writer.position = at;
    if (at === start) writer.position = before;
    else writer.close(start);
  }
}

/** Writes a difference of which a double may not hold the code. */
function putWidePrice(bytes: Uint8Array, at: number, difference: bigint, flags: number): number {
  return putBigVarint(bytes, at, 4n * zigzagWide(difference) + BigInt(flags));
}
