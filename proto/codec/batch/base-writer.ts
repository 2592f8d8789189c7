import * as BatchField from "../../gen/batch-field.ts";
import * as BaseField from "../../gen/base-field.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { VARINT_BYTES_MAX, putBigVarint, putVarint, writeUint } from "../byte-writer.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { FAST_MAGNITUDE_MAX } from "../wide-integers.ts";
import type { ChainState } from "./chain-state.ts";
import { putDifference } from "./difference-writer.ts";
import { NOT_PLAIN, TIME_MIN, putSmall, putTime } from "./small-varint.ts";

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
  // The numbers of channels take one byte.
  bytes[start] = BaseField.Channel << 3;
  bytes[start + 1] = state.channel;
  const end = putPlainNumbers(bytes, start + 2, state);
  writer.position = end === NOT_PLAIN ? putAnyNumbers(bytes, start + 2, state) : end;
  if (state.tradeIdPrefix !== "") {
    writer.stringField(BaseField.TradeIdPrefix, state.tradeIdPrefix);
  }
  writeUint(writer, BaseField.TradeIdDigits, state.tradeIdDigits);
  if (state.values.length > 0) writeRecord(writer, state);
  writer.close(start);
}

/** Fields from `Epoch` to `TradeId`, in the order of their numbers. */
const numbers = new Float64Array(BaseField.TradeId - BaseField.Epoch + 1);

/**
 * The numbers of a base, nothing for those that are 0, if all of them are safe integers that differ
 * little; NOT_PLAIN otherwise. They go through an array and one loop, because a number that is
 * handed to a function is an object.
 */
function putPlainNumbers(bytes: Uint8Array, start: number, state: ChainState): number {
  const { receivedTimeUs, venueTimeUnitUs, price, askPrice, tradeId } = state;
  if (typeof price !== "number" || typeof askPrice !== "number") return NOT_PLAIN;
  if (typeof tradeId !== "number") return NOT_PLAIN;
  const hasVenueTimes = venueTimeUnitUs !== 0;
  numbers[0] = state.epoch;
  numbers[1] = state.sequence;
  numbers[2] = receivedTimeUs;
  numbers[3] = hasVenueTimes ? zigzag(state.venueTimeUs - receivedTimeUs) : 0;
  numbers[4] = hasVenueTimes ? zigzag(state.venueReceivedTimeUs - receivedTimeUs) : 0;
  numbers[5] = venueTimeUnitUs;
  numbers[6] = state.priceScale;
  numbers[7] = state.sizeScale;
  numbers[8] = zigzag(price);
  numbers[9] = zigzag(askPrice);
  numbers[10] = state.tradeIdForm;
  numbers[11] = zigzag(tradeId);
  let at = start;
  for (let index = 0; index < numbers.length; index += 1) {
    const value = numbers[index] as number;
    if (value === 0) continue;
    bytes[at] = (BaseField.Epoch + index) << 3;
    const small = value | 0;
    if (small === value && small > 0) at = putSmall(bytes, at + 1, small);
    else if (value >= TIME_MIN && value <= Number.MAX_SAFE_INTEGER) {
      at = putTime(bytes, at + 1, value);
    } else if (value > 0 && value < TIME_MIN) at = putVarint(bytes, at + 1, value);
    else return NOT_PLAIN;
  }
  return at;
}

/** NaN for what is not plain. */
function zigzag(value: number): number {
  const isPlain = value <= FAST_MAGNITUDE_MAX && value >= -FAST_MAGNITUDE_MAX;
  if (!isPlain) return NaN;
  return value < 0 ? -2 * value - 1 : 2 * value;
}

/** The same numbers, whatever they are. */
function putAnyNumbers(bytes: Uint8Array, start: number, state: ChainState): number {
  const { receivedTimeUs, venueTimeUnitUs } = state;
  let at = putUnsigned(bytes, start, BaseField.Epoch, state.epoch);
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
  return putSigned(bytes, at, BaseField.TradeId, state.tradeId, 0);
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
    const value = state.values[index] as Mantissa;
    const code = typeof value === "number" ? zigzag(value) : NaN;
    const small = code | 0;
    at =
      small === code && small >= 0
        ? putSmall(writer.bytes, at, small)
        : putDifference(writer.bytes, at, value, 0);
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
