import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { expect, test } from "vitest";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import type { FeedEvent } from "../feed/feed-adapter.ts";
import { lookUpInstrument } from "./instrument-lookup.ts";
import { InstrumentStates } from "./instrument-states.ts";

const A = fakeInstrument("A");
const B = fakeInstrument("B");

test("each instrument has one state, made when it turns up", () => {
  const states = new InstrumentStates(({ symbol }) => ({ symbol }));
  expect(states.known(B)).toBeUndefined();
  const state = states.of(B);
  states.of(A);
  expect(states.of(B)).toBe(state);
  expect(states.known(B)).toBe(state);
  expect([...states.all()]).toEqual([{ symbol: "B" }, { symbol: "A" }]);
  expect([...states.instruments()]).toEqual([B, A]);
});

test("a state that was forgotten is made anew", () => {
  const states = new InstrumentStates(() => ({}));
  const before = states.of(A);
  states.forget(A);
  expect(states.known(A)).toBeUndefined();
  expect(states.of(A)).not.toBe(before);
});

test("an instrument is found by what a message names, or counted by why it is not", () => {
  const catalog = new InstrumentCatalog({ venue: A.venue, instrumentsMax: 10 });
  catalog.add([A]);
  const events: FeedEvent[] = [];
  const emit = (event: FeedEvent): number => events.push(event);
  expect(lookUpInstrument(catalog, A.venueSymbol, emit)).toBe(A);
  expect(events).toEqual([]);
  for (const name of ["Z", undefined, 5, {}]) {
    expect(lookUpInstrument(catalog, name, emit)).toBeUndefined();
  }
  expect(lookUpInstrument(catalog, A.venueSymbol, emit, "another part")).toBeUndefined();
  expect(events.map((event) => (event.kind === "rejected" ? event.reason : event.kind))).toEqual([
    "unknown-instrument",
    "missing-field",
    "missing-field",
    "missing-field",
    "unknown-instrument",
  ]);
});
