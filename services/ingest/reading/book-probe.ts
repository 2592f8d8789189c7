import type { Instrument } from "#core/instrument.ts";
import {
  asJsonArray,
  asJsonObject,
  asText,
  type JsonText,
  parseJsonText,
} from "#core/json-text.ts";
import type { BookProbe, FeedEndpoints, RestRequest } from "../feed/feed-adapter.ts";
import { type LevelText, levelsTextOf } from "../feed/rest/probed-levels.ts";

/** The fewest levels that most venues answer with. */
const LEVELS_MAX = 5;

/** A step into an answer: a field's name, or a place in a list or among an object's fields. */
type Step = string | number;

/** Where an answer has a book, and how it writes a level. */
type BookPlaces = {
  /** Steps to the book. */
  readonly at?: readonly Step[];
  readonly bids: Step;
  readonly asks: Step;
  /** Where a level has its numbers; the first two of a list if absent. */
  readonly price?: Step;
  readonly size?: Step;
  /** Levels per side of the answer, where there are fewer than five. */
  readonly levelsMax?: number;
};

/** A probe whose answer has both sides as lists of levels, in whatever order. */
export function bookProbeOf(
  request: (instrument: Instrument, endpoints: FeedEndpoints) => RestRequest,
  places: BookPlaces,
): BookProbe {
  const { at = [], bids, asks, price = 0, size = 1, levelsMax = LEVELS_MAX } = places;
  const levelsIn = (side: JsonText | undefined): LevelText[] | undefined =>
    asJsonArray(side)?.map((level) => [textAt(level, price), textAt(level, size)]);
  const levels = (body: string): string | undefined => {
    const book = at.reduce<JsonText | undefined>(stepInto, parseJsonText(body));
    const [bidLevels, askLevels] = [bids, asks].map((side) => levelsIn(stepInto(book, side)));
    if (bidLevels === undefined || askLevels === undefined) return undefined;
    return levelsTextOf({ bids: bidLevels, asks: askLevels }, levelsMax);
  };
  return { request, levelsMax, levels };
}

/** Where an answer has the best level of each side. */
type BestPlaces = {
  readonly at?: readonly Step[];
  readonly bid: readonly [price: Step, size: Step];
  readonly ask: readonly [price: Step, size: Step];
};

/** A probe whose answer has nothing but the best level of each side. */
export function bestProbeOf(
  request: (instrument: Instrument, endpoints: FeedEndpoints) => RestRequest,
  { at = [], bid, ask }: BestPlaces,
): BookProbe {
  const levels = (body: string): string | undefined => {
    const best = at.reduce<JsonText | undefined>(stepInto, parseJsonText(body));
    if (best === undefined) return undefined;
    const sideOf = ([price, size]: BestPlaces["bid"]): LevelText[] => [
      [textAt(best, price), textAt(best, size)],
    ];
    return levelsTextOf({ bids: sideOf(bid), asks: sideOf(ask) }, 1);
  };
  return { request, levelsMax: 1, levels };
}

/** A row of an answer that has both sides in one list. */
type SidedLevel = { readonly isBid: boolean; readonly level: LevelText };

/** A probe whose answer is one list of levels of both sides. */
export function mixedBookProbeOf(
  request: (instrument: Instrument, endpoints: FeedEndpoints) => RestRequest,
  read: (row: JsonText) => SidedLevel | undefined,
): BookProbe {
  const levels = (body: string): string | undefined => {
    const rows = asJsonArray(parseJsonText(body));
    const listed = rows?.map(read);
    if (listed === undefined || listed.includes(undefined)) return undefined;
    const found = listed.filter((row) => row !== undefined);
    const sideOf = (isBid: boolean): LevelText[] =>
      found.filter((row) => row.isBid === isBid).map(({ level }) => level);
    return levelsTextOf({ bids: sideOf(true), asks: sideOf(false) }, LEVELS_MAX);
  };
  return { request, levelsMax: LEVELS_MAX, levels };
}

function textAt(value: JsonText | undefined, step: Step): string {
  return asText(stepInto(value, step)) ?? "";
}

function stepInto(value: JsonText | undefined, step: Step): JsonText | undefined {
  const object = asJsonObject(value);
  if (typeof step === "number") return (asJsonArray(value) ?? Object.values(object ?? {}))[step];
  return object !== undefined && Object.hasOwn(object, step) ? object[step] : undefined;
}
