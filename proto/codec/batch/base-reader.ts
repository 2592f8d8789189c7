import * as BaseField from "../../gen/base-field.ts";
import { readText, safeInteger, takeUint32, varintEnd } from "../byte-reader.ts";
import { SCALE_MAX } from "../limits.ts";
import { malformed } from "../wire-error.ts";
import type { RecordField } from "./batch-kinds.ts";
import { TradeIdForm } from "./chain-state.ts";
import type { ChainState } from "./chain-state.ts";
import { takeSum } from "./difference-reader.ts";
import { FieldScan } from "./field-scan.ts";
import type { Payloads } from "./payload.ts";

/** Most digits that a trade id's number is padded to, and most bytes of its prefix. */
const TRADE_ID_DIGITS_MAX = 18;
const TRADE_ID_PREFIX_BYTES_MAX = 256;

// Reading is synchronous and never re-entered.
const scan = new FieldScan(BaseField.SHAPES);

/** Reads a Base. Throws WireError for one that no writer writes. */
export function readBase(
  bytes: Uint8Array,
  start: number,
  end: number,
  payloads: Payloads,
): ChainState {
  scan.scan(bytes, start, end);
  const receivedTimeUs = scan.signed(BaseField.ReceivedTimeUs, "received_time_us");
  const state: ChainState = {
    channel: scan.uint32(BaseField.Channel),
    epoch: scan.unsigned(BaseField.Epoch, "epoch"),
    generation: 0,
    sequence: scan.unsigned(BaseField.Sequence, "sequence"),
    receivedTimeUs,
    venueTimeUs: timeFrom(BaseField.VenueTimeOffsetUs, receivedTimeUs),
    venueReceivedTimeUs: timeFrom(BaseField.VenueTimeReceivedOffsetUs, receivedTimeUs),
    venueTimeUnitUs: scan.uint32(BaseField.VenueTimeUnitUs),
    priceScale: checkedScale(scan.uint32(BaseField.PriceScale)),
    sizeScale: checkedScale(scan.uint32(BaseField.SizeScale)),
    price: scan.sum(BaseField.Price, 0),
    askPrice: scan.sum(BaseField.AskPrice, 0),
    tradeIdForm: scan.uint32(BaseField.TradeIdForm),
    tradeId: scan.sum(BaseField.TradeId, 0),
    tradeIdPrefix: readPrefix(),
    tradeIdDigits: scan.uint32(BaseField.TradeIdDigits),
    values: [],
    scales: [],
    fieldCount: 0,
    absent: scan.uint32(BaseField.Absent),
  };
  checkBase(state);
  readRecord(state, payloads[state.channel]?.fields ?? []);
  return state;
}

function checkBase(state: ChainState): void {
  const { venueTimeUnitUs, tradeIdDigits, tradeIdForm } = state;
  if (venueTimeUnitUs !== 0 && venueTimeUnitUs !== 1 && venueTimeUnitUs !== 1_000) {
    throw malformed(`venue_time_unit_us is ${venueTimeUnitUs}`);
  }
  if (tradeIdDigits > TRADE_ID_DIGITS_MAX) {
    throw malformed(`trade_id_digits is ${tradeIdDigits}`);
  }
  if (tradeIdForm > TradeIdForm.Text) {
    throw malformed(`trade_id_form is ${tradeIdForm}`);
  }
}

function readPrefix(): string {
  const [start = 0, end = 0] = scan.ranges(BaseField.TradeIdPrefix).slice(-2);
  if (end - start > TRADE_ID_PREFIX_BYTES_MAX) {
    throw malformed(`trade_id_prefix has ${end - start} bytes`);
  }
  return readText(scan.bytes, start, end);
}

/**
 * Fields that this code does not know are passed over; those that the writer did not know are such
 * as the venue does not say.
 */
function readRecord(state: ChainState, fields: readonly RecordField[]): void {
  if (fields.length === 0) return;
  const values = columnOf(BaseField.Values, (at) => takeSum(scan.bytes, at, 0));
  const scales = columnOf(BaseField.Scales, (at) => checkedScale(takeUint32(scan.bytes, at)));
  state.fieldCount = values.length;
  for (const [index, field] of fields.entries()) {
    if (index >= values.length) state.absent |= 1 << index;
    state.values.push(values[index] ?? 0);
    state.scales.push(scales[index] ?? 0);
    if (index !== field.scaleField && state.scales[index] !== state.scales[field.scaleField]) {
      throw malformed("fields of one kind differ in scale");
    }
    if (field.type !== "text" && field.type !== "mantissa" && state.scales[index] !== 0) {
      throw malformed("an integer has a scale");
    }
  }
}

/** Throws WireError if the last entry is cut off. */
function columnOf<T>(field: number, take: (at: number) => T): T[] {
  const entries: T[] = [];
  let at = scan.start(field);
  for (let rest = scan.entries(field); rest > 0; rest -= 1) {
    entries.push(take(at));
    at = varintEnd;
  }
  return entries;
}

/** The time that a field says as a difference from another. */
function timeFrom(field: number, timeUs: number): number {
  return safeInteger("a venue time", scan.sum(field, timeUs));
}

function checkedScale(scale: number): number {
  if (scale <= SCALE_MAX) return scale;
  throw malformed(`a scale is ${scale}`);
}
