import * as BatchField from "../../gen/batch-field.ts";
import * as BaseField from "../../gen/base-field.ts";
import { fromBigInt } from "../../model/decimal.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { readText, safeInteger, takeWide, varintEnd } from "../byte-reader.ts";
import { VARINT_BYTES_MAX } from "../byte-writer.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { SCALE_MAX } from "../limits.ts";
import { putDifference, unzigzagWide } from "../wide-integers.ts";
import { WireError } from "../wire-error.ts";
import { recordFieldsOf, eventKindOf } from "./batch-kinds.ts";
import { TradeIdForm } from "./chain-state.ts";
import type { ChainState } from "./chain-state.ts";
import { FieldScan } from "./field-scan.ts";

/** Most digits that a trade id's number is padded to, and most bytes of its prefix. */
const TRADE_ID_DIGITS_MAX = 18;
const TRADE_ID_PREFIX_BYTES_MAX = 256;

/** Writes the state as the `base` field of a Batch, with its tag. */
export function writeBase(writer: ByteWriter, state: ChainState): void {
  const start = writer.open(BatchField.Base);
  writer.uintField(BaseField.Channel, state.channel);
  writer.uintField(BaseField.Epoch, state.epoch);
  writer.uintField(BaseField.Sequence, state.sequence);
  writer.intField(BaseField.ReceivedTimeUs, state.receivedTimeUs);
  const { receivedTimeUs, venueTimeUnitUs } = state;
  if (venueTimeUnitUs !== 0) {
    signedField(writer, BaseField.VenueTimeOffsetUs, state.venueTimeUs, receivedTimeUs);
    const field = BaseField.VenueTimeReceivedOffsetUs;
    signedField(writer, field, state.venueReceivedTimeUs, receivedTimeUs);
    writer.uintField(BaseField.VenueTimeUnitUs, venueTimeUnitUs);
  }
  writer.uintField(BaseField.PriceScale, state.priceScale);
  writer.uintField(BaseField.SizeScale, state.sizeScale);
  signedField(writer, BaseField.Price, state.price, 0);
  signedField(writer, BaseField.AskPrice, state.askPrice, 0);
  writer.uintField(BaseField.TradeIdForm, state.tradeIdForm);
  signedField(writer, BaseField.TradeId, state.tradeId, 0);
  if (state.tradeIdPrefix !== "") {
    writer.stringField(BaseField.TradeIdPrefix, state.tradeIdPrefix);
  }
  writer.uintField(BaseField.TradeIdDigits, state.tradeIdDigits);
  if (state.values.length > 0) writeRecord(writer, state);
  writer.close(start);
}

function writeRecord(writer: ByteWriter, state: ChainState): void {
  const values = writer.open(BaseField.Values);
  writer.reserve(state.values.length * VARINT_BYTES_MAX);
  for (const value of state.values) {
    writer.position = putDifference(writer.bytes, writer.position, value, 0);
  }
  writer.close(values);
  const scales = writer.open(BaseField.Scales);
  for (const scale of state.scales) writer.varint(scale);
  writer.close(scales);
  writer.uintField(BaseField.Absent, state.absent);
}

/** A sint64 field of `a - b`; nothing for 0. */
function signedField(writer: ByteWriter, field: number, a: Mantissa, b: Mantissa): void {
  if (a === b) return;
  writer.reserve(2 * VARINT_BYTES_MAX);
  writer.varint(field << 3);
  writer.reserve(VARINT_BYTES_MAX);
  writer.position = putDifference(writer.bytes, writer.position, a, b);
}

// Reading is synchronous and never re-entered.
const scan = new FieldScan(BaseField.SHAPES);

