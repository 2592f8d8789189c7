import * as BatchField from "../../gen/batch-field.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { WIRE_BYTES, takeNumber, varintEnd } from "../byte-reader.ts";
import type { AggressorSide } from "../types.ts";
import { FAST_MAGNITUDE_MAX, unzigzag, wholeUnits } from "../wide-integers.ts";
import { GENERATIONS, markOf } from "./batch-marks.ts";
import { TradeIdForm } from "./chain-state.ts";
import type { ChainState } from "./chain-state.ts";
import type { SingleBatch } from "./payload.ts";
import { TOPIC_ID_TAG } from "./topic-id.ts";
import { joinTradeId } from "./trade-id-form.ts";

const TIMES_TAG = (BatchField.Times << 3) | WIRE_BYTES;
const PRICES_TAG = (BatchField.Prices << 3) | WIRE_BYTES;
const SIZES_TAG = (BatchField.Sizes << 3) | WIRE_BYTES;
const ID_DELTAS_TAG = (BatchField.TradeIdDeltas << 3) | WIRE_BYTES;
// A tag from 128 on takes two bytes.
const ID_DELTAS_TAG_LOW = (ID_DELTAS_TAG & 0x7f) | 0x80;
const ID_DELTAS_TAG_HIGH = ID_DELTAS_TAG >>> 7;

const SIDES: readonly AggressorSide[] = ["none", "buyer", "seller", "none"];

/** Trades in columns that may be written into. */
type OwnTradeColumns = {
  priceScale: number;
  sizeScale: number;
  readonly prices: Mantissa[];
  readonly sizes: Mantissa[];
  readonly aggressorSides: AggressorSide[];
  readonly tradeIds: (Mantissa | string)[];
  readonly historical: boolean[];
};

/** The number of the id; NaN where it is none, or its column does not end with the batch. */
function tradeIdAt(bytes: Uint8Array, at: number, end: number, state: ChainState): number {
  if (state.tradeIdForm !== TradeIdForm.Number) return at === end ? 0 : NaN;
  const before = state.tradeId;
  if (typeof before !== "number") return NaN;
  if (at === end) return before + 1;
  if (bytes[at] !== ID_DELTAS_TAG_LOW || bytes[at + 1] !== ID_DELTAS_TAG_HIGH) return NaN;
  const delta = takeNumber(bytes, at + 3);
  return at + 3 + (bytes[at + 2] as number) === end && varintEnd === end
    ? before + unzigzag(delta)
    : NaN;
}

/** What the bytes of a batch say, as they say it. Reading is never re-entered. */
const said = {
  topicId: 0,
  mark: 0,
  lag: 0,
  advance: 0,
  venueCode: 0,
  priceCode: 0,
  size: 0,
  tradeId: 0,
};

/** False if the bytes are not in the usual form; of what is no safe number, NaN is said. */
function findFields(bytes: Uint8Array, start: number, end: number, state: ChainState): boolean {
  if (bytes[start] !== TOPIC_ID_TAG) return false;
  said.topicId = takeNumber(bytes, start + 1);
  let at = varintEnd;
  if (bytes[at] !== TIMES_TAG) return false;
  const timesEnd = at + 2 + (bytes[at + 1] as number);
  said.mark = takeNumber(bytes, at + 2);
  said.lag = takeNumber(bytes, varintEnd);
  said.advance = takeNumber(bytes, varintEnd);
  said.venueCode = state.venueTimeUnitUs === 0 ? 0 : takeNumber(bytes, varintEnd);
  at = varintEnd;
  if (at !== timesEnd || bytes[at] !== PRICES_TAG) return false;
  said.priceCode = takeNumber(bytes, at + 2);
  if (varintEnd !== at + 2 + (bytes[at + 1] as number)) return false;
  at = varintEnd;
  said.size = takeNumber(bytes, at + 2);
  if (bytes[at] !== SIZES_TAG || varintEnd !== at + 2 + (bytes[at + 1] as number)) return false;
  said.tradeId = tradeIdAt(bytes, varintEnd, end, state);
  return isSafe(said.tradeId);
}

/**
 * Reads a batch of one trade in the form that nearly all of them have: its fields in order, none
 * but those that every trade has, numbers that are safe, and nothing to be said of its chain. False
 * for any other, which the general reader takes; then nothing has changed.
 */
export function readSingleTrade(
  bytes: Uint8Array,
  start: number,
  end: number,
  state: ChainState,
  batch: SingleBatch,
): boolean {
  if (!findFields(bytes, start, end, state)) return false;
  const { topicId, venueCode, priceCode, size } = said;
  const last = state.sequence + 1;
  if (said.mark !== markOf(last, state.generation) || state.generation >= GENERATIONS) return false;
  const received = state.receivedTimeUs + said.advance;
  const span = received - state.venueReceivedTimeUs;
  if (!(span <= FAST_MAGNITUDE_MAX && span >= -FAST_MAGNITUDE_MAX)) return false;
  const unit = state.venueTimeUnitUs;
  const hasVenueTime = venueCode !== 0;
  const venueAdvance = hasVenueTime ? (unzigzag(venueCode - 1) + wholeUnits(span, unit)) * unit : 0;
  const venue = state.venueTimeUs + venueAdvance;
  const published = received + unzigzag(said.lag);
  const flag = priceCode & 3;
  const before = typeof state.price === "number" ? state.price : NaN;
  const price = before + unzigzag((priceCode - flag) / 4);
  // Not so either where one of them is NaN.
  const areTimesSafe = isSafe(received) && isSafe(venue) && isSafe(published);
  if (!areTimesSafe || !isSafe(price) || !isSafe(size) || !isSafe(last)) return false;
  if (!(topicId <= 0xffff_ffff)) return false;

  state.sequence = last;
  state.receivedTimeUs = received;
  if (hasVenueTime) {
    state.venueTimeUs = venue;
    state.venueReceivedTimeUs = received;
  }
  state.price = price;
  batch.receivedTimesUs[0] = received;
  batch.venueTimesUs[0] = hasVenueTime ? venue : undefined;
  batch.topicId = topicId;
  batch.epoch = state.epoch;
  batch.firstSequence = last;
  batch.snapshot = false;
  batch.skipped = 0;
  batch.publishedTimeUs = published;
  writeTrade(batch.columns as OwnTradeColumns, state, flag);
  return true;
}

/** What was said of the trade, whose price is the state's already. */
function writeTrade(columns: OwnTradeColumns, state: ChainState, flag: number): void {
  columns.priceScale = state.priceScale;
  columns.sizeScale = state.sizeScale;
  columns.prices[0] = state.price;
  columns.sizes[0] = said.size;
  columns.aggressorSides[0] = SIDES[flag] as AggressorSide;
  columns.historical[0] = false;
  if (state.tradeIdForm !== TradeIdForm.Number) {
    columns.tradeIds[0] = "";
    return;
  }
  const { tradeIdPrefix: prefix, tradeIdDigits: digits } = state;
  const { tradeId } = said;
  state.tradeId = tradeId;
  const isPlain = prefix === "" && digits === 0;
  columns.tradeIds[0] = isPlain ? tradeId : joinTradeId(prefix, digits, tradeId);
}

function isSafe(value: number): boolean {
  return value <= Number.MAX_SAFE_INTEGER && value >= -Number.MAX_SAFE_INTEGER;
}
