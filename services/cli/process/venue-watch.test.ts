import { expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import { watchVenues } from "./venue-watch.ts";

function watched() {
  const clock = new ManualClock();
  const told: string[] = [];
  const venue = { venue: "binance", connectionsOpen: 0, instruments: 0 };
  watchVenues({ clock, venues: () => [venue], tell: (line) => void told.push(line) });
  return { clock, told, venue };
}

test("a venue that answers is not told of, and not looked at for ever", () => {
  const { clock, told, venue } = watched();
  clock.advance(5_000);
  Object.assign(venue, { connectionsOpen: 1, instruments: 3 });
  clock.advance(20_000);
  expect(told).toEqual([]);
  expect(clock.pending).toBe(0);
});

test("one that does not is told of once, with what to try", () => {
  const { clock, told } = watched();
  clock.advance(7_999);
  expect(told).toEqual([]);
  clock.advance(60_000);
  expect(told).toHaveLength(1);
  expect(told[0]).toContain("nothing has come from binance yet");
  expect(told[0]).toContain("npx tickwire doctor binance");
});

test("when it answers at last, that is said too", () => {
  const { clock, told, venue } = watched();
  clock.advance(10_000);
  Object.assign(venue, { connectionsOpen: 1, instruments: 3 });
  clock.advance(2_000);
  expect(told.slice(1)).toEqual(["binance answers now"]);
  expect(clock.pending).toBe(0);
});
