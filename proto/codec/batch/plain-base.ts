import * as BatchField from "../../gen/batch-field.ts";
import * as BaseField from "../../gen/base-field.ts";
import { WIRE_BYTES } from "../byte-reader.ts";
import type { ChainState } from "./chain-state.ts";
import { NOT_PLAIN, putSigned, putSmall, putUnsignedField } from "./small-varint.ts";
import type { ColumnBytes } from "./small-varint.ts";

const BASE_TAG = (BatchField.Base << 3) | WIRE_BYTES;
const CHANNEL_TAG = BaseField.Channel << 3;
const EPOCH_TAG = BaseField.Epoch << 3;
const SEQUENCE_TAG = BaseField.Sequence << 3;
const RECEIVED_TAG = BaseField.ReceivedTimeUs << 3;
const VENUE_OFFSET_TAG = BaseField.VenueTimeOffsetUs << 3;
const VENUE_RECEIVED_OFFSET_TAG = BaseField.VenueTimeReceivedOffsetUs << 3;
const VENUE_UNIT_TAG = BaseField.VenueTimeUnitUs << 3;
const PRICE_SCALE_TAG = BaseField.PriceScale << 3;
const SIZE_SCALE_TAG = BaseField.SizeScale << 3;
const PRICE_TAG = BaseField.Price << 3;
const ASK_PRICE_TAG = BaseField.AskPrice << 3;
const TRADE_ID_FORM_TAG = BaseField.TradeIdForm << 3;
const TRADE_ID_TAG = BaseField.TradeId << 3;
const VALUES_TAG = (BaseField.Values << 3) | WIRE_BYTES;
const SCALES_TAG = (BaseField.Scales << 3) | WIRE_BYTES;

/** Most bytes that a base takes whose length is one byte. */
export const PLAIN_BASE_BYTES_MAX = 0x7f + 2;

/**
 * Writes the state of a chain whose values are safe integers as the `base` field of a Batch, with
 * its tag; returns the position after it, or NOT_PLAIN. Every message of the bus has a base, which
 * is half of what a batch of one event is: so each field is written where it is known, in words of
 * four bytes where it is a time.
 */
export function putPlainBase(into: ColumnBytes, start: number, state: ChainState): number {
  if (state.tradeIdPrefix !== "" || state.tradeIdDigits !== 0) return NOT_PLAIN;
  const { bytes } = into;
  bytes[start] = BASE_TAG;
  bytes[start + 2] = CHANNEL_TAG;
  // The numbers of channels take one byte.
  bytes[start + 3] = state.channel;
  let at = putTimes(into, start + 4, state);
  if (at !== NOT_PLAIN) at = putPrices(into, at, state);
  if (at !== NOT_PLAIN && state.values.length > 0) at = putRecord(into, at, state);
  if (at === NOT_PLAIN || at - start > PLAIN_BASE_BYTES_MAX) return NOT_PLAIN;
  bytes[start + 1] = at - start - 2;
  return at;
}

/** Epoch, sequence and times. */
function putTimes(into: ColumnBytes, start: number, state: ChainState): number {
  const { receivedTimeUs, venueTimeUnitUs } = state;
  let at = putUnsignedField(into, start, EPOCH_TAG, state.epoch);
  at = putUnsignedField(into, at, SEQUENCE_TAG, state.sequence);
  at = putUnsignedField(into, at, RECEIVED_TAG, receivedTimeUs);
  if (venueTimeUnitUs === 0 || at === NOT_PLAIN) return at;
  at = putSignedField(into, at, VENUE_OFFSET_TAG, state.venueTimeUs - receivedTimeUs);
  if (at === NOT_PLAIN) return NOT_PLAIN;
  const offset = state.venueReceivedTimeUs - receivedTimeUs;
  at = putSignedField(into, at, VENUE_RECEIVED_OFFSET_TAG, offset);
  if (at === NOT_PLAIN) return NOT_PLAIN;
  into.bytes[at] = VENUE_UNIT_TAG;
  return putSmall(into.bytes, at + 1, venueTimeUnitUs);
}

/** Scales, and what prices and ids go on from. */
function putPrices(into: ColumnBytes, start: number, state: ChainState): number {
  const { price, askPrice, tradeId, tradeIdForm } = state;
  if (typeof price !== "number" || typeof askPrice !== "number") return NOT_PLAIN;
  if (typeof tradeId !== "number") return NOT_PLAIN;
  const { bytes } = into;
  let at = start;
  if (state.priceScale > 0) {
    bytes[at] = PRICE_SCALE_TAG;
    at = putSmall(bytes, at + 1, state.priceScale);
  }
  if (state.sizeScale > 0) {
    bytes[at] = SIZE_SCALE_TAG;
    at = putSmall(bytes, at + 1, state.sizeScale);
  }
  at = putSignedField(into, at, PRICE_TAG, price);
  if (at !== NOT_PLAIN) at = putSignedField(into, at, ASK_PRICE_TAG, askPrice);
  if (tradeIdForm === 0 || at === NOT_PLAIN) return at;
  bytes[at] = TRADE_ID_FORM_TAG;
  bytes[at + 1] = tradeIdForm;
  return putSignedField(into, at + 2, TRADE_ID_TAG, tradeId);
}

/** A field below 16; nothing for 0. */
function putSignedField(into: ColumnBytes, at: number, tag: number, value: number): number {
  if (value === 0) return at;
  into.bytes[at] = tag;
  return putSigned(into, at + 1, value);
}

/** The values of the fields of a quote and their scales, which take few bytes. */
function putRecord(into: ColumnBytes, start: number, { values, scales }: ChainState): number {
  const { bytes } = into;
  // Tags from 128 on take two bytes.
  bytes[start] = (VALUES_TAG & 0x7f) | 0x80;
  bytes[start + 1] = VALUES_TAG >> 7;
  let at = start + 3;
  for (let index = 0; index < values.length; index += 1) {
    const value = values[index];
    at = typeof value === "number" ? putSigned(into, at, value) : NOT_PLAIN;
    if (at === NOT_PLAIN) return NOT_PLAIN;
  }
  bytes[start + 2] = at - start - 3;
  bytes[at] = (SCALES_TAG & 0x7f) | 0x80;
  bytes[at + 1] = SCALES_TAG >> 7;
  const scalesStart = at + 3;
  at = scalesStart;
  for (let index = 0; index < scales.length; index += 1) {
    at = putSmall(bytes, at, scales[index] as number);
  }
  bytes[scalesStart - 1] = at - scalesStart;
  return at;
}
