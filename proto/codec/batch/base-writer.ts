import * as BatchField from "../../gen/batch-field.ts";
import * as BaseField from "../../gen/base-field.ts";
import type { Mantissa } from "../../model/decimal.ts";
import { VARINT_BYTES_MAX, putBigVarint, putVarint, writeUint } from "../byte-writer.ts";
import type { ByteWriter } from "../byte-writer.ts";
import type { ChainState } from "./chain-state.ts";
import { putDifference } from "./difference-writer.ts";

/** Bytes that the fields of a base take at most, but for its prefix, values and scales. */
const BASE_BYTES_MAX = 160;

/**
 * Writes the state as the `base` field of a Batch, with its tag, whatever is in it. Where it is as
 * usual, `putPlainBase` gives the same bytes.
 */
export function writeBase(writer: ByteWriter, state: ChainState): void {
  const start = writer.open(BatchField.Base);
  writer.reserve(BASE_BYTES_MAX);
  const { bytes } = writer;
  // The numbers of channels take one byte.
  bytes[start] = BaseField.Channel << 3;
  bytes[start + 1] = state.channel;
  writer.position = putNumbers(bytes, start + 2, state);
  if (state.tradeIdPrefix !== "") {
    writer.stringField(BaseField.TradeIdPrefix, state.tradeIdPrefix);
  }
  writeUint(writer, BaseField.TradeIdDigits, state.tradeIdDigits);
  if (state.values.length > 0) writeRecord(writer, state);
  writer.close(start);
}

/** The numbers of a base, whatever they are; nothing for those that are 0. */
function putNumbers(bytes: Uint8Array, start: number, state: ChainState): number {
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
