import type { Instrument } from "@tickwire/proto/service";
import { indexByVenueSymbol, joinedBySymbol } from "./venue-symbols.ts";

/** What became of a venue's instruments. */
type InstrumentChange = {
  /** New ones, and those that are streamed on other channels than before. */
  readonly added: readonly Instrument[];
  readonly removed: readonly Instrument[];
  /** There was no room for so many. */
  readonly leftOut: number;
};

/** What a venue has, as its publisher listed it last. */
export class VenueInstruments {
  #bySymbol: ReadonlyMap<string, Instrument> = new Map();
  #byVenueSymbol: ReadonlyMap<string, Instrument> = new Map();
  #sorted: readonly Instrument[] = [];
  #listed = false;

  get size(): number {
    return this.#bySymbol.size;
  }

  /** Whether the venue had listed everything by then. */
  get listed(): boolean {
    return this.#listed;
  }

  /** By Tickwire's symbol. */
  get(symbol: string): Instrument | undefined {
    return this.#bySymbol.get(symbol);
  }

  /** By Tickwire's symbol or the venue's own. */
  find(symbol: string): Instrument | undefined {
    return this.#bySymbol.get(symbol) ?? this.#byVenueSymbol.get(symbol);
  }

  /** By symbol. */
  all(): Iterable<Instrument> {
    return this.#sorted;
  }

  /** Those whose symbol comes after `symbol`. A change meanwhile is not seen. */
  *after(symbol: string): Iterable<Instrument> {
    const sorted = this.#sorted;
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((sorted[middle]?.symbol ?? "") <= symbol) low = middle + 1;
      else high = middle;
    }
    for (let index = low; index < sorted.length; index += 1) yield sorted[index] as Instrument;
  }

  /**
   * Takes what was fetched in place of what was there. If it is not complete, what the venue has
   * not listed again yet is not gone. Beyond `room` the rest is left out.
   */
  replace(
    fetched: { readonly instruments: readonly Instrument[]; readonly incomplete: boolean },
    room: number,
  ): InstrumentChange {
    const { instruments, incomplete } = fetched;
    const all = incomplete ? joinedBySymbol(this.#bySymbol, instruments) : instruments;
    const kept = all.slice(0, Math.max(0, room));
    const before = this.#bySymbol;
    // Sorted once here, because a Map keeps its order and every list is given in this one.
    const sorted = kept.toSorted((one, other) => (one.symbol < other.symbol ? -1 : 1));
    const now = new Map(sorted.map((instrument) => [instrument.symbol, instrument]));
    this.#bySymbol = now;
    this.#sorted = sorted;
    this.#byVenueSymbol = indexByVenueSymbol(sorted);
    this.#listed = !incomplete;
    const added = kept.filter((instrument) => differs(before.get(instrument.symbol), instrument));
    const removed = [...before.values()].filter((instrument) => !now.has(instrument.symbol));
    return { added, removed, leftOut: all.length - kept.length };
  }
}

/** Whether the instrument is new, or streamed on other channels than before. */
function differs(before: Instrument | undefined, now: Instrument): boolean {
  return before === undefined || before.channels.join() !== now.channels.join();
}
