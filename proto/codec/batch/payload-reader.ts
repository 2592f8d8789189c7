import * as BatchField from "../../gen/batch-field.ts";
import { fromBigInt } from "../../model/decimal.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { LiquidationCodec, ListingCodec, TopicStatusCodec } from "../../gen/messages.ts";
import { readText, takeNumber, takeWide, varintEnd } from "../byte-reader.ts";
import type { EventKind } from "../../model/vocabulary.ts";
import type { AggressorSide, BookColumns, TradeColumns } from "../types.ts";
import { addWrapped, unzigzag, unzigzagWide } from "../wide-integers.ts";
import { WireError } from "../wire-error.ts";
import { channelFromWire, sideFromWire, stateFromWire, wordFromWire } from "../wire-names.ts";
import { LEVEL_ASK, LEVEL_REMOVED } from "./batch-kinds.ts";
import { TradeIdForm } from "./chain-state.ts";
import type { ChainState } from "./chain-state.ts";
import { applyTexts, hasTexts } from "./decimal-text-reader.ts";
import { takeSum } from "./difference-reader.ts";
import { assertCount } from "./field-scan.ts";
import type { FieldScan } from "./field-scan.ts";
import type { TimesOf } from "./times-codec.ts";
import { joinTradeId } from "./trade-id-form.ts";

const SIDES: readonly AggressorSide[] = ["none", "buyer", "seller", "none"];
const SIZE_MAX = 2n ** 63n;

/** The flags of the entries of `prices` that were read last. Reading is never re-entered. */
let flags = /* @__PURE__ */ new Uint8Array(64);

/** Scratch that one large batch has grown beyond this is given up with the next. */
const RETAINED_FLAGS_MAX = 65_536;

/**
 * Reads the column `prices`, its flags too, and moves the state's; a mask tells the ask chain from
 * the other.
 */
