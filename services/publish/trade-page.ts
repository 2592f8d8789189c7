import { assert } from "#core/assert.ts";
import { putVarint, takeVarint, varintEnd } from "#core/varint.ts";
import type { AggressorSide, Trade } from "#core/market-event.ts";

/** A trade with its place in the topic. */
export type NumberedTrade = { readonly sequence: number; readonly trade: Trade };

/** What is written of a trade; the writer's own, which is read at once. */
export type TradeNumbers = {
  sequence: number;
  receivedTimeUs: number;
  /** NaN if the venue says none. */
  venueTimeUs: number;
  price: number;
  size: number;
  priceScale: number;
  sizeScale: number;
  /** An id that is counted; -1 where `idText` has it. */
  id: number;
  idText: string;
  side: AggressorSide;
  historical: boolean;
};

const SIDES: readonly AggressorSide[] = ["none", "buyer", "seller"];
const SIDE_MASK = 3;
/** Bits of a trade's first byte above the side. */
const Flag = { Historical: 4, VenueTime: 8, CountedId: 16, Scales: 32, Elsewhere: 64 } as const;

/** A difference of two numbers up to here, doubled for its sign, is still exact. */
const PLAIN_MAX = 2 ** 51;
const SCALE_MAX = 255;
const ID_LENGTH_MAX = 127;
const ASCII_MAX = 127;
/** Of a trade without the text of its id, at most. */
const TRADE_BYTES_MAX = 56;

/**
 * Trades that follow each other in one piece of memory: each takes some twelve bytes, because
 * times, prices and ids are written as what they differ by from the trade before.
 */
export class TradePage {
  readonly #bytes: Uint8Array;
  #used = 0;
  #count = 0;
  #sequence = 0;
  #receivedTimeUs = 0;
  #price = 0;
  #id = 0;
  #priceScale = 0;
  #sizeScale = 0;

  constructor(bytes: number) {
    assert(bytes >= TRADE_BYTES_MAX + ID_LENGTH_MAX, "a page has room for a trade");
    this.#bytes = new Uint8Array(bytes);
  }

  get count(): number {
    return this.#count;
  }

  /** Whether there is room for this trade. */
  hasRoom(trade: TradeNumbers): boolean {
    const text = trade.id < 0 ? trade.idText.length : 0;
    return this.#bytes.length - this.#used >= TRADE_BYTES_MAX + text;
  }

  /** Takes a place for a trade that is kept elsewhere. */
  addElsewhere(sequence: number): void {
    this.#bytes[this.#used] = Flag.Elsewhere;
    this.#used = this.#put(this.#used + 1, sequence - this.#sequence);
    this.#sequence = sequence;
    this.#count += 1;
  }

  /** Writes a trade that `isPlain` and has room. */
  add(trade: TradeNumbers): void {
    const { receivedTimeUs, venueTimeUs, price, priceScale, sizeScale, id } = trade;
    const bytes = this.#bytes;
    const start = this.#used;
    let flags = SIDES.indexOf(trade.side);
    if (trade.historical) flags |= Flag.Historical;
    let at = this.#put(start + 1, trade.sequence - this.#sequence);
    at = this.#put(at, receivedTimeUs - this.#receivedTimeUs);
    if (venueTimeUs === venueTimeUs) {
      flags |= Flag.VenueTime;
      at = this.#put(at, venueTimeUs - receivedTimeUs);
    }
    at = this.#put(at, price - this.#price);
    at = this.#put(at, trade.size);
    if (priceScale !== this.#priceScale || sizeScale !== this.#sizeScale) {
      flags |= Flag.Scales;
      bytes[at] = priceScale;
      bytes[at + 1] = sizeScale;
      at += 2;
    }
    if (id >= 0) {
      flags |= Flag.CountedId;
      at = this.#put(at, id - this.#id);
      this.#id = id;
    } else at = putText(bytes, at, trade.idText);
    bytes[start] = flags;
    this.#used = at;
    this.#count += 1;
    this.#sequence = trade.sequence;
    this.#receivedTimeUs = receivedTimeUs;
    this.#price = price;
    this.#priceScale = priceScale;
    this.#sizeScale = sizeScale;
  }

