import * as BatchField from "../../gen/batch-field.ts";
import * as BaseField from "../../gen/base-field.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { VARINT_BYTES_MAX, putBigVarint, putVarint, writeUint } from "../byte-writer.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { ChainState } from "./chain-state.ts";
import { putDifference } from "./difference-writer.ts";
import { putSmall } from "./small-varint.ts";

/** From here on up to 2^53 a varint takes eight bytes. */
const TIME_MIN = 2 ** 49;

/** Zigzag codes of numbers below this have 31 bits. */
const ZIGZAG_SMALL_MAX = 2 ** 30;

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
  // The numbers of channels take one byte.
  bytes[start] = BaseField.Channel << 3;
  bytes[start + 1] = state.channel;
  let at = putUnsigned(bytes, start + 2, BaseField.Epoch, state.epoch);
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
  const small = value | 0;
  if (small === value) return putSmall(bytes, at + 1, small);
  return value >= TIME_MIN ? putTime(bytes, at + 1, value) : putVarint(bytes, at + 1, value);
}

/** A sint64 field below 16 of `a - b`; nothing for 0. */
function putSigned(bytes: Uint8Array, at: number, field: number, a: Mantissa, b: Mantissa): number {
  if (a === b) return at;
  bytes[at] = field << 3;
  return putSignedValue(bytes, at + 1, a, b);
}

function putSignedValue(bytes: Uint8Array, at: number, a: Mantissa, b: Mantissa): number {
  if (typeof a === "number" && typeof b === "number") {
    const small = (a - b) | 0;
    const isSmall = small < ZIGZAG_SMALL_MAX && small > -ZIGZAG_SMALL_MAX;
    if (isSmall && small === a - b) return putSmall(bytes, at, (small << 1) ^ (small >> 31));
  }
  return putDifference(bytes, at, a, b);
}

/** Writes a number from TIME_MIN on, as times and epochs of our years are: it takes eight bytes. */
function putTime(bytes: Uint8Array, at: number, value: number): number {
  const high = (value / 2 ** 28) | 0;
  const low = value - high * 2 ** 28;
  bytes[at] = low | 0x80;
  bytes[at + 1] = (low >>> 7) | 0x80;
  bytes[at + 2] = (low >>> 14) | 0x80;
  bytes[at + 3] = (low >>> 21) | 0x80;
  bytes[at + 4] = high | 0x80;
  bytes[at + 5] = (high >>> 7) | 0x80;
  bytes[at + 6] = (high >>> 14) | 0x80;
  bytes[at + 7] = high >>> 21;
  return at + 8;
}

function writeRecord(writer: ByteWriter, state: ChainState): void {
  const values = writer.open(BaseField.Values);
  writer.reserve(state.values.length * VARINT_BYTES_MAX);
  let at = values;
  for (let index = 0; index < state.values.length; index += 1) {
    at = putSignedValue(writer.bytes, at, state.values[index] as Mantissa, 0);
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