function readPrices(scan: FieldScan, state: ChainState, askMask: number): Mantissa[] {
  const count = scan.entries(BatchField.Prices);
  const { bytes } = scan;
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const prices = new Array<Mantissa>(count);
  if (count > flags.length || flags.length > RETAINED_FLAGS_MAX) {
    flags = new Uint8Array(Math.max(64, count));
  }
  let { price, askPrice } = state;
  let at = scan.start(BatchField.Prices);
  for (let index = 0; index < count; index += 1) {
    const code = takeNumber(bytes, at);
    let flag = code & 3;
    const isAsk = (flag & askMask) !== 0;
    const before = isAsk ? askPrice : price;
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
  state.price = price;
  state.askPrice = askPrice;
  return prices;
}

/** Reads the column `sizes`; entries whose flag has a bit of the mask are 0 and have no size. */
function readSizes(scan: FieldScan, count: number, removedMask: number): Mantissa[] {
  const entries = scan.entries(BatchField.Sizes);
  const { bytes } = scan;
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const sizes = new Array<Mantissa>(count);
  let at = scan.start(BatchField.Sizes);
  let rest = entries;
  for (let index = 0; index < count; index += 1) {
    if (((flags[index] as number) & removedMask) !== 0) {
      sizes[index] = 0;
      continue;
    }
    rest -= 1;
    if (rest < 0) break;
    let size: Mantissa = takeNumber(bytes, at);
    if (size !== size) {
      const wide = takeWide(bytes, at);
      if (wide >= SIZE_MAX) throw new WireError("malformed", `a size of ${wide} is 2^63 or more`);
      size = fromBigInt(wide);
    }
    at = varintEnd;
    sizes[index] = size;
  }
  if (rest === 0) return sizes;
  const problem = rest < 0 ? "fewer" : "more";
  throw new WireError("malformed", `sizes has ${problem} entries than prices needs`);
}

/** Puts in what travels as text; returns the scales of prices and of sizes. */
function applyPriceTexts(
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

export function readTrades(scan: FieldScan, state: ChainState, count: number): TradeColumns {
  const prices = readPrices(scan, state, 0);
  assertCount("prices", prices.length, count);
  const sizes = readSizes(scan, count, 0);
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const aggressorSides = new Array<AggressorSide>(count);
  for (let index = 0; index < count; index += 1) {
    aggressorSides[index] = SIDES[flags[index] as number] as AggressorSide;
  }
  const isHistorical = scan.bool(BatchField.Historical);
  const [priceScale, sizeScale] = applyPriceTexts(scan, state, prices, sizes);
  return {
    priceScale,
    sizeScale,
    prices,
    sizes,
    aggressorSides,
    tradeIds: readTradeIds(scan, state, count),
    // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
    historical: new Array<boolean>(count).fill(isHistorical),
  };
}

function readTradeIds(scan: FieldScan, state: ChainState, count: number): (Mantissa | string)[] {
  if (state.tradeIdForm === TradeIdForm.Number) return readNumbers(scan, state, count);
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  if (state.tradeIdForm === TradeIdForm.None) return new Array<string>(count).fill("");
  const ranges = scan.ranges(BatchField.TradeIds);
  assertCount("trade_ids", ranges.length / 2, count);
  const ids: string[] = [];
  for (let at = 0; at < ranges.length; at += 2) {
    ids.push(readText(scan.bytes, ranges[at] as number, ranges[at + 1] as number));
  }
  return ids;
}

const ONE_MORE = /* @__PURE__ */ Uint8Array.of(2);

function readNumbers(scan: FieldScan, state: ChainState, count: number): (Mantissa | string)[] {
  const { tradeIdPrefix: prefix, tradeIdDigits: digits } = state;
  const entries = scan.entries(BatchField.TradeIdDeltas);
  if (entries > 0) assertCount("trade_id_deltas", entries, count);
  // Zigzag of 1, where nothing is said.
  const bytes = entries > 0 ? scan.bytes : ONE_MORE;
  let at = entries > 0 ? scan.start(BatchField.TradeIdDeltas) : 0;
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const ids = new Array<Mantissa | string>(count);
  let id = state.tradeId;
  for (let index = 0; index < count; index += 1) {
    id = takeSum(bytes, at, id);
    if (entries > 0) at = varintEnd;
    ids[index] = prefix === "" && digits === 0 ? id : joinTradeId(prefix, digits, id);
  }
  state.tradeId = id;
  return ids;
}

export function readBooks(scan: FieldScan, state: ChainState, count: number): BookColumns {
  const prices = readPrices(scan, state, LEVEL_ASK);
  const sizes = readSizes(scan, prices.length, LEVEL_REMOVED);
  const counts = readLevelCounts(scan, count, prices.length);
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const bidCounts = new Array<number>(count);
  // oxlint-disable-next-line unicorn/no-new-array -- the same
  const askCounts = new Array<number>(count);
  let level = 0;
  for (let index = 0; index < count; index += 1) {
    const levels = counts[index] as number;
    const end = level + levels;
    let bids = 0;
    while (level < end && ((flags[level] as number) & LEVEL_ASK) === 0) {
      bids += 1;
      level += 1;
    }
    for (; level < end; level += 1) {
      if (((flags[level] as number) & LEVEL_ASK) !== 0) continue;
      throw new WireError("malformed", "a bid stands behind an ask of the same event");
    }
    bidCounts[index] = bids;
    askCounts[index] = levels - bids;
  }
  const replaces = scan.bool(BatchField.Replaces);
  const [priceScale, sizeScale] = applyPriceTexts(scan, state, prices, sizes);
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const snapshots = new Array<boolean>(count).fill(replaces);
  return { priceScale, sizeScale, snapshots, bidCounts, askCounts, prices, sizes };
}

function readLevelCounts(scan: FieldScan, count: number, levels: number): number[] {
  const entries = scan.entries(BatchField.LevelCounts);
  if (entries === 0) {
    if (count === 1) return [levels];
    assertCount("prices", levels, count);
    // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
    return new Array<number>(count).fill(1);
  }
  assertCount("level_counts", entries, count);
  const { bytes } = scan;
  const counts: number[] = [];
  let at = scan.start(BatchField.LevelCounts);
  let total = 0;
  for (let index = 0; index < count; index += 1) {
    const some = takeNumber(bytes, at);
    at = varintEnd;
    total += some;
    // Not so either where the varint was NaN.
    if (!(total <= levels)) break;
    counts.push(some);
  }
  if (total === levels && counts.length === count) return counts;
  throw new WireError("malformed", `level_counts does not add up to ${levels} levels`);
}

/** The rows of a channel whose events are elements of the batch, as messages of the schema. */
export function readElements(
  scan: FieldScan,
  { elements, rows }: EventKind,
  count: number,
  timesOf: TimesOf,
): object[] {
  return elementsOf(scan, elements, count).map((bytes, index) => {
    if (rows === "liquidations") {
      const row = LiquidationCodec.decode(bytes);
      return { ...timesOf(index), ...row, aggressorSide: sideFromWire(row.aggressorSide) };
    }
    if (rows === "listings") {
      const row = ListingCodec.decode(bytes);
      const words = {
        // What a newer schema calls otherwise is news of the instrument all the same.
        change: wordFromWire(row.change, "LISTING_CHANGE_") ?? "changed",
        instrumentKind: wordFromWire(row.instrumentKind, "INSTRUMENT_KIND_"),
        instrumentState: wordFromWire(row.instrumentState, "INSTRUMENT_STATE_"),
      };
      return { ...timesOf(index), ...row, ...words };
    }
    const row = TopicStatusCodec.decode(bytes);
    const words = {
      channel: channelFromWire(row.channel),
      state: stateFromWire(row.state),
      instrumentState: wordFromWire(row.instrumentState, "INSTRUMENT_STATE_"),
    };
    return { ...timesOf(index), ...row, ...words };
  });
}

function elementsOf(scan: FieldScan, field: number, count: number): Uint8Array[] {
  const ranges = scan.ranges(field);
  assertCount(`field ${field}`, ranges.length / 2, count);
  const elements: Uint8Array[] = [];
  for (let at = 0; at < ranges.length; at += 2) {
    elements.push(scan.bytes.subarray(ranges[at], ranges[at + 1]));
  }
  return elements;
}