  /**
   * All trades, oldest first; `elsewhere` has those that are not here, by their place, and none
   * where nobody asks for it any more.
   */
  read(
    instrument: Trade["instrument"],
    elsewhere: (index: number) => Trade | undefined,
  ): readonly (NumberedTrade | undefined)[] {
    const trades: (NumberedTrade | undefined)[] = [];
    const reader = new PageReader(this.#bytes);
    let [sequence, receivedTimeUs, priceMantissa, id, priceScale, sizeScale] = [0, 0, 0, 0, 0, 0];
    for (let index = 0; index < this.#count; index += 1) {
      const flags = reader.byte();
      sequence += reader.number();
      if ((flags & Flag.Elsewhere) !== 0) {
        const trade = elsewhere(index);
        trades.push(trade === undefined ? undefined : { sequence, trade });
        continue;
      }
      receivedTimeUs += reader.number();
      const hasVenueTime = (flags & Flag.VenueTime) !== 0;
      const venueTimeUs = hasVenueTime ? receivedTimeUs + reader.number() : undefined;
      priceMantissa += reader.number();
      const sizeMantissa = reader.number();
      if ((flags & Flag.Scales) !== 0) {
        priceScale = reader.byte();
        sizeScale = reader.byte();
      }
      const isCounted = (flags & Flag.CountedId) !== 0;
      if (isCounted) id += reader.number();
      const tradeId = isCounted ? String(id) : reader.text();
      const aggressorSide = SIDES[flags & SIDE_MASK] as AggressorSide;
      const historical = (flags & Flag.Historical) !== 0;
      const times = { venueTimeUs, receivedTimeUs };
      const numbers = { priceMantissa, priceScale, sizeMantissa, sizeScale };
      const rest = { aggressorSide, tradeId, historical };
      trades.push({
        sequence,
        trade: { kind: "trade", instrument, ...times, ...numbers, ...rest },
      });
    }
    return trades;
  }

  /** Writes a whole number, by its magnitude and its sign. */
  #put(start: number, value: number): number {
    return putVarint(this.#bytes, start, value < 0 ? -2 * value - 1 : 2 * value);
  }
}

/** Whether a page can say the trade exactly. */
export function isPlain(trade: TradeNumbers): boolean {
  const { receivedTimeUs, venueTimeUs, price, size, id, priceScale, sizeScale, idText } = trade;
  return (
    isPlainNumber(receivedTimeUs) &&
    (venueTimeUs !== venueTimeUs || isPlainNumber(venueTimeUs)) &&
    isPlainNumber(price) &&
    isPlainNumber(size) &&
    priceScale <= SCALE_MAX &&
    sizeScale <= SCALE_MAX &&
    (id >= 0 ? isPlainNumber(id) : isPlainText(idText))
  );
}

function isPlainNumber(value: number): boolean {
  return value <= PLAIN_MAX && value >= -PLAIN_MAX;
}

function isPlainText(text: string): boolean {
  if (text.length > ID_LENGTH_MAX) return false;
  for (let index = 0; index < text.length; index += 1) {
    if (text.charCodeAt(index) > ASCII_MAX) return false;
  }
  return true;
}

function putText(bytes: Uint8Array, start: number, text: string): number {
  bytes[start] = text.length;
  for (let index = 0; index < text.length; index += 1) {
    bytes[start + 1 + index] = text.charCodeAt(index);
  }
  return start + 1 + text.length;
}

class PageReader {
  readonly #bytes: Uint8Array;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
  }

  byte(): number {
    const byte = this.#bytes[this.#at] as number;
    this.#at += 1;
    return byte;
  }

  number(): number {
    const code = takeVarint(this.#bytes, this.#at);
    this.#at = varintEnd;
    return code % 2 === 0 ? code / 2 : -(code + 1) / 2;
  }

  text(): string {
    const start = this.#at + 1;
    this.#at = start + this.byte();
    return String.fromCharCode(...this.#bytes.subarray(start, this.#at));
  }
}
