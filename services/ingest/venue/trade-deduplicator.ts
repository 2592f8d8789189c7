import { assert } from "#core/assert.ts";
import { countedId } from "#core/counted-id.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Trade } from "#core/market-event.ts";
import { TradeAt } from "#core/market-tick.ts";
import type { TradeTick } from "#core/market-tick.ts";

/** Room for entries at first; it doubles. There are never more of them than ids. */
const ENTRIES_MIN = 8;

/** Ids that are texts. */
type RecentTexts = {
  readonly ids: Set<string>;
  /** The same ids, oldest at `oldest`. */
  readonly ring: string[];
  oldest: number;
};

/**
 * The last ids of those that are counted, from 0 on. Ids that follow each other without a hole, as
 * most do, are kept as the first of them and, below zero, the last; so the ids of a busy market
 * take some bytes. Numbers above all that were seen are new without being looked for.
 */
class RecentNumbers {
  readonly #idsMax: number;
  #entries: Float64Array;
  /** The oldest entry, and behind the newest. */
  #first = 0;
  #end = 0;
  /** Ids that the entries stand for. */
  #count = 0;
  #highest = -1;

  constructor(idsMax: number) {
    this.#idsMax = idsMax;
    this.#entries = new Float64Array(ENTRIES_MIN);
  }

  /** True for an id that was not seen before. */
  add(id: number): boolean {
    if (id <= this.#highest && this.#has(id)) return false;
    this.#highest = Math.max(this.#highest, id);
    this.#append(id);
    this.#count += 1;
    if (this.#count > this.#idsMax) this.#dropOldest();
    assert(this.#count <= this.#idsMax, "no more ids are remembered than recentTradeIdsMax");
    return true;
  }

  #append(id: number): void {
    const entries = this.#entries;
    const last = this.#end - 1;
    const newest = last < this.#first ? Number.NaN : entries[last]!;
    if (newest < 0 && id === 1 - newest) entries[last] = -id;
    else if (newest >= 0 && id === newest + 1) this.#push(-id);
    else this.#push(id);
  }

  #push(entry: number): void {
    if (this.#end === this.#entries.length) this.#makeRoom();
    this.#entries[this.#end] = entry;
    this.#end += 1;
  }

  #dropOldest(): void {
    const entries = this.#entries;
    const from = entries[this.#first]! + 1;
    const next = this.#first + 1 < this.#end ? entries[this.#first + 1]! : 0;
    if (next < 0 && from < -next) entries[this.#first] = from;
    else {
      this.#first += 1;
      if (next < 0) entries[this.#first] = -next;
    }
    this.#count -= 1;
  }

  #has(id: number): boolean {
    const entries = this.#entries;
    let from = 0;
    for (let index = this.#first; index < this.#end; index += 1) {
      const entry = entries[index]!;
      if (entry >= 0) from = entry;
      else if (id > from && id <= -entry) return true;
      if (id === entry) return true;
    }
    return false;
  }

  /** Moves the entries to the front where a quarter is free there, or into more memory. */
  #makeRoom(): void {
    const { length } = this.#entries;
    const live = this.#entries.subarray(this.#first, this.#end);
    if (4 * this.#first >= length) this.#entries.copyWithin(0, this.#first, this.#end);
    else {
      this.#entries = new Float64Array(2 * length);
      this.#entries.set(live);
    }
    this.#end -= this.#first;
    this.#first = 0;
  }
}

type Recent = {
  readonly numbers: RecentNumbers;
  texts: RecentTexts | undefined;
  /** A live trade without an id was seen. */
  hasNameless: boolean;
};

/**
 * Recognises trades that were seen before: venues repeat old trades after every subscription, and
 * two connections overlap while one replaces the other. It remembers the ids of the last trades of
 * each instrument, those that are counted as numbers. A trade without an id cannot be recognised;
 * if the venue marks it as old, it is taken only while no live trade was seen.
 */
export class TradeDeduplicator {
  readonly #idsMax: number;
  readonly #recent = new Map<Instrument, Recent>();
  /** Most trades are of the instrument of the trade before. */
  #last: Recent | undefined;
  #lastInstrument: Instrument | undefined;

  /** `idsMax` per instrument and kind of id; of more, the oldest are forgotten. */
  constructor(options: { readonly idsMax: number }) {
    assert(options.idsMax > 0, "there is room for at least one id");
    this.#idsMax = options.idsMax;
  }

  /** Nothing more comes of this instrument. */
  forget(instrument: Instrument): void {
    this.#recent.delete(instrument);
    this.#last = undefined;
  }

  /** The same for a tick. */
  isNewTick(tick: TradeTick): boolean {
    const { instrument } = tick;
    const id = tick.numbers[TradeAt.Id]!;
    if (Number.isNaN(id)) return this.isNew(tick.event());
    let recent = this.#last;
    if (recent === undefined || instrument !== this.#lastInstrument) {
      recent = this.#recentOf(instrument);
      this.#last = recent;
      this.#lastInstrument = instrument;
    }
    return recent.numbers.add(id);
  }

  /** True for a trade that was not seen before; it counts as seen from then on. */
  isNew({ instrument, tradeId, historical }: Trade): boolean {
    const recent = this.#recentOf(instrument);
    if (tradeId === "") {
      if (historical && recent.hasNameless) return false;
      if (!historical) recent.hasNameless = true;
      return true;
    }
    const id = countedId(tradeId);
    return id >= 0 ? recent.numbers.add(id) : this.#isNewText(recent, tradeId);
  }

  #recentOf(instrument: Instrument): Recent {
    let recent = this.#recent.get(instrument);
    if (recent === undefined) {
      const numbers = new RecentNumbers(this.#idsMax);
      recent = { numbers, texts: undefined, hasNameless: false };
      this.#recent.set(instrument, recent);
    }
    return recent;
  }

  #isNewText(recent: Recent, tradeId: string): boolean {
    recent.texts ??= { ids: new Set(), ring: [], oldest: 0 };
    const { texts } = recent;
    const { ids, ring } = texts;
    if (ids.has(tradeId)) return false;
    ids.add(tradeId);
    if (ring.length < this.#idsMax) {
      ring.push(tradeId);
      return true;
    }
    ids.delete(ring[texts.oldest] as string);
    ring[texts.oldest] = tradeId;
    texts.oldest = (texts.oldest + 1) % this.#idsMax;
    return true;
  }
}
