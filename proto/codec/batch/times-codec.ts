import * as BatchField from "../../gen/batch-field.ts";
import { takeNumber, takeWide, varintEnd } from "../byte-reader.ts";
import { putBigVarint, putVarint, VARINT_BYTES_MAX } from "../byte-writer.ts";
import type { ByteWriter } from "../byte-writer.ts";
import { BATCH_EVENTS_MAX } from "../limits.ts";
import type { RowTimes } from "../types.ts";
import {
  FAST_MAGNITUDE_MAX,
  unzigzag,
  unzigzagWide,
  wholeUnits,
  wholeUnitsWide,
  zigzagWide,
} from "../wide-integers.ts";
import { putDifference } from "./difference-writer.ts";
import { unsafeInteger } from "../wire-error.ts";
import type { ChainState } from "./chain-state.ts";
import type { EventTimes } from "./event-times.ts";
import type { FieldScan } from "./field-scan.ts";

/** What the column `times` says. */
type ReadTimes = {
  readonly publishedTimeUs: number;
  readonly receivedTimesUs: number[];
  readonly venueTimesUs: (number | undefined)[];
};

/** The times of the event at an index. */
export type TimesOf = (index: number) => RowTimes;

/** The times as rows have them. */
export function timesOf(times: ReadTimes): TimesOf {
  return (index) => ({
    venueTimeUs: times.venueTimesUs[index],
    receivedTimeUs: times.receivedTimesUs[index] as number,
  });
}

/** Events that a column `times` of so many entries describes; -1 if it is none. */
export function eventsOfTimes(entries: number, venueTimeUnitUs: number): number {
  const perEvent = venueTimeUnitUs === 0 ? 1 : 2;
  const count = (entries - 2) / perEvent;
  return count >= 0 && Number.isInteger(count) && count <= BATCH_EVENTS_MAX ? count : -1;
}

/** What a batch that has times begins them with, see `markOf`; NaN for no safe integer. */
export function takeMark(scan: FieldScan): number {
  return takeNumber(scan.bytes, scan.start(BatchField.Times));
}

/**
 * Reads the times of a batch of `count` events, which is what the column is long for, and moves
 * those of the state. Throws WireError for times beyond 2^53.
 */
export function readTimes(scan: FieldScan, state: ChainState, count: number): ReadTimes {
  const { bytes } = scan;
  const start = scan.start(BatchField.Times);
  const residue = takeNumber(bytes, start);
  if (residue !== residue) takeWide(bytes, start);
  const lagStart = varintEnd;
  const lag = takeNumber(bytes, lagStart);
  const wideLag = lag >= 0 ? 0n : takeWide(bytes, lagStart);
  let at = varintEnd;
  // oxlint-disable-next-line unicorn/no-new-array -- bounded by the bytes
  const receivedTimesUs = new Array<number>(count);
  // oxlint-disable-next-line unicorn/no-new-array -- the same
  const venueTimesUs = new Array<number | undefined>(count);
  const unit = state.venueTimeUnitUs;
  let received = state.receivedTimeUs;
  let { venueTimeUs: venue, venueReceivedTimeUs: venueReceived } = state;
  for (let index = 0; index < count; index += 1) {
    const advance = takeNumber(bytes, at);
    received = advance >= 0 ? received + advance : addWide(received, takeWide(bytes, at));
    at = varintEnd;
    if (received > Number.MAX_SAFE_INTEGER) throw unsafeInteger("a time", received);
    receivedTimesUs[index] = received;
    if (unit === 0) continue;
    const code = takeNumber(bytes, at);
    if (code === 0) {
      at = varintEnd;
      venueTimesUs[index] = undefined;
      continue;
    }
    const span = received - venueReceived;
    const isFast = code > 0 && span <= FAST_MAGNITUDE_MAX && span >= -FAST_MAGNITUDE_MAX;
    const fast = isFast ? venue + (unzigzag(code - 1) + wholeUnits(span, unit)) * unit : NaN;
    if (fast <= Number.MAX_SAFE_INTEGER && fast >= -Number.MAX_SAFE_INTEGER) venue = fast;
    else {
      const wideCode = code >= 0 ? BigInt(code) : takeWide(bytes, at);
      const units = wholeUnitsWide(BigInt(received) - BigInt(venueReceived), BigInt(unit));
      venue = addWide(venue, (unzigzagWide(wideCode - 1n) + units) * BigInt(unit));
    }
    at = varintEnd;
    venueReceived = received;
    venueTimesUs[index] = venue;
  }
  state.venueTimeUs = venue;
  state.venueReceivedTimeUs = venueReceived;
  state.receivedTimeUs = received;
  const publishedTimeUs =
    lag >= 0 ? received + unzigzag(lag) : addWide(received, unzigzagWide(wideLag));
  if (!Number.isSafeInteger(publishedTimeUs)) throw unsafeInteger("a time", publishedTimeUs);
  return { publishedTimeUs, receivedTimesUs, venueTimesUs };
}

