import * as BatchField from "../../gen/batch-field.ts";
import * as BaseField from "../../gen/base-field.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { readText, safeInteger, takeUint32, varintEnd } from "../byte-reader.ts";
import { VARINT_BYTES_MAX, putBigVarint, putVarint, writeUint } from "../byte-writer.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { SCALE_MAX } from "../limits.ts";
import { putDifference } from "../wide-integers.ts";
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

/** Bytes that the fields of a base take at most, but for its prefix, values and scales. */
const BASE_BYTES_MAX = 160;

/**
 * Writes the state as the `base` field of a Batch, with its tag. Every message of the bus has one,
 * so it is written without a call that looks for room before each of its fields.
 */
export function writeBase(writer: ByteWriter, state: ChainState): void {
  const start = writer.open(BatchField.Base);
  writer.reserve(BASE_BYTES_MAX);
  const { bytes } = writer;
  const { receivedTimeUs, venueTimeUnitUs } = state;
  let at = putUnsigned(bytes, start, BaseField.Channel, state.channel);
  at = putUnsigned(bytes, at, BaseField.Epoch, state.epoch);
  at = putUnsigned(bytes, at, BaseField.Sequence, state.sequence);
  if (receivedTimeUs >= 0) at = putUnsigned(bytes, at, BaseField.ReceivedTimeUs, receivedTimeUs);
  else {
    bytes[at] = BaseField.ReceivedTimeUs << 3;
    at = putBigVarint(bytes, at + 1, BigInt.asUintN(64, BigInt(receivedTimeUs)));
  }
  if (venueTimeUnitUs !== 0) {
    const { venueTimeUs, venueReceivedTimeUs } = state;
    at = putSigned(bytes, at, BaseField.VenueTimeOffsetUs, venueTimeUs, receivedTimeUs);
    const field = BaseField.VenueTimeReceivedOffsetUs;
    at = putSigned(bytes, at, field, venueReceivedTimeUs, receivedTimeUs);
    at = putUnsigned(bytes, at, BaseField.VenueTimeUnitUs, venueTimeUnitUs);
  }
  at = putUnsigned(bytes, at, BaseField.PriceScale, state.priceScale);
  at = putUnsigned(bytes, at, BaseField.SizeScale, state.sizeScale);
  at = putSigned(bytes, at, BaseField.Price, state.price, 0);
  at = putSigned(bytes, at, BaseField.AskPrice, state.askPrice, 0);
  at = putUnsigned(bytes, at, BaseField.TradeIdForm, state.tradeIdForm);
  writer.position = putSigned(bytes, at, BaseField.TradeId, state.tradeId, 0);
  if (state.tradeIdPrefix !== "") {
    writer.stringField(BaseField.TradeIdPrefix, state.tradeIdPrefix);
  }
  writeUint(writer, BaseField.TradeIdDigits, state.tradeIdDigits);
  if (state.values.length > 0) writeRecord(writer, state);
  writer.close(start);
}

/** A field below 16 with a whole number from 0 on; nothing for 0. */
function putUnsigned(bytes: Uint8Array, at: number, field: number, value: number): number {
  if (value === 0) return at;
  bytes[at] = field << 3;
  return putVarint(bytes, at + 1, value);
}

/** A sint64 field below 16 of `a - b`; nothing for 0. */
function putSigned(bytes: Uint8Array, at: number, field: number, a: Mantissa, b: Mantissa): number {
  if (a === b) return at;
  bytes[at] = field << 3;
  return putDifference(bytes, at + 1, a, b);
}

function writeRecord(writer: ByteWriter, state: ChainState): void {
  const values = writer.open(BaseField.Values);
  writer.reserve(state.values.length * VARINT_BYTES_MAX);
  let at = values;
  for (let index = 0; index < state.values.length; index += 1) {
    at = putDifference(writer.bytes, at, state.values[index] as Mantissa, 0);
  }
  writer.position = at;
  writer.close(values);
  const scales = writer.open(BaseField.Scales);
  for (let index = 0; index < state.scales.length; index += 1) {
    writer.varint(state.scales[index] as number);
  }
  writer.close(scales);
  writeUint(writer, BaseField.Absent, state.absent);
}

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
