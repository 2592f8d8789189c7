import { assert } from "#core/assert.ts";
import { countedId } from "#core/counted-id.ts";
import type { AggressorSide, Trade } from "#core/market-event.ts";
import { TradeAt } from "#core/market-tick.ts";
import type { TradeTick } from "#core/market-tick.ts";
import type { KeptRows } from "./history-page.ts";

/** A trade with its place in the topic. */
export type NumberedTrade = { readonly sequence: number; readonly trade: Trade };

/**
 * Room for trades at first. It grows by this factor up to the capacity: each time all that is there
 * is copied, and topics that begin together grow together.
 */
const TRADES_MIN = 16;
const GROWTH = 4;

/** Numbers of a trade, one after the other. */
const At = { Sequence: 0, Received: 1, Venue: 2, Price: 3, Size: 4, Id: 5 } as const;
const NUMBERS = 6;

const SIDES: readonly AggressorSide[] = ["none", "buyer", "seller"];
const SIDE_MASK = 3;
const HISTORICAL = 4;

/** Scales up to here have room in a byte; no venue comes near. */
const SCALE_MAX = 255;

/**
 * The last trades of one topic, oldest first, as numbers in one array: a trade takes 51 bytes, and
 * an object is made of it when somebody asks. What does not fit (mantissas beyond 2^53) is kept as
 * it came, and an id that is not counted as its text.
 */
export class RecentTrades implements KeptRows<NumberedTrade> {
  readonly #capacity: number;
  #numbers = new Float64Array(0);
  /** Side and whether it is historical. */
  #flags = new Uint8Array(0);
  #priceScales = new Uint8Array(0);
  #sizeScales = new Uint8Array(0);
  /** By their place; ids that are counted are numbers. */
  #ids: string[] | undefined;
  /** By their place, trades that do not fit. */
  #odd: Map<number, Trade> | undefined;
  #count = 0;
  #oldest = 0;
  #instrument: Trade["instrument"] | undefined;

  constructor(options: { readonly capacity: number }) {
    const { capacity } = options;
    assert(Number.isSafeInteger(capacity) && capacity > 0, "there is room for at least one trade");
    this.#capacity = capacity;
  }

  get length(): number {
    return this.#count;
  }

  /** Trades are of one instrument. */
  push(trade: Trade, sequence: number): void {
    this.#put(this.#placeFor(trade.instrument), trade, sequence);
  }

  /** The same for one that is a tick. */
  pushTick(tick: TradeTick, sequence: number): void {
    const place = this.#placeFor(tick.instrument);
    const { priceScale, sizeScale, numbers: of } = tick;
    const id = of[TradeAt.Id]!;
    if (Number.isNaN(id) || priceScale > SCALE_MAX || sizeScale > SCALE_MAX) {
      this.#put(place, tick.event(), sequence);
      return;
    }
    if (this.#odd !== undefined) this.#odd.delete(place);
    if (this.#ids !== undefined) this.#ids[place] = "";
    const numbers = this.#numbers;
    const first = place * NUMBERS;
    numbers[first + At.Sequence] = sequence;
    numbers[first + At.Received] = of[TradeAt.Received]!;
    numbers[first + At.Venue] = of[TradeAt.Venue]!;
    numbers[first + At.Price] = of[TradeAt.Price]!;
    numbers[first + At.Size] = of[TradeAt.Size]!;
    numbers[first + At.Id] = id;
    this.#flags[place] = SIDES.indexOf(tick.side);
    this.#priceScales[place] = priceScale;
    this.#sizeScales[place] = sizeScale;
  }

  /** Where the next trade is put, in place of the oldest if there are as many as may be. */
  #placeFor(instrument: Trade["instrument"]): number {
    this.#instrument ??= instrument;
    assert(this.#instrument === instrument, "the trades of a topic are of one instrument");
    let place = this.#count;
    if (place === this.#capacity) {
      place = this.#oldest;
      this.#oldest = (this.#oldest + 1) % this.#capacity;
    } else {
      if (place === this.#flags.length) this.#grow();
      this.#count += 1;
    }
    return place;
  }

  /** From 0, the oldest, to below `length`. */
  at(index: number): NumberedTrade {
    assert(index >= 0 && index < this.#count, "what is asked for is kept");
    const place = (this.#oldest + index) % this.#count;
    const sequence = this.#numbers[place * NUMBERS + At.Sequence]!;
    return { sequence, trade: this.#odd?.get(place) ?? this.#tradeAt(place) };
  }

  #put(place: number, trade: Trade, sequence: number): void {
    const numbers = this.#numbers;
    const first = place * NUMBERS;
    numbers[first + At.Sequence] = sequence;
    const { priceMantissa, sizeMantissa, priceScale, sizeScale, tradeId } = trade;
    const isPlain = typeof priceMantissa === "number" && typeof sizeMantissa === "number";
    if (!isPlain || priceScale > SCALE_MAX || sizeScale > SCALE_MAX) {
      this.#odd ??= new Map();
      this.#odd.set(place, trade);
      return;
    }
    this.#odd?.delete(place);
    numbers[first + At.Received] = trade.receivedTimeUs;
    // NaN stands for no time.
    numbers[first + At.Venue] = trade.venueTimeUs ?? Number.NaN;
    numbers[first + At.Price] = priceMantissa;
    numbers[first + At.Size] = sizeMantissa;
    const id = countedId(tradeId);
    numbers[first + At.Id] = id;
    if (id < 0) (this.#ids ??= [])[place] = tradeId;
    else if (this.#ids !== undefined) this.#ids[place] = "";
    this.#flags[place] = SIDES.indexOf(trade.aggressorSide) | (trade.historical ? HISTORICAL : 0);
    this.#priceScales[place] = priceScale;
    this.#sizeScales[place] = sizeScale;
  }

  #tradeAt(place: number): Trade {
    const numbers = this.#numbers;
    const first = place * NUMBERS;
    const instrument = this.#instrument;
    assert(instrument !== undefined, "a trade that is kept has an instrument");
    const venueTimeUs = numbers[first + At.Venue]!;
    const id = numbers[first + At.Id]!;
    const flags = this.#flags[place]!;
    return {
      kind: "trade",
      instrument,
      venueTimeUs: Number.isNaN(venueTimeUs) ? undefined : venueTimeUs,
      receivedTimeUs: numbers[first + At.Received]!,
      priceMantissa: numbers[first + At.Price]!,
      priceScale: this.#priceScales[place]!,
      sizeMantissa: numbers[first + At.Size]!,
      sizeScale: this.#sizeScales[place]!,
      aggressorSide: SIDES[flags & SIDE_MASK] as AggressorSide,
      tradeId: id < 0 ? (this.#ids?.[place] ?? "") : String(id),
      historical: (flags & HISTORICAL) !== 0,
    };
  }

  #grow(): void {
    const room = Math.min(this.#capacity, Math.max(TRADES_MIN, GROWTH * this.#flags.length));
    const numbers = new Float64Array(room * NUMBERS);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
    this.#flags = grown(this.#flags, room);
    this.#priceScales = grown(this.#priceScales, room);
    this.#sizeScales = grown(this.#sizeScales, room);
  }
}

function grown(bytes: Uint8Array, room: number): Uint8Array<ArrayBuffer> {
  const larger = new Uint8Array(room);
  larger.set(bytes);
  return larger;
}
