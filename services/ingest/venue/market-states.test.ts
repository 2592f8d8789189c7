import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { InstrumentState } from "#core/instrument.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { MarketStates } from "./market-states.ts";

function create() {
  const told: string[] = [];
  const states = new MarketStates({
    onState: ({ symbol }, { state, word }) => told.push(`${symbol} ${state} ${word ?? "-"}`),
  });
  const take = () => told.splice(0);
  return { states, take, A: { ...fakeInstrument("A") }, B: { ...fakeInstrument("B") } };
}

test("an instrument that trades from the start is not told of, one that does not is", () => {
  const { states, take, A, B } = create();
  expect(states.setOwn(A, { state: "trading", word: "online" })).toBe(false);
  expect(states.setOwn(B, { state: "halted", word: "suspend" })).toBe(true);
  expect(take()).toEqual(["B halted suspend"]);
  expect([A.state, A.stateWord, B.state, B.stateWord]).toEqual([
    "trading",
    "online",
    "halted",
    "suspend",
  ]);
});

test("a change is told once, and so is another word for the same", () => {
  const { states, take, A } = create();
  states.setOwn(A, { state: "auction", word: "CallAuction" });
  states.setOwn(A, { state: "auction", word: "CallAuction" });
  states.setOwn(A, { state: "auction", word: "CrossMatching" });
  states.setOwn(A, { state: "trading", word: "Trading" });
  states.setOwn(A, { state: "trading", word: "Trading again" });
  expect(take()).toEqual(["A auction CallAuction", "A auction CrossMatching", "A trading Trading"]);
});

describe("what the venue says of itself", () => {
  const MAINTENANCE = { state: "maintenance", word: "maintenance" } as const;
  const ONLINE = { state: "trading", word: "online" } as const;

  test("holds for all, and what was said of each holds again afterwards", () => {
    const { states, take, A, B } = create();
    states.setOwn(B, { state: "post-only", word: "post_only" });
    take();
    expect(states.setVenue(MAINTENANCE)).toBe(true);
    expect([states.settle(A), states.settle(B)]).toEqual([true, true]);
    expect(take()).toEqual(["A maintenance maintenance", "B maintenance maintenance"]);
    expect(states.setVenue(MAINTENANCE)).toBe(false);
    states.setVenue(ONLINE);
    expect([states.settle(A), states.settle(B)]).toEqual([true, true]);
    expect(take()).toEqual(["A trading -", "B post-only post_only"]);
  });

  test("does not hide what takes away more", () => {
    const { states, take, A } = create();
    states.setOwn(A, { state: "halted", word: "suspend" });
    take();
    states.setVenue({ state: "post-only", word: "post_only" });
    expect(states.settle(A)).toBe(false);
    expect(A.state).toBe("halted");
  });

  test("holds for what comes later, too", () => {
    const { states, take, A } = create();
    states.setVenue(MAINTENANCE);
    expect(states.setOwn(A, ONLINE)).toBe(true);
    expect(take()).toEqual(["A maintenance maintenance"]);
  });
});

test("an instrument always says what was told of it last, whatever is said in whatever order", () => {
  const word = fc.constantFrom<InstrumentState>("trading", "halted", "auction", "maintenance");
  const said = word.map((state) => ({ state, word: `as ${state}` }));
  const step = fc.record({ of: fc.constantFrom("A", "B", "venue"), said });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
      const { states, A, B } = create();
      const own = new Map([
        [A, "trading"],
        [B, "trading"],
      ]);
      let venue = "trading";
      for (const each of steps) {
        if (each.of === "venue") {
          venue = each.said.state;
          states.setVenue(each.said);
          for (const instrument of [A, B]) states.settle(instrument);
        } else {
          const instrument = each.of === "A" ? A : B;
          own.set(instrument, each.said.state);
          states.setOwn(instrument, each.said);
        }
        for (const [instrument, its] of own) {
          const both = [its, venue];
          const worst = ["maintenance", "halted", "auction"].find((state) => both.includes(state));
          expect(instrument.state ?? "trading").toBe(worst ?? "trading");
        }
      }
    }),
  );
});
