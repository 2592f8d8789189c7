import type { Instrument } from "#core/instrument.ts";

/** One of a venue's lists, as it was read to its end or as far as there are pages. */
export type VenueList = {
  readonly list: number;
  readonly instruments: readonly Instrument[];
  /** Not traded now; whoever knows them keeps them for a while. */
  readonly paused: readonly Instrument[];
  /** All of the list is here. */
  readonly isWhole: boolean;
};

type ListedMarketPolicy = {
  /** A list that has less than this part of the last one's instruments is not believed at once. */
  readonly listShrinkMin: number;
  /** So many lists in a row that are that small are believed. */
  readonly listDoubtsMax: number;
  /** What is paused for longer than this has ended. */
  readonly pausedListedMsMax: number;
};

/** What a list means for what was listed before. */
type ListVerdict = {
  /** These have gone, for good. */
  readonly gone: readonly Instrument[];
  /** Something is missing that may be there all the same: the list is to be read again soon. */
  readonly isDoubted: boolean;
};

type Known = { instrument: Instrument; isMissing: boolean; pausedSinceUs: number | undefined };

type KnownList = { readonly byName: Map<string, Known>; doubts: number };

/**
 * What a venue has listed, and what of it has gone. A venue at work on its systems answers with
 * empty lists, and its servers do not all know the same at the same time, so nothing has gone
 * because one answer lacks it: what is missing is missing in two lists in a row, and a list that is
 * much smaller than the last one in several. Pure: the time comes with each list.
 */
export class ListedMarket {
  readonly #policy: ListedMarketPolicy;
  readonly #lists = new Map<number, KnownList>();

  constructor(policy: ListedMarketPolicy) {
    this.#policy = policy;
  }

  /** Instruments that are listed, over all lists. */
  get size(): number {
    let size = 0;
    for (const { byName } of this.#lists.values()) size += byName.size;
    return size;
  }

  /** Whether its list was last read without it. */
  isMissing(instrument: Instrument): boolean {
    const name = nameOf(instrument);
    return [...this.#lists.values()].some(({ byName }) => byName.get(name)?.isMissing === true);
  }

  /** Takes the next reading of a list. */
  take(list: VenueList, nowUs: number): ListVerdict {
    const known = this.#listOf(list.list);
    const { byName } = known;
    const present = new Map(list.instruments.map((each) => [nameOf(each), each]));
    const paused = new Set(list.paused.map(nameOf));
    const isPresent = (name: string): boolean => present.has(name) || paused.has(name);
    const shrunk = list.isWhole && count(byName, isPresent) < byName.size * this.#shrinkMin;
    known.doubts = shrunk ? known.doubts + 1 : 0;
    const isBelieved = !shrunk || known.doubts >= this.#policy.listDoubtsMax;
    if (isBelieved) known.doubts = 0;
    const gone: Instrument[] = [];
    let isDoubted = !isBelieved;
    for (const [name, each] of byName) {
      if (present.has(name)) {
        each.isMissing = false;
        each.pausedSinceUs = undefined;
      } else if (paused.has(name)) {
        each.isMissing = false;
        each.pausedSinceUs ??= nowUs;
        if (nowUs - each.pausedSinceUs > this.#policy.pausedListedMsMax * 1000) {
          gone.push(each.instrument);
        }
      } else if (list.isWhole && isBelieved) {
        if (each.isMissing || shrunk) gone.push(each.instrument);
        else isDoubted = true;
        each.isMissing = true;
      }
    }
    for (const instrument of gone) byName.delete(nameOf(instrument));
    for (const [name, instrument] of present) {
      if (!byName.has(name)) {
        byName.set(name, { instrument, isMissing: false, pausedSinceUs: undefined });
      }
    }
    return { gone, isDoubted };
  }

  /** The venue said by itself that it has gone. */
  forget(instrument: Instrument): void {
    for (const { byName } of this.#lists.values()) byName.delete(nameOf(instrument));
  }

  get #shrinkMin(): number {
    return this.#policy.listShrinkMin;
  }

  #listOf(index: number): KnownList {
    const known = this.#lists.get(index) ?? { byName: new Map<string, Known>(), doubts: 0 };
    this.#lists.set(index, known);
    return known;
  }
}

function nameOf({ venueMarket = "", venueSymbol }: Instrument): string {
  return `${venueMarket} ${venueSymbol}`;
}

function count(byName: ReadonlyMap<string, Known>, isIn: (name: string) => boolean): number {
  let found = 0;
  for (const name of byName.keys()) if (isIn(name)) found += 1;
  return found;
}