function addWide(time: number, advance: bigint): number {
  const sum = Number(BigInt.asIntN(64, BigInt(time) + advance));
  if (Number.isSafeInteger(sum)) return sum;
  throw unsafeInteger("a time", sum);
}

/** Writes the times of a batch and moves those of the state. */
export function writeTimes(
  writer: ByteWriter,
  state: ChainState,
  times: EventTimes,
  batch: {
    readonly count: number;
    readonly mark: number;
    readonly publishedTimeUs: number;
  },
): void {
  const { count } = batch;
  const start = writer.open(BatchField.Times);
  writer.reserve((2 * count + 2) * VARINT_BYTES_MAX);
  const { bytes } = writer;
  const last = count === 0 ? state.receivedTimeUs : (times.received[count - 1] as number);
  let at = putVarint(bytes, start, batch.mark);
  at = putDifference(bytes, at, batch.publishedTimeUs, last);
  let previous = state.receivedTimeUs;
  for (let index = 0; index < count; index += 1) {
    const received = times.received[index] as number;
    const advance = received - previous;
    at =
      advance >= 0 && advance <= Number.MAX_SAFE_INTEGER
        ? putVarint(bytes, at, advance)
        : putBigVarint(bytes, at, BigInt.asUintN(64, BigInt(received) - BigInt(previous)));
    previous = received;
    if (state.venueTimeUnitUs === 0) continue;
    const venue = times.venue[index] as number;
    // NaN stands for no time.
    at =
      venue === venue
        ? putVenueTime(bytes, at, state, { venue, received })
        : putVarint(bytes, at, 0);
  }
  state.receivedTimeUs = previous;
  writer.position = at;
  writer.close(start);
}

function putVenueTime(
  bytes: Uint8Array,
  at: number,
  state: ChainState,
  { venue, received }: { readonly venue: number; readonly received: number },
): number {
  const { venueTimeUnitUs: unit } = state;
  const span = received - state.venueReceivedTimeUs;
  const advance = venue - state.venueTimeUs;
  const isFast =
    span <= FAST_MAGNITUDE_MAX &&
    span >= -FAST_MAGNITUDE_MAX &&
    advance <= FAST_MAGNITUDE_MAX / 2 &&
    advance >= -FAST_MAGNITUDE_MAX / 2;
  let end: number;
  if (isFast) {
    const units = advance / unit - wholeUnits(span, unit);
    end = putVarint(bytes, at, 1 + (units < 0 ? -2 * units - 1 : 2 * units));
  } else {
    const wideUnit = BigInt(unit);
    const spanUnits = wholeUnitsWide(
      BigInt(received) - BigInt(state.venueReceivedTimeUs),
      wideUnit,
    );
    const units = (BigInt(venue) - BigInt(state.venueTimeUs)) / wideUnit - spanUnits;
    end = putBigVarint(bytes, at, 1n + zigzagWide(units));
  }
  state.venueTimeUs = venue;
  state.venueReceivedTimeUs = received;
  return end;
}
