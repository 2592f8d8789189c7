import { expect, test } from "vitest";
import type { FeedAdapter, FeedEvent } from "#ingest/feed/feed-adapter.ts";
import {
  createFixtureConnection,
  dataLike,
  frameData,
  frameText,
  type NamedFixture,
  RECEIVED_TIME_US,
} from "./venue-fixture.ts";

// One odd thing in something large costs itself: never the list that it stands in, and never a
// book without a word.

/** What an odd field may hold. */
const ODD: readonly unknown[] = [null, {}, [], "constructor", -1, true];

type Place = { readonly holder: Record<string, unknown>; readonly key: string };

/** Every value in a document, with the one that holds it. */
function placesIn(value: unknown): Place[] {
  if (typeof value !== "object" || value === null) return [];
  const holder = value as Record<string, unknown>;
  return Object.keys(holder).flatMap((key) => [{ holder, key }, ...placesIn(holder[key])]);
}

/** Puts each odd thing in each of the places, one at a time, and takes it out again. */
function forEachOdd(places: readonly Place[], check: (key: string, odd: unknown) => void): void {
  for (const { holder, key } of places) {
    const value = holder[key];
    for (const odd of ODD) {
      holder[key] = odd;
      check(key, odd);
    }
    holder[key] = value;
  }
}

/** Lists stay, with all but the one instrument that is odd. */
export function describeOddLists(adapter: FeedAdapter, fixtures: readonly NamedFixture[]): void {
  const [request] = adapter.instrumentsRequests(adapter.endpoints);
  const lists = fixtures.filter(({ fixture }) => fixture.expectInstruments !== undefined);

  test.each(lists)("one odd field of the list of $name costs one instrument at most", (named) => {
    const { instruments, instrumentsUrl } = named.fixture;
    const url = instrumentsUrl ?? request?.url ?? "";
    const isText = typeof instruments === "string";
    const body: unknown = isText ? JSON.parse(instruments) : structuredClone(instruments);
    const symbolsOf = (): string[] =>
      adapter.parseInstruments(JSON.stringify(body), url)?.instruments.map((each) => each.symbol) ??
      [];
    const before = symbolsOf();
    const entries = entriesOf(body);
    const [first, last] = [entries[0], entries.at(-1)];
    for (const entry of new Set([first, last])) {
      forEachOdd(placesIn({ entry }), (key, odd) => {
        const after = new Set(symbolsOf());
        const lost = before.filter((symbol) => !after.has(symbol));
        expect({ key, odd, lost: lost.length > 1 ? lost : [] }).toEqual({ key, odd, lost: [] });
      });
    }
  });
}

/** The longest array or the largest object of objects: that is the list itself. */
function entriesOf(body: unknown): readonly unknown[] {
  const lists = [{ holder: { body }, key: "body" }, ...placesIn(body)].map(
    ({ holder, key }) => (holder as Record<string, unknown>)[key],
  );
  const sizes = lists.map((list) => {
    if (typeof list !== "object" || list === null) return [];
    const items = Object.values(list);
    return items.every((item) => typeof item === "object" && item !== null) ? items : [];
  });
  return sizes.toSorted((a, b) => b.length - a.length)[0] ?? [];
}

/** A book that is lost for one odd level is said to be: it is asked for again, and told. */
export function describeOddLevels(adapter: FeedAdapter, fixtures: readonly NamedFixture[]): void {
  // Where the next message is the whole book again, nothing has to begin anew.
  const isRepaired = adapter.bookProof.order === "snapshots";

  test.each(fixtures)("one odd level in $name never loses a book without a word", (named) => {
    for (const [index, frame] of named.fixture.frames.entries()) {
      const text = frameText(frame);
      const eventsOf = (mutant: unknown): FeedEvent[] => {
        const { decoder } = createFixtureConnection(adapter, named.fixture);
        const events: FeedEvent[] = [];
        const take = (event: FeedEvent): number => events.push(event);
        for (const before of named.fixture.frames.slice(0, index)) {
          decoder.decode(frameData(before), RECEIVED_TIME_US, () => {});
        }
        decoder.decode(dataLike(frame, JSON.stringify(mutant)), RECEIVED_TIME_US, take);
        return events;
      };
      const message = parsed(text);
      if (message === undefined) continue;
      const books = eventsOf(message).filter((event) => event.kind === "raw-book");
      if (books.length !== 1 || books[0]!.bids.prices.length + books[0]!.asks.prices.length === 0) {
        continue;
      }
      const { instrument } = books[0]!;
      for (const { holder, key } of levelNumbersIn(message)) {
        const value = holder[key];
        holder[key] = "odd";
        const told = eventsOf(message);
        holder[key] = value;
        const isSaid = told.some(
          (event) =>
            event.kind === "raw-book" ||
            (event.kind === "rejected" &&
              (event.channel === "book" || isRepaired) &&
              event.instrument?.symbol === instrument.symbol),
        );
        expect({ key, value, isSaid }).toEqual({ key, value, isSaid: true });
      }
    }
  });
}

/** What the price of a level that is an object is called. */
const PRICE_KEYS = ["p", "px", "price", "ask_price"];

/** Prices and sizes: what looks like a decimal inside of an array. */
function levelNumbersIn(message: unknown): readonly Place[] {
  const arrays = [{ holder: { message }, key: "message" }, ...placesIn(message)]
    .map(({ holder, key }) => (holder as Record<string, unknown>)[key])
    .filter((value): value is unknown[] => Array.isArray(value));
  return arrays
    .flatMap((array) => placesIn(array))
    .filter(({ holder, key }) => /^\d+(\.\d+)?$/.test(String(holder[key])))
    .filter(({ holder }) => Array.isArray(holder) || PRICE_KEYS.some((key) => key in holder))
    .slice(0, 40);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
