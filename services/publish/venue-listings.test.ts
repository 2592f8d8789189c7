import { expect, test } from "vitest";
import type { Instrument } from "#core/instrument.ts";
import type { Listing } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { LISTINGS_PER_TURN_MAX, VenueListings } from "./venue-listings.ts";

function create() {
  const clock = new ManualClock(5);
  const told: Listing[] = [];
  const listings = new VenueListings({ venue: "fake", clock, emit: (event) => told.push(event) });
  const tell = (change: Listing["change"], instrument: Instrument, reason = "listed"): void =>
    listings.tell({ change, instrument, reason });
  return { clock, told, listings, tell };
}

test("an instrument comes, changes and goes, each with what there is to know of it", () => {
  const { clock, told, listings, tell } = create();
  const halted: Instrument = { ...fakeInstrument("A"), state: "halted", stateWord: "BREAK" };
  tell("added", fakeInstrument("A"));
  tell("changed", halted, "state");
  tell("removed", halted, "delisted");
  clock.advance(1);
  expect(told.map(({ change, symbol, reason }) => [change, symbol, reason])).toEqual([
    ["added", "A", "listed"],
    ["changed", "A", "state"],
    ["removed", "A", "delisted"],
  ]);
  expect(told[1]).toMatchObject({ instrumentState: "halted", stateWord: "BREAK" });
  expect(told[1]?.instrument).toBe(listings.market);
  expect(listings.state()).toEqual([]);
});

test("the state is what has been published, as it is now", () => {
  const { clock, listings, tell } = create();
  tell("added", fakeInstrument("A"));
  tell("added", fakeInstrument("B"));
  expect(listings.state()).toEqual([]);
  clock.advance(1);
  tell("changed", { ...fakeInstrument("A"), state: "auction" }, "state");
  tell("removed", fakeInstrument("B"), "delisted");
  clock.advance(1);
  const state = listings.state();
  expect(
    state.map(({ change, symbol, instrumentState }) => [change, symbol, instrumentState]),
  ).toEqual([["added", "A", "auction"]]);
});

test("a whole list is published over several turns, in order", () => {
  const turns: (() => void)[] = [];
  const told: Listing[] = [];
  const listings = new VenueListings({
    venue: "fake",
    clock: {
      nowUs: () => 1,
      monotonicUs: () => 1,
      after: (_, turn) => (turns.push(turn), () => {}),
    },
    emit: (event) => told.push(event),
  });
  const count = LISTINGS_PER_TURN_MAX + 1;
  const symbols = Array.from({ length: count }, (_, index) => `S${index}`);
  for (const symbol of symbols) {
    listings.tell({ change: "added", instrument: fakeInstrument(symbol), reason: "listed" });
  }
  turns.shift()?.();
  expect(told).toHaveLength(LISTINGS_PER_TURN_MAX);
  turns.shift()?.();
  expect(told.map(({ symbol }) => symbol)).toEqual(symbols);
  expect(turns).toEqual([]);
});

test("nothing is published after the end", () => {
  const { clock, told, listings, tell } = create();
  tell("added", fakeInstrument("A"));
  listings.close();
  clock.advance(1);
  expect(told).toEqual([]);
});
