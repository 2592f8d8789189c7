import type { Instrument } from "#core/instrument.ts";
import type { Trade } from "#core/market-event.ts";

type Recent = {
  readonly ids: Set<string>;
  /** The same ids, oldest at `oldest`. */
  readonly ring: string[];
  oldest: number;
};

/**
 * Recognises trades that were seen before: venues repeat old trades after every subscription, and
 * two connections overlap while one replaces the other. It remembers the ids of the last trades of
 * each instrument. A trade without an id cannot be recognised; if the venue marks it as old, it is
 * taken only while no live trade was seen.
 */
export class TradeDeduplicator {
  readonly #idsMax: number;
  readonly #recent = new Map<Instrument, Recent>();

  /** `idsMax` per instrument; of more, the oldest are forgotten. */
  constructor(options: { readonly idsMax: number }) {
    this.#idsMax = options.idsMax;
  }

  /** Nothing more comes of this instrument. */
  forget(instrument: Instrument): void {
    this.#recent.delete(instrument);
  }

  /** True for a trade that was not seen before; it counts as seen from then on. */
  isNew(trade: Trade): boolean {
    let recent = this.#recent.get(trade.instrument);
    if (recent === undefined) {
      recent = { ids: new Set(), ring: [], oldest: 0 };
      this.#recent.set(trade.instrument, recent);
    }
    const { tradeId, historical } = trade;
    // Live trades without an id leave a mark too: the empty id.
    if (tradeId === "") {
      if (historical && recent.ids.has("")) return false;
      if (!historical) recent.ids.add("");
      return true;
    }
    const { ids, ring } = recent;
    if (ids.has(tradeId)) return false;
    ids.add(tradeId);
    if (ring.length < this.#idsMax) {
      ring.push(tradeId);
      return true;
    }
    ids.delete(ring[recent.oldest] as string);
    ring[recent.oldest] = tradeId;
    recent.oldest = (recent.oldest + 1) % this.#idsMax;
    return true;
  }
}
