import { readBusBatch, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import { HistoryReplyCodec } from "@tickwire/proto/messages";
import { OrderBook } from "@tickwire/proto/model";
import { MarketData } from "@tickwire/proto/service";
import type { GetCandlesRequest, MessageInit } from "@tickwire/proto/service";
import { expect, test } from "vitest";
import { BusError } from "#bus/bus.ts";
import type { Bus, BusMessage } from "#bus/bus.ts";
import { queryPattern, querySubject } from "#bus/subject.ts";
import { MARKET_SYMBOL } from "#core/instrument.ts";
import type { Candle, MarketEvent, Quote, Status, Trade } from "#core/market-event.ts";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import {
  decodeCatalogReply,
  decodeQueryReply,
  decodeSnapshotReply,
  encodeCatalogRequest,
  encodeHistoryRequest,
  encodeSnapshotRequest,
} from "#wire/bus-codec.ts";
import { historyQuery, writeHistoryToken } from "#wire/history-token.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "./publish-limits.ts";
import { createPublisherCounters, Publisher } from "./publisher.ts";
import { QueryResponder, STATE_PAGE_EVENTS_MAX } from "./query-responder.ts";
import { StreamedInstruments } from "./streamed-instruments.ts";
import { VenueListings } from "./venue-listings.ts";

const A = fakeInstrument("A-USD");
const TO = { venue: "fake", publisherId: "p-1" };
const BASE = { instrument: A, venueTimeUs: undefined, receivedTimeUs: 7 } as const;
const { getTrades, getCandles, getStatus } = MarketData.methods;

function trade(tradeId: string): Trade {
  const numbers = { priceMantissa: 105, priceScale: 1, sizeMantissa: 2, sizeScale: 0 };
  return { kind: "trade", ...BASE, tradeId, historical: false, aggressorSide: "buyer", ...numbers };
}

function quote(bidPriceMantissa: number): Quote {
  const sizes = { bidSizeMantissa: 1, askSizeMantissa: 1, askPriceMantissa: 200 };
  return { kind: "quote", ...BASE, priceScale: 0, sizeScale: 0, bidPriceMantissa, ...sizes };
}

function candle(openTimeUs: number, intervalMs: number): Candle {
  const prices = { open: "1", high: "1", low: "1", close: "1", volume: "1" };
  const rest = { closed: false, quoteVolume: undefined, tradeCount: undefined };
  return { kind: "candle", ...BASE, intervalMs, openTimeUs, ...prices, ...rest };
}

function status(channel: Status["channel"], state: Status["state"]): Status {
  return { kind: "status", ...BASE, channel, state, reason: "data", sinceTimeUs: 3 };
}

function create(payloadBytesMax = 1_000_000) {
  const handlers = new Map<string, (message: BusMessage) => void>();
  const published: string[] = [];
  const logged: string[] = [];
  const log = (_fields: object, message: string): void => void logged.push(message);
  const logger = { debug: log, info: log, warn: log, error: log };
  const bus = {
    payloadBytesMax,
    publish: (subject: string) => published.push(subject),
    subscribe: (pattern: string, handler: (message: BusMessage) => void) => {
      handlers.set(pattern, handler);
      return { pattern, unsubscribe: () => handlers.delete(pattern) };
    },
  } as unknown as Bus;
  const clock = new ManualClock(1_000);
  const publisher = new Publisher({
    bus,
    clock,
    epoch: 42,
    limits: { ...PUBLISH_LIMITS_DEFAULTS, recentTradesMax: 2_000, recentCandlesMax: 10 },
    schedule: () => {},
    counters: createPublisherCounters(),
    logger,
  });
  const streamed = new StreamedInstruments();
  streamed.add(
    (["trades", "quotes", "book", "candles"] as const).map((channel) => ({
      instrument: A,
      channel,
    })),
  );
  const book = new OrderBook();
  let liveBook: OrderBook | undefined;
  const listings = new VenueListings({
    venue: "fake",
    clock,
    emit: (listing) => publisher.publish(listing),
  });
  const venue = { venue: "fake", streamed, listings, publisher, liveBookOf: () => liveBook };
  const responder = new QueryResponder({ ...TO, bus, clock, venues: [venue], logger });
  responder.start();
  const ask = (subject: string, payload: Uint8Array = new Uint8Array(0)) => {
    let bytes: Uint8Array | undefined;
    const respond = (reply: Uint8Array): void => void (bytes = reply);
    handlers.get(queryPattern(TO))?.({ subject, payload, respond });
    if (bytes === undefined) throw new Error("nobody answered");
    return decodeQueryReply(bytes);
  };
  const snapshot = (channel: "trades" | "quotes" | "book" | "candles" | "status" | "funding") => {
    const query = { ...TO, query: "snapshot", channel, symbol: "A-USD" } as const;
    return ask(querySubject(query));
  };
  const setLiveBook = (isLive: boolean): void => {
    liveBook = isLive ? book : undefined;
  };
  const publish = (...events: readonly MarketEvent[]): void => {
    for (const event of events) publisher.publish(event);
  };
  return {
    responder,
    handlers,
    published,
    logged,
    ask,
    snapshot,
    publish,
    book,
    setLiveBook,
    streamed,
    listings,
    clock,
  };
}

function stateOf(payload: Uint8Array): BusBatch {
  const [batch, ...rest] = decodeSnapshotReply(payload).batches;
  expect(rest).toEqual([]);
  return batch;
}

test("a snapshot is the last state at its position, and what waited is published before", () => {
  const { snapshot, publish, published } = create();
  publish(quote(99), quote(100));
  expect(published).toEqual([]);
  const batch = stateOf(snapshot("quotes").payload);
  expect(published).toEqual(["md.v2.fake.quotes.A-USD"]);
  expect(batch).toMatchObject({ epoch: 42, baseSequence: 2, snapshot: true, count: 1 });
  expect(rowsOf(readBusEvents(batch)).rows[0]).toMatchObject({ bidPriceMantissa: 100 });
});

test("a topic without events has position 0, one of single occurrences a position and no event", () => {
  const { snapshot, publish } = create();
  expect(stateOf(snapshot("quotes").payload)).toMatchObject({ baseSequence: 0, count: 0 });
  publish(trade("1"), trade("2"));
  expect(stateOf(snapshot("trades").payload)).toMatchObject({ baseSequence: 2, count: 0 });
});

test("a book is handed out whole while it is known to be right, and not otherwise", () => {
  const { snapshot, publish, book, setLiveBook } = create();
  const bids = { prices: [99, 98], sizes: [1, 2] };
  const asks = { prices: [101], sizes: [3] };
  const levels = { priceScale: 0, sizeScale: 0, bids, asks };
  book.applySnapshot(levels);
  const delta = { ...levels, bids: { prices: [98], sizes: [2] }, asks: { prices: [], sizes: [] } };
  publish({ kind: "book", ...BASE, snapshot: true, ...levels });
  publish({ kind: "book", ...BASE, snapshot: false, ...delta });
  expect(stateOf(snapshot("book").payload)).toMatchObject({ baseSequence: 2, count: 0 });
  setLiveBook(true);
  const batch = stateOf(snapshot("book").payload);
  expect(batch).toMatchObject({ baseSequence: 2, count: 1 });
  expect(rowsOf(readBusEvents(batch)).rows[0]).toMatchObject({ snapshot: true, bids, asks });
});

test("candles and states tell the latest of each interval and channel", () => {
  const { snapshot, publish } = create();
  publish(candle(1, 60_000), candle(2, 60_000), candle(1, 1_000));
  expect(stateOf(snapshot("candles").payload)).toMatchObject({
    baseSequence: 3,
    count: 2,
    snapshot: true,
  });
  publish(status("trades", "syncing"), status("book", "live"), status("trades", "live"));
  expect(stateOf(snapshot("status").payload)).toMatchObject({
    baseSequence: 3,
    count: 2,
    snapshot: true,
  });
});

test("candles of which only some say a field are one state in two batches", () => {
  const { snapshot, publish } = create();
  publish(candle(1, 60_000), { ...candle(1, 1_000), quoteVolume: "3" });
  const { batches } = decodeSnapshotReply(snapshot("candles").payload);
  expect(batches.map(({ baseSequence, count }) => [baseSequence, count])).toEqual([
    [2, 1],
    [2, 1],
  ]);
  const rows = batches.flatMap((batch) => [...rowsOf(readBusEvents(batch)).rows]);
  expect(rows).toMatchObject([{ intervalMs: 60_000 }, { intervalMs: 1_000, quoteVolume: "3" }]);
});

test.each([
  { asked: 0, given: 100 },
  { asked: 999, given: 999 },
  { asked: 1_000, given: 1_000 },
  { asked: 1_001, given: 1_000 },
])("of 1100 trades, $asked asked for are the last $given", ({ asked, given }) => {
  const { ask, publish } = create();
  publish(...Array.from({ length: 1_100 }, (_, index) => trade(String(index + 1))));
  const subject = querySubject({ ...TO, query: "trades", symbol: "A-USD" });
  const reply = ask(subject, getTrades.request.encode({ pageSize: asked }));
  const { trades } = getTrades.response.decode(reply.payload);
  expect(trades).toHaveLength(given);
  expect(trades.at(-1)).toMatchObject({ sequence: 1_100, tradeId: "1100", price: "10.5" });
  expect(trades[0]?.sequence).toBe(1_101 - given);
});

test("pages of trades go on by their tokens, which another request or publisher does not take", () => {
  const { ask, publish } = create();
  publish(...Array.from({ length: 5 }, (_, index) => trade(String(index + 1))));
  const subject = querySubject({ ...TO, query: "trades", symbol: "A-USD" });
  const page = (pageToken: string, more: { readonly toTimeUs?: number } = {}) => {
    const asked = { venue: "fake", symbol: "A-USD", pageSize: 2, pageToken, ...more };
    return ask(subject, getTrades.request.encode(asked));
  };
  const seen: string[][] = [];
  let token = "";
  do {
    const answer = getTrades.response.decode(page(token).payload);
    seen.push(answer.trades.map(({ tradeId }) => tradeId));
    token = answer.nextPageToken;
  } while (token !== "");
  expect(seen).toEqual([["4", "5"], ["2", "3"], ["1"]]);
  const first = getTrades.response.decode(page("").payload).nextPageToken;
  expect(page(first, { toTimeUs: 9 }).error?.code).toBe("CODE_INVALID_ARGUMENT");
  const query = historyQuery({ venue: "fake", symbol: "A-USD", fromTimeUs: 0, toTimeUs: 0 });
  const elsewhere = writeHistoryToken(query, { epoch: 12_345, key: 3 });
  expect(page(elsewhere).error?.code).toBe("CODE_FAILED_PRECONDITION");
});

test("candles are asked for by interval and by the range of their starts", () => {
  const { ask, publish } = create();
  publish(candle(1, 60_000), candle(2, 60_000), candle(5, 1_000));
  const subject = querySubject({ ...TO, query: "candles", symbol: "A-USD" });
  const starts = (request: MessageInit<GetCandlesRequest>) =>
    getCandles.response
      .decode(ask(subject, getCandles.request.encode(request)).payload)
      .candles.map(({ openTimeUs }) => openTimeUs);
  expect(starts({ intervalMs: 60_000 })).toEqual([1, 2]);
  expect(starts({ intervalMs: 60_000, pageSize: 1 })).toEqual([2]);
  expect(starts({ intervalMs: 60_000, fromTimeUs: 1, toTimeUs: 2 })).toEqual([1]);
  expect(starts({ intervalMs: 1_000 })).toEqual([5]);
  expect(starts({ intervalMs: 5_000 })).toEqual([]);
});

test("states are asked for by instrument or all at once, the catalog by venue", () => {
  const { ask, publish } = create();
  publish(status("trades", "live"), status("book", "gap"));
  const subject = querySubject({ ...TO, query: "statuses" });
  for (const symbol of ["", "A-USD"]) {
    const { payload } = ask(subject, getStatus.request.encode({ venue: "fake", symbol }));
    const { statuses } = getStatus.response.decode(payload);
    expect(statuses.map(({ status: each }) => `${each?.channel} ${each?.state}`)).toEqual([
      "CHANNEL_TRADES TOPIC_STATE_LIVE",
      "CHANNEL_BOOK TOPIC_STATE_GAP",
    ]);
  }
  const catalog = decodeCatalogReply(ask(querySubject({ ...TO, query: "catalog" })).payload);
  expect(catalog.catalogVersion).toBe(4);
  expect(catalog.instruments.map(({ symbol }) => symbol)).toEqual(["A-USD"]);
});

test("what is not streamed is not found, and what cannot be read is the asker's mistake", () => {
  const { ask, snapshot, logged } = create();
  expect(snapshot("funding").error).toMatchObject({
    code: "CODE_NOT_FOUND",
    message: "fake:A-USD/funding is not streamed",
  });
  const trades = { ...TO, query: "trades" } as const;
  expect(ask(querySubject({ ...trades, symbol: "B-USD" })).error?.code).toBe("CODE_NOT_FOUND");
  const damaged = ask(querySubject({ ...trades, symbol: "A-USD" }), Uint8Array.of(255));
  expect(damaged.error?.code).toBe("CODE_INVALID_ARGUMENT");
  expect(ask("rq.v2.fake.nonsense").error?.code).toBe("CODE_INVALID_ARGUMENT");
  expect(logged).toEqual([]);
});

test("a bus that does not take the answer is logged; a bug of ours is not held back", () => {
  const { handlers, logged } = create();
  const subject = querySubject({ ...TO, query: "catalog" });
  const payload = new Uint8Array(0);
  const handler = handlers.get(queryPattern(TO));
  const refuse = (error: Error) => (): void => {
    throw error;
  };
  handler?.({ subject, payload, respond: refuse(new BusError("bus-closed", "closed")) });
  expect(logged).toEqual(["the bus did not take an answer"]);
  const bug = { subject, payload, respond: refuse(new TypeError("bug")) };
  expect(() => handler?.(bug)).toThrow(TypeError);
});

test("closed, it answers nobody", () => {
  const { responder, handlers } = create();
  responder.close();
  responder.close();
  expect(handlers.size).toBe(0);
});

function askHistory(
  { ask }: ReturnType<typeof create>,
  position: { epoch?: number; afterSequence: number },
) {
  const subject = querySubject({ ...TO, query: "history", channel: "trades", symbol: "A-USD" });
  const reply = ask(subject, encodeHistoryRequest({ epoch: 42, ...position }));
  if (reply.error !== null && reply.error !== undefined) return reply.error.code;
  const { batches, sequence } = HistoryReplyCodec.decode(reply.payload);
  const ids = batches.map((bytes) => {
    const { rows } = rowsOf(readBusEvents(readBusBatch(bytes)));
    return rows.map((row) => (row as { tradeId?: string }).tradeId).join(" ");
  });
  return { ids, sequence };
}

test("what follows a position is the batches as they were published, what waited included", () => {
  const parts = create();
  parts.publish(trade("1"), trade("2"));
  expect(askHistory(parts, { afterSequence: 0 })).toEqual({ ids: ["1 2"], sequence: 2 });
  parts.publish(trade("3"));
  expect(askHistory(parts, { afterSequence: 2 })).toEqual({ ids: ["3"], sequence: 3 });
  expect(askHistory(parts, { afterSequence: 3 })).toEqual({ ids: [], sequence: 3 });
});

test("what follows a position comes in pages that fit a message", () => {
  const parts = create(1_024 + 200);
  for (let index = 0; index < 40; index += 1) {
    parts.publish(trade(`t-${index}`));
    // Each in a batch of its own.
    askHistory(parts, { afterSequence: 0 });
  }
  const seen: string[] = [];
  while (seen.length < 40) {
    const page = askHistory(parts, { afterSequence: seen.length });
    if (typeof page === "string") throw new Error(page);
    expect(page.sequence).toBe(40);
    expect(page.ids.length).toBeGreaterThan(0);
    expect(page.ids.length).toBeLessThan(40);
    seen.push(...page.ids);
  }
  expect(seen).toEqual(Array.from({ length: 40 }, (_, index) => `t-${index}`));
});

test("a position of another epoch, or one that was never reached, has no history", () => {
  const parts = create();
  parts.publish(trade("1"));
  expect(askHistory(parts, { epoch: 41, afterSequence: 0 })).toBe("CODE_FAILED_PRECONDITION");
  expect(askHistory(parts, { afterSequence: 2 })).toBe("CODE_FAILED_PRECONDITION");
});

test("a catalog larger than a message comes in pages that fit", () => {
  const { ask, streamed } = create(10_000);
  for (let index = 0; index < 700; index += 1) {
    streamed.add([{ instrument: fakeInstrument(`S${index}-USD`), channel: "book" }]);
  }
  const seen: string[] = [];
  for (let after = "", more = true; more; after = seen.at(-1) ?? "") {
    const subject = querySubject({ ...TO, query: "catalog" });
    const { payload } = ask(subject, encodeCatalogRequest({ afterSymbol: after }));
    expect(payload.byteLength).toBeLessThan(10_000);
    const page = decodeCatalogReply(payload);
    seen.push(...page.instruments.map(({ symbol }) => symbol));
    more = page.more;
  }
  expect(seen).toHaveLength(701);
  expect(seen).toEqual(seen.toSorted());
});

test("the statuses of a venue come in pages of 200 instruments, or fewer if that is asked", () => {
  const { ask, publish, streamed } = create();
  for (let index = 0; index < 300; index += 1) {
    const instrument = fakeInstrument(`S${1_000 + index}-USD`);
    streamed.add([{ instrument, channel: "book" }]);
    publish({ ...status("book", "live"), instrument });
  }
  const page = (pageToken: string, pageSize = 0) => {
    const request = getStatus.request.encode({ venue: "fake", pageToken, pageSize });
    const { payload } = ask(querySubject({ ...TO, query: "statuses" }), request);
    return getStatus.response.decode(payload);
  };
  // The first instrument, A-USD, has no status yet.
  expect(page("").statuses).toHaveLength(199);
  expect(page("").nextPageToken).toBe("S1198-USD");
  expect(page("S1198-USD").statuses).toHaveLength(101);
  expect(page("S1198-USD").nextPageToken).toBe("");
  expect(page("A-USD", 5).statuses).toHaveLength(5);
  expect(page("A-USD", 5_000).statuses).toHaveLength(200);
});

/** A venue that lists so many instruments, and a way to ask for the state of its list. */
function createListed(count: number, payloadBytesMax?: number) {
  const parts = create(payloadBytesMax);
  const tell = (index: number): void => {
    const instrument = fakeInstrument(`S${100_000 + index}-USD`);
    parts.listings.tell({ instrument, change: "added", reason: "listed" });
    parts.clock.advance(1);
  };
  for (let index = 0; index < count; index += 1) tell(index);
  const subject = querySubject({
    ...TO,
    query: "snapshot",
    channel: "listings",
    symbol: MARKET_SYMBOL,
  });
  const page = (request: Parameters<typeof encodeSnapshotRequest>[0]) =>
    parts.ask(subject, encodeSnapshotRequest(request));
  return { tell, page, askPlain: () => parts.ask(subject), ask: parts.ask };
}

function symbolsOf(payload: Uint8Array): readonly string[] {
  return decodeSnapshotReply(payload).batches.flatMap((batch) => {
    const { rows } = rowsOf(readBusEvents(batch));
    return rows.map((row) => (row as { symbol?: string }).symbol ?? "");
  });
}

test.each([
  [STATE_PAGE_EVENTS_MAX - 1, [STATE_PAGE_EVENTS_MAX - 1]],
  [STATE_PAGE_EVENTS_MAX, [STATE_PAGE_EVENTS_MAX]],
  [STATE_PAGE_EVENTS_MAX + 1, [STATE_PAGE_EVENTS_MAX, 1]],
])("a list of %i instruments comes in pages of %j at one sequence", (count, pages) => {
  const { page } = createListed(count);
  const seen: string[][] = [];
  for (let skippedEvents = 0, more = true; more; skippedEvents = seen.flat().length) {
    const { payload } = page({ paged: true, skippedEvents });
    const reply = decodeSnapshotReply(payload);
    expect(reply.batches[0]).toMatchObject({ baseSequence: count, snapshot: true });
    seen.push([...symbolsOf(payload)]);
    more = reply.more;
  }
  expect(seen.map(({ length }) => length)).toEqual(pages);
  expect(new Set(seen.flat()).size).toBe(count);
});

test("a list that a message of the bus does not take comes in pages that fit, and all of it", () => {
  const bytesMax = 4_000;
  const { page, askPlain } = createListed(600, bytesMax);
  const seen: string[] = [];
  for (let more = true; more;) {
    const { payload } = page({ paged: true, skippedEvents: seen.length });
    expect(payload.byteLength).toBeLessThanOrEqual(bytesMax - 1_024);
    seen.push(...symbolsOf(payload));
    ({ more } = decodeSnapshotReply(payload));
  }
  expect(new Set(seen).size).toBe(600);
  expect(seen).toHaveLength(600);
  // Whoever does not know of pages is never given one in place of the whole.
  expect(askPlain().error?.code).toBe("CODE_FAILED_PRECONDITION");
});

test("a page shows where the list stands by then, and one behind its end has no events", () => {
  const { tell, page } = createListed(3);
  tell(3);
  const { payload } = page({ paged: true, skippedEvents: 4 });
  expect(decodeSnapshotReply(payload)).toMatchObject({
    batches: [{ baseSequence: 4, count: 0 }],
    more: false,
  });
});

test("an event that no message takes is said, and asked for no further", () => {
  const { page } = createListed(3, 1_024 + 20);
  expect(page({ paged: true }).error?.code).toBe("CODE_FAILED_PRECONDITION");
});

test("the call of a client asks for the whole state", () => {
  const { ask } = createListed(STATE_PAGE_EVENTS_MAX + 1);
  const subject = querySubject({
    ...TO,
    query: "snapshot",
    channel: "listings",
    symbol: MARKET_SYMBOL,
  });
  const call = MarketData.methods.getSnapshot.request.encode({
    venue: "fake",
    symbol: MARKET_SYMBOL,
  });
  const { payload } = ask(subject, call);
  expect(decodeSnapshotReply(payload).more).toBe(false);
  expect(symbolsOf(payload)).toHaveLength(STATE_PAGE_EVENTS_MAX + 1);
});
