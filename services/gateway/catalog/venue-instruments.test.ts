import type { Instrument } from "@tickwire/proto/service";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { VenueInstruments } from "./venue-instruments.ts";
import type { InstrumentChange } from "./venue-instruments.ts";

const NEVER_OVER = { isOver: false };

function instrument(symbol: string, channels = ["CHANNEL_TRADES"]): Instrument {
  const venueSymbol = symbol.toLowerCase();
  return { venue: "fake", symbol, venueSymbol, channels } as unknown as Instrument;
}

/** All of it in one turn. */
function replaced(
  venue: VenueInstruments,
  instruments: readonly Instrument[],
  options: { readonly incomplete?: boolean; readonly room?: number } = {},
): InstrumentChange {
  const { incomplete = false, room = Infinity } = options;
  const work = venue.replace({ instruments, incomplete }, room, NEVER_OVER);
  const step = work.next();
  if (step.done !== true) throw new Error("nothing was over");
  return step.value;
}

const symbolsOf = (list: Iterable<Instrument>) => Array.from(list, ({ symbol }) => symbol);

describe("replacing 50,000 instruments", () => {
  const many = Array.from({ length: 50_000 }, (_, index) =>
    instrument(`S${String(index).padStart(5, "0")}`),
  );

  test("asks after every 32 whether the turn is over, and shows nothing before the end", () => {
    const venue = new VenueInstruments();
    replaced(venue, [instrument("OLD")]);
    const work = venue.replace({ instruments: many, incomplete: false }, Infinity, {
      isOver: true,
    });
    let turns = 0;
    for (;;) {
      const { done } = work.next();
      if (done === true) break;
      turns += 1;
      expect([venue.size, venue.get("OLD")?.symbol]).toEqual([1, "OLD"]);
    }
    expect(turns).toBe(Math.floor((50_000 + 1) / 32));
    expect([venue.size, venue.get("OLD")]).toEqual([50_000, undefined]);
  });
});

test.each([
  [1, ["A"], 2],
  [3, ["A", "B", "C"], 0],
  [4, ["A", "B", "C"], 0],
])("with room for %d, %j of three are kept and %d left out", (room, kept, leftOut) => {
  const venue = new VenueInstruments();
  const change = replaced(
    venue,
    ["A", "B", "C"].map((symbol) => instrument(symbol)),
    { room },
  );
  expect(symbolsOf(venue.all())).toEqual(kept);
  expect(change.leftOut).toBe(leftOut);
});

const lists = fc.uniqueArray(
  fc.tuple(
    fc.constantFrom("A", "B", "C", "D", "E", "F", "G", "H"),
    fc.constantFrom("CHANNEL_TRADES", "CHANNEL_QUOTES"),
  ),
  { selector: ([symbol]) => symbol },
);

test("whatever was listed before, the venue has what was listed last, and the change is exact", () => {
  fc.assert(
    fc.property(lists, lists, fc.boolean(), (first, second, incomplete) => {
      const listOf = (pairs: readonly (readonly [string, string])[]) =>
        pairs
          .toSorted(([one], [other]) => (one < other ? -1 : 1))
          .map(([symbol, channel]) => instrument(symbol, [channel]));
      const venue = new VenueInstruments();
      replaced(venue, listOf(first));
      const change = replaced(venue, listOf(second), { incomplete });
      // Plain objects of one letter each are the oracle.
      const before = new Map(first);
      const now = new Map(incomplete ? [...first, ...second] : second);
      expect(symbolsOf(venue.all())).toEqual([...now.keys()].toSorted());
      for (const [symbol, channel] of now) {
        expect(venue.get(symbol)?.channels).toEqual([channel]);
        expect(venue.find(symbol.toLowerCase())?.symbol).toBe(symbol);
      }
      const added = [...now].filter(([symbol, channel]) => before.get(symbol) !== channel);
      expect([...change.added.keys()].toSorted()).toEqual(
        added.map(([symbol]) => symbol).toSorted(),
      );
      const removed = [...before.keys()].filter((symbol) => !now.has(symbol));
      expect(symbolsOf(change.removed)).toEqual(removed.toSorted());
      expect(venue.listed).toBe(!incomplete);
    }),
  );
});