/** Reads a Base. Throws WireError for one that no writer writes. */
export function readBase(bytes: Uint8Array, start: number, end: number): ChainState {
  scan.scan(bytes, start, end);
  const receivedTimeUs = scan.signed(BaseField.ReceivedTimeUs, "received_time_us");
  const state: ChainState = {
    channel: scan.uint32(BaseField.Channel),
    epoch: scan.unsigned(BaseField.Epoch, "epoch"),
    sequence: scan.unsigned(BaseField.Sequence, "sequence"),
    receivedTimeUs,
    venueTimeUs: timeFrom(receivedTimeUs, signed(BaseField.VenueTimeOffsetUs)),
    venueReceivedTimeUs: timeFrom(receivedTimeUs, signed(BaseField.VenueTimeReceivedOffsetUs)),
    venueTimeUnitUs: scan.uint32(BaseField.VenueTimeUnitUs),
    priceScale: checkedScale(scan.uint32(BaseField.PriceScale)),
    sizeScale: checkedScale(scan.uint32(BaseField.SizeScale)),
    price: fromBigInt(signed(BaseField.Price)),
    askPrice: fromBigInt(signed(BaseField.AskPrice)),
    tradeIdForm: scan.uint32(BaseField.TradeIdForm),
    tradeId: fromBigInt(signed(BaseField.TradeId)),
    tradeIdPrefix: readPrefix(),
    tradeIdDigits: scan.uint32(BaseField.TradeIdDigits),
    values: [],
    scales: [],
    fieldCount: 0,
    absent: scan.uint32(BaseField.Absent),
  };
  checkBase(state);
  readRecord(state);
  return state;
}

function checkBase(state: ChainState): void {
  const { venueTimeUnitUs, tradeIdDigits, tradeIdForm } = state;
  if (venueTimeUnitUs !== 0 && venueTimeUnitUs !== 1 && venueTimeUnitUs !== 1_000) {
    throw new WireError("malformed", `venue_time_unit_us is ${venueTimeUnitUs}`);
  }
  if (tradeIdDigits > TRADE_ID_DIGITS_MAX) {
    const problem = `trade_id_digits ${tradeIdDigits} exceeds ${TRADE_ID_DIGITS_MAX}`;
    throw new WireError("malformed", problem);
  }
  if (tradeIdForm > TradeIdForm.Text)
    throw new WireError("malformed", `trade_id_form is ${tradeIdForm}`);
}

function readPrefix(): string {
  const [start = 0, end = 0] = scan.ranges(BaseField.TradeIdPrefix).slice(-2);
  if (end - start > TRADE_ID_PREFIX_BYTES_MAX) {
    const problem = `a prefix of ${end - start} bytes exceeds ${TRADE_ID_PREFIX_BYTES_MAX}`;
    throw new WireError("malformed", problem);
  }
  return readText(scan.bytes, start, end);
}

/**
 * Fields that this code does not know are passed over; those that the writer did not know are such
 * as the venue does not say.
 */
function readRecord(state: ChainState): void {
  const fields = recordFieldsOf(eventKindOf(state.channel)?.rows);
  if (fields === undefined) return;
  const values = columnOf(BaseField.Values).map((code) => fromBigInt(unzigzagWide(code)));
  const scales = columnOf(BaseField.Scales).map((scale) =>
    checkedScale(Number(BigInt.asUintN(32, scale))),
  );
  state.fieldCount = values.length;
  for (const [index, field] of fields.entries()) {
    if (index >= values.length) state.absent |= 1 << index;
    state.values.push(values[index] ?? 0);
    state.scales.push(scales[index] ?? 0);
    if (index !== field.scaleField && state.scales[index] !== state.scales[field.scaleField]) {
      throw new WireError("malformed", `the scales of ${field.property} and its like differ`);
    }
    if (field.type !== "text" && field.type !== "mantissa" && state.scales[index] !== 0) {
      throw new WireError("malformed", `${field.property} is an integer and has a scale`);
    }
  }
}

function columnOf(field: number): bigint[] {
  const entries: bigint[] = [];
  const start = scan.start(field);
  if (start < 0) return entries;
  const end = scan.end(field);
  for (let at = start; at < end; at = varintEnd) entries.push(takeWide(scan.bytes, at));
  return entries;
}

/** A sint64 field; 0 if it is absent. */
function signed(field: number): bigint {
  return unzigzagWide(scan.wide(field));
}

function timeFrom(receivedTimeUs: number, offsetUs: bigint): number {
  const time = BigInt.asIntN(64, BigInt(receivedTimeUs) + offsetUs);
  return safeInteger("venue_time_offset_us", time);
}

function checkedScale(scale: number): number {
  if (scale <= SCALE_MAX) return scale;
  throw new WireError("malformed", `scale ${scale} exceeds ${SCALE_MAX}`);
}
