import { expect, test } from "vitest";
import { bookFrame } from "#test/support/fake-feed.ts";
import { FEED_POLICY_DEFAULTS } from "../feed-policy.ts";
import { startFakeSession } from "#test/support/fake-session.ts";
import type { FakeSessionOptions } from "#test/support/fake-session.ts";
import { BookRefresher } from "./book-refresher.ts";

const INTERVAL_MS = 600_000;

function snapshot(symbol: string, last: number, bid?: number): string {
  const level = bid === undefined ? {} : { bid };
  return bookFrame(symbol, { last, snapshot: true, source: "rest", ...level });
}

/** Books A and B, live at update 11, and refreshed from now on. */
function refreshed(options: Partial<FakeSessionOptions> & { jitter?: number } = {}) {
  const started = startFakeSession({ topics: ["A/book", "B/book"], ...options });
  const { dialer, rest, pipeline, snapshots, counters, catalog } = started;
  dialer.last.open();
  const refresher = new BookRefresher({
    ...started.context,
    restClient: rest,
    snapshots,
    random: () => options.jitter ?? 0.5,
    intervalMs: INTERVAL_MS,
    books: pipeline,
    deliver: (instrument, answer) => started.session.deliverSnapshot(instrument, answer),
    counters,
  });
  const instruments = ["A", "B"].map((symbol) => catalog.byVenueSymbol(symbol));
  for (const instrument of instruments) if (instrument !== undefined) refresher.add(instrument);
  for (const symbol of ["A", "B"]) {
    dialer.last.receive(bookFrame(symbol, { first: 10, last: 10 }));
    rest.answer(200, snapshot(symbol, 10));
    dialer.last.receive(bookFrame(symbol, { first: 11, last: 11 }));
  }
  rest.urls.length = 0;
  started.events.length = 0;
  return { ...started, refresher };
}

test("a book is refreshed when the interval is over, not before", () => {
  const { clock, rest } = refreshed();
  clock.advance(INTERVAL_MS - 0.001);
  expect(rest.urls).toEqual([]);
  clock.advance(0.001);
  expect(rest.urls).toEqual(["fake://rest/book/A", "fake://rest/book/B"]);
  clock.advance(INTERVAL_MS);
  expect(rest.urls).toHaveLength(2);
});

test("where numbers show no gaps, the first snapshot is replaced soon, and later ones in their turn", () => {
  const { unprovenRefreshMs } = FEED_POLICY_DEFAULTS;
  const { clock, rest, counters } = refreshed({ showsNoGaps: true });
  clock.advance(unprovenRefreshMs - 0.001);
  expect(rest.urls).toEqual([]);
  clock.advance(0.001);
  expect(rest.urls).toEqual(["fake://rest/book/A", "fake://rest/book/B"]);
  rest.answer(200, snapshot("A", 11));
  rest.answer(200, snapshot("B", 11));
  expect(counters.booksRefreshed).toBe(2);
  clock.advance(INTERVAL_MS - 0.001);
  expect(rest.urls).toHaveLength(2);
  clock.advance(0.001);
  expect(rest.urls).toHaveLength(4);
});

test.each([
  { jitter: 0, afterMs: INTERVAL_MS / 2 },
  { jitter: 0.75, afterMs: INTERVAL_MS * 1.25 },
])("chance $jitter makes it $afterMs ms", ({ jitter, afterMs }) => {
  const { clock, rest } = refreshed({ jitter });
  clock.advance(afterMs - 0.001);
  expect(rest.urls).toEqual([]);
  clock.advance(0.001);
  expect(rest.urls).toHaveLength(2);
});

