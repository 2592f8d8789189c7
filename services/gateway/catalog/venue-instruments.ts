import type { Instrument } from "@tickwire/proto/service";
import type { TurnLine, Work } from "../turns/turns.ts";
import { VenueSymbols } from "./venue-symbols.ts";

/** What became of a venue's instruments. */
export type InstrumentChange = {
  /** New ones, and those that are streamed on other channels than before, by symbol. */
  readonly added: ReadonlyMap<string, Instrument>;
  readonly removed: readonly Instrument[];
  /** There was no room for so many. */
  readonly leftOut: number;
};

/** What a publisher listed. */
type Fetched = {
  /** By symbol, each once. */
  readonly instruments: readonly Instrument[];
  /** The venue has not listed everything yet. */
  readonly incomplete: boolean;
  /** Of what was there before these are gone, and the rest stays; undefined if all was listed. */
  readonly removedSymbols?: readonly string[] | undefined;
};

/** Handling so many takes some microseconds. */
const HANDLED_PER_STEP = 32;

/** What a venue has, as its publisher listed it last. */
export class VenueInstruments {
  #bySymbol: ReadonlyMap<string, Instrument> = new Map();
  #byVenueSymbol = new VenueSymbols();
  #sorted: readonly Instrument[] = [];
  #listed = false;
  #isWhole = false;

  get size(): number {
    return this.#bySymbol.size;
  }

  /** Whether the venue had listed everything by then. */
  get listed(): boolean {
    return this.#listed;
  }

  /** Whether all that the publisher listed is here. */
  get isWhole(): boolean {
    return this.#isWhole;
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
   * Takes what was fetched in place of what was there, in one moment at the end of the work. If it
   * is not complete, what the venue has not listed again yet is not gone. Beyond `room` the rest is
   * left out. To be done once at a time.
   */
  *replace(fetched: Fetched, room: number, line: Pick<TurnLine, "isOver">): Work<InstrumentChange> {
    const before = this.#sorted;
    const now = new Map<string, Instrument>();
    const venueSymbols = new VenueSymbols();
    const sorted: Instrument[] = [];
    const added = new Map<string, Instrument>();
    let leftOut = 0;
    let handled = 0;
    const { instruments, incomplete, removedSymbols } = fetched;
    const keepsOthers = incomplete || removedSymbols !== undefined;
    const gone = new Set(removedSymbols);
    for (const instrument of keepsOthers ? joined(before, instruments) : instruments) {
      handled += 1;
      if (handled % HANDLED_PER_STEP === 0 && line.isOver) yield;
      if (gone.has(instrument.symbol)) continue;
      if (sorted.length >= room) {
        leftOut += 1;
        continue;
      }
      const { symbol } = instrument;
      sorted.push(instrument);
      now.set(symbol, instrument);
      venueSymbols.add(instrument);
      if (differs(this.#bySymbol.get(symbol), instrument)) added.set(symbol, instrument);
    }
    const removed: Instrument[] = [];
    for (const instrument of before) {
      handled += 1;
      if (handled % HANDLED_PER_STEP === 0 && line.isOver) yield;
      if (!now.has(instrument.symbol)) removed.push(instrument);
    }
    this.#bySymbol = now;
    this.#byVenueSymbol = venueSymbols;
    this.#sorted = sorted;
    this.#listed = !incomplete;
    this.#isWhole = !incomplete && leftOut === 0;
    return { added, removed, leftOut };
  }
}

/** Several lists by symbol as one; of a symbol that is in two of them, the first. */
export function* mergedBySymbol(lists: readonly Iterable<Instrument>[]): Iterable<Instrument> {
  const rests = lists.map((list) => list[Symbol.iterator]());
  const heads = rests.map((rest) => rest.next());
  for (;;) {
    let next: Instrument | undefined;
    for (const { value, done } of heads) {
      if (done !== true && (next === undefined || value.symbol < next.symbol)) next = value;
    }
    if (next === undefined) return;
    for (const [index, head] of heads.entries()) {
      if (head.done === true || head.value.symbol !== next.symbol) continue;
      heads[index] = (rests[index] as Iterator<Instrument>).next();
    }
    yield next;
  }
}

/** Both lists by symbol; of one symbol in both, that of `now`. */
function* joined(before: readonly Instrument[], now: readonly Instrument[]): Iterable<Instrument> {
  let index = 0;
  for (const instrument of now) {
    for (; index < before.length; index += 1) {
      const kept = before[index] as Instrument;
      if (kept.symbol >= instrument.symbol) break;
      yield kept;
    }
    if (before[index]?.symbol === instrument.symbol) index += 1;
    yield instrument;
  }
  for (; index < before.length; index += 1) yield before[index] as Instrument;
}

/** Whether the instrument is new, or streamed on other channels than before. */
function differs(before: Instrument | undefined, now: Instrument): boolean {
  return before === undefined || before.channels.join() !== now.channels.join();
}
