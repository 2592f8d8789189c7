import { assert } from "#core/assert.ts";
import { countedId } from "#core/counted-id.ts";
import type { Instrument } from "#core/instrument.ts";
import type { Trade } from "#core/market-event.ts";
import { TradeAt } from "#core/market-tick.ts";
import type { TradeTick } from "#core/market-tick.ts";

/** Room for ids at first; it doubles up to the limit. */
const IDS_MIN = 64;

/** Ids that are texts. */
type RecentTexts = {
  readonly ids: Set<string>;
  /** The same ids, oldest at `oldest`. */
  readonly ring: string[];
  oldest: number;
};

/** Ids that are counted: numbers above all that were seen are new without being looked for. */
class RecentNumbers {
  readonly #idsMax: number;
  #ids: Float64Array;
  #count = 0;
  #oldest = 0;
  #highest = -1;

  constructor(idsMax: number) {
    this.#idsMax = idsMax;
    this.#ids = new Float64Array(Math.min(IDS_MIN, idsMax));
  }

  /** True for an id that was not seen before. */
  add(id: number): boolean {
    if (id <= this.#highest && this.#has(id)) return false;
    this.#highest = Math.max(this.#highest, id);
    if (this.#count < this.#idsMax) {
      if (this.#count === this.#ids.length) this.#grow();
      this.#ids[this.#count] = id;
      this.#count += 1;
      return true;
    }
    this.#ids[this.#oldest] = id;
    this.#oldest = (this.#oldest + 1) % this.#idsMax;
    return true;
  }

  #has(id: number): boolean {
    const ids = this.#ids;
    for (let index = 0; index < this.#count; index += 1) if (ids[index] === id) return true;
    return false;
  }

  #grow(): void {
    const ids = new Float64Array(Math.min(2 * this.#ids.length, this.#idsMax));
    ids.set(this.#ids);
    this.#ids = ids;
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
