import { describe, expect, test } from "vitest";
import { VENUES } from "#ingest/venues/registry.ts";
import { tableLines } from "../output/table.ts";
import { venueRows, VENUES_HEADER, venuesText } from "./venues.ts";

const LINES = tableLines({
  header: VENUES_HEADER,
  rows: venueRows(),
  columns: undefined,
  hasColours: false,
});

describe("the list of venues", () => {
  test("has a line for each venue, under a heading", () => {
    const [heading, ...lines] = LINES;
    expect(heading).toMatch(/^VENUE +TRADES +QUOTES +BOOK .*BOOK PROVEN BY$/);
    expect(lines.map((line) => line.split(" ")[0])).toEqual(Object.keys(VENUES));
  });

  test("says what a venue has and has not", () => {
    const line = LINES.find((each) => each.startsWith("coinbase "));
    expect(line).toMatch(/^coinbase +yes +yes +yes +- +yes +- +- +- +- +nothing$/);
  });

  test("is data on request", () => {
    const lines = venuesText(undefined, { json: true }).trimEnd().split("\n");
    const venues = lines.map((line) => JSON.parse(line) as { venue: string; channels: object });
    expect(venues.map(({ venue }) => venue)).toEqual(Object.keys(VENUES));
    expect(venues.find(({ venue }) => venue === "kraken")?.channels).toMatchObject({
      trades: "stream",
      funding: "none",
    });
  });
});

test("one venue is told of in full, with its notes and its documentation", () => {
  const text = venuesText("kraken", {});
  expect(text).toMatch(/^venue +kraken\nprotocol +Kraken v2\n/);
  expect(text).toMatch(/^loss shown by +checksum$/m);
  expect(text).toMatch(/^content by +checksum of the best 10$/m);
  expect(text).toMatch(/^documentation +https:\/\/docs\.kraken\.com/m);
});
