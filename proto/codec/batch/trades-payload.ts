import * as BatchField from "../../gen/batch-field.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { readText, varintEnd } from "../byte-reader.ts";
import type { AggressorSide, TradeColumns } from "../types.ts";
import { TradeIdForm } from "./chain-state.ts";
import type { ChainState } from "./chain-state.ts";
import { takeSum } from "./difference-reader.ts";
import { assertCount } from "./field-scan.ts";
import type { FieldScan } from "./field-scan.ts";
import type { Payload } from "./payload.ts";
import { applyPriceTexts, flags, readPrices, readSizes } from "./price-reader.ts";
import { readSingleTrade } from "./single-trade.ts";
import { joinTradeId } from "./trade-id-form.ts";

const SIDES: readonly AggressorSide[] = ["none", "buyer", "seller", "none"];

/** The channel of trades. */
export const TRADES_PAYLOAD: Payload = {
  channel: 1,
  kind: "trades",
  fields: [],
  readColumns: readTrades,
  readSingle: readSingleTrade,
};

function readTrades(scan: FieldScan, state: ChainState, count: number): TradeColumns {
  const prices = readPrices(scan, state, count, 0);
  const sizes = readSizes(scan, count, 0);
  const isHistorical = scan.bool(BatchField.Historical);
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const aggressorSides = new Array<AggressorSide>(count);
  // oxlint-disable-next-line unicorn/no-new-array -- the same; `fill` is a call of V8's runtime
  const historical = new Array<boolean>(count);
  for (let index = 0; index < count; index += 1) {
    aggressorSides[index] = SIDES[flags[index] as number] as AggressorSide;
    historical[index] = isHistorical;
  }
  const [priceScale, sizeScale] = applyPriceTexts(scan, state, prices, sizes);
  return {
    priceScale,
    sizeScale,
    prices,
    sizes,
    aggressorSides,
    tradeIds: readTradeIds(scan, state, count),
    historical,
  };
}

function readTradeIds(scan: FieldScan, state: ChainState, count: number): (Mantissa | string)[] {
  if (state.tradeIdForm === TradeIdForm.Number) return readNumbers(scan, state, count);
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  if (state.tradeIdForm === TradeIdForm.None) return new Array<string>(count).fill("");
  const ranges = scan.ranges(BatchField.TradeIds);
  assertCount(BatchField.TradeIds, ranges.length / 2, count);
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
  if (entries > 0) assertCount(BatchField.TradeIdDeltas, entries, count);
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