test("the consumer sees one whole book and no change of state, and then the stream goes on", () => {
  const { clock, rest, dialer, events, ofKind, counters } = refreshed();
  clock.advance(INTERVAL_MS);
  dialer.last.receive(bookFrame("A", { first: 12, last: 12, bid: 98 }));
  rest.answer(200, snapshot("A", 11, 97));
  dialer.last.receive(bookFrame("A", { first: 13, last: 13, bid: 96 }));
  expect(events.every(({ kind }) => kind === "book")).toBe(true);
  const books = ofKind("book");
  expect(books.map((book) => book.snapshot)).toEqual([false, true, false]);
  expect(books[1]?.bids.prices).toEqual([98, 97]);
  expect(counters).toMatchObject({ booksRefreshed: 1, refreshesFailed: 0, gaps: 0, resyncs: 0 });
  rest.answer(200, snapshot("B", 11));
  clock.advance(INTERVAL_MS);
  expect(rest.urls).toHaveLength(4);
});

test.each([
  ["an error status", 503, ""],
  ["a damaged answer", 200, "{"],
  ["a book from before the live one", 200, snapshot("A", 9)],
  ["impossible values", 200, snapshot("A", 11).replace('"sizes":[1]', '"sizes":[-1]')],
])("%s keeps the live book, and is given up after a few tries", (_, status, body) => {
  const { clock, rest, dialer, events, pipeline, counters, catalog } = refreshed();
  clock.advance(INTERVAL_MS);
  rest.waiting.splice(1);
  for (let tries = 1; tries <= FEED_POLICY_DEFAULTS.refreshAttemptsMax; tries += 1) {
    expect(rest.waiting).toHaveLength(1);
    rest.answer(status, body);
    clock.advance(10_000);
  }
  expect(rest.waiting).toHaveLength(0);
  expect(counters).toMatchObject({ booksRefreshed: 0, refreshesFailed: 3, gaps: 0 });
  expect(events).toEqual([]);
  const instrument = catalog.byVenueSymbol("A");
  expect(instrument !== undefined && pipeline.liveBookOf(instrument) !== undefined).toBe(true);
  dialer.last.receive(bookFrame("A", { first: 12, last: 12 }));
  expect(events.map(({ kind }) => kind)).toEqual(["book"]);
});

test("a 429 to a refresh pauses the venue's REST for everybody", () => {
  const { clock, rest, dialer, counters } = refreshed();
  clock.advance(INTERVAL_MS);
  rest.answer(429, "", 20_000);
  expect(counters.rateLimited).toBe(1);
  dialer.last.receive(bookFrame("B", { first: 20, last: 20 }));
  clock.advance(19_999);
  expect(rest.urls).toHaveLength(2);
  clock.advance(1);
  expect(rest.urls[2]).toBe("fake://rest/book/B");
});

test("a book that breaks meanwhile is resynced, and the late answer is not used", () => {
  const { clock, rest, dialer, statuses, counters } = refreshed();
  clock.advance(INTERVAL_MS);
  dialer.last.receive(bookFrame("A", { first: 20, last: 20 }));
  rest.answer(200, snapshot("A", 11));
  expect(counters).toMatchObject({ booksRefreshed: 0, refreshesFailed: 0 });
  rest.waiting.shift();
  rest.answer(200, snapshot("A", 20));
  expect(statuses()).toEqual([
    "A/book gap sequence-gap",
    "A/book resyncing sequence-gap",
    "A/book live synchronized",
  ]);
  expect(counters).toMatchObject({ gaps: 1, resyncs: 1 });
});

test("refreshes use half of the budget, and resyncs go first", () => {
  const limits = { restWeight: { count: 20, intervalMs: 60_000 } };
  const { clock, rest, dialer } = refreshed({ limits });
  clock.advance(INTERVAL_MS);
  expect(rest.urls).toEqual(["fake://rest/book/A"]);
  dialer.last.receive(bookFrame("A", { first: 20, last: 20 }));
  expect(rest.urls).toEqual(["fake://rest/book/A", "fake://rest/book/A"]);
  clock.advance(59_999);
  expect(rest.urls).toHaveLength(2);
  clock.advance(1);
  expect(rest.urls[2]).toBe("fake://rest/book/B");
});

test("nothing is asked for once it is closed", () => {
  const { clock, rest, refresher } = refreshed();
  refresher.close();
  refresher.close();
  clock.advance(INTERVAL_MS * 3);
  expect(rest.urls).toEqual([]);
});
