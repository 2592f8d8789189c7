import { expect, test } from "vitest";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent } from "../../../feed/feed-adapter.ts";
import { TRADES_IN_ROW_MIN } from "./decoder.ts";
import { decodeRecorded } from "#test/support/recorded-answer.ts";
import { krakenFutures } from "./adapter.ts";

const OPTIONS = { requestId: 1, bookDepth: 1000 };

function decode(frames: readonly string[]): FeedEvent[] {
  const catalog = new InstrumentCatalog({
    venue: "kraken-futures",
    instrumentsMax: 100,
    derive: (venueSymbol) => krakenFutures.deriveInstrument(venueSymbol),
  });
  const decoder = krakenFutures.createDecoder({ catalog, bookDepth: 1000 });
  const events: FeedEvent[] = [];
  for (const frame of frames) decoder.decode(frame, 1, (event) => events.push(event));
  return events;
}

test("what one feed carries is subscribed once", () => {
  const instrument = krakenFutures.deriveInstrument("PF_XBTUSD");
  if (instrument === undefined) throw new Error("not derived");
  const wanted = krakenFutures.channels.map((channel) => ({ instrument, channel }));
  expect(krakenFutures.subscribeFrames(wanted, OPTIONS)).toEqual([
    '{"event":"subscribe","feed":"trade","product_ids":["PF_XBTUSD"]}',
    '{"event":"subscribe","feed":"ticker","product_ids":["PF_XBTUSD"]}',
    '{"event":"subscribe","feed":"book","product_ids":["PF_XBTUSD"]}',
  ]);
});

test("a dated contract has no funding to subscribe to", () => {
  const instrument = krakenFutures.deriveInstrument("FF_XBTUSD_261225");
  if (instrument === undefined) throw new Error("not derived");
  const wanted = [{ instrument, channel: "funding" } as const];
  expect(krakenFutures.planConnections(wanted, krakenFutures.endpoints)).toEqual([]);
});

test.each([
  ["PI_XBTUSD", { inverse: true, settle: "BTC", sizeUnit: "contract", kind: "perpetual" }],
  ["PF_XBTUSD", { inverse: false, settle: "USD", sizeUnit: "base", kind: "perpetual" }],
  ["FI_XBTUSD_261225", { inverse: true, settle: "BTC", sizeUnit: "contract", kind: "future" }],
  ["PF_XBTEUR", { inverse: false, quote: "EUR" }],
])("%s settles and counts as its class says", (venueSymbol, expected) => {
  expect(krakenFutures.deriveInstrument(venueSymbol)).toMatchObject(expected);
});

test.each(["PF_XBTUSD_261225", "FF_XBTUSD", "XBTUSD", "in_xbtusd", "PF_USD"])(
  "%s is no contract",
  (venueSymbol) => {
    expect(krakenFutures.deriveInstrument(venueSymbol)).toBeUndefined();
  },
);

test("a damaged snapshot is known by what is left of it", () => {
  expect(decode(['{"feed":"book_snapshot","product_id":"PF_XBTUSD","bids":[{"pri'])).toMatchObject([
    { reason: "bad-json", channel: "book", instrument: { venueSymbol: "PF_XBTUSD" } },
  ]);
});

test("increments that are powers of ten are plain decimals", () => {
  const body =
    '{"instruments":[{"symbol":"PF_PEPEUSD","tradeable":true,"tickSize":1e-10,"contractSize":1,"contractValueTradePrecision":-3}]}';
  expect(krakenFutures.parseInstruments(body, "")?.instruments).toMatchObject([
    { priceIncrement: "0.0000000001", sizeIncrement: "1000", contractSize: "1" },
  ]);
});

test("a list in lower case is of what the stream writes in upper case", () => {
  const symbols = ["pi_xbtusd", "fi_xbtusd_211231", "pv_xrpxbt", "PF_AAPLxUSD", "in_xbtusd"];
  const instruments = symbols.map((symbol) => ({ symbol, tradeable: symbol !== "in_xbtusd" }));
  const list = krakenFutures.parseInstruments(JSON.stringify({ instruments }), "");
  expect(list?.skipped).toBe(1);
  expect(list?.instruments.map(({ venueSymbol, symbol }) => [venueSymbol, symbol])).toEqual([
    ["PI_XBTUSD", "BTC-USD_BTC-PERP"],
    ["FI_XBTUSD_211231", "BTC-USD_BTC-20211231"],
    ["PV_XRPXBT", "XRP-BTC_V-PERP"],
    ["PF_AAPLxUSD", "AAPLx-USD-PERP"],
  ]);
});

function trade(seq: number, fields: object = {}): object {
  const common = { feed: "trade", product_id: "PI_XBTUSD", side: "buy", time: 1640995200000 };
  return { ...common, uid: `id-${seq}`, type: "fill", seq, qty: 1, price: 5, ...fields };
}

function listed(sequences: readonly number[]): string {
  const trades = sequences.toReversed().map((seq) => trade(seq));
  return JSON.stringify({ feed: "trade_snapshot", product_id: "PI_XBTUSD", trades });
}

function numbers(from: number, count: number): number[] {
  return Array.from({ length: count }, (_, index) => from + index);
}

function lostAt(frames: readonly string[]): number[] {
  return decode(frames).flatMap((event, index) =>
    event.kind === "rejected" && event.reason === "missing-data" ? [index] : [],
  );
}

test("a hole in the numbers of trades that never had one is a lost trade", () => {
  const row = listed(numbers(1, TRADES_IN_ROW_MIN + 1));
  const live = [40, 41, 43].map((seq) => JSON.stringify(trade(seq)));
  // What comes live may begin anywhere behind the list.
  expect(lostAt([row, ...live])).toEqual([TRADES_IN_ROW_MIN + 1 + 2]);
});

test.each([
  ["few trades", numbers(1, 3), [5, 7, 9]],
  ["trades with holes by nature", numbers(1, 40).map((each) => 2 * each), [100, 102, 105]],
  ["trades with a hole of late", [...numbers(1, 40), 50], [51, 53, 55]],
])("holes in the numbers of %s say nothing", (_of, before, live) => {
  expect(lostAt([listed(before), ...live.map((seq) => JSON.stringify(trade(seq)))])).toEqual([]);
});

test("a trade is one whatever brought it about, and a liquidation only where that did", () => {
  const types = ["fill", "liquidation", "assignment", "termination", "block"];
  const frames = types.map((type, index) => JSON.stringify(trade(index + 1, { type })));
  const kinds = decode(frames).map((event) => event.kind);
  expect(kinds).toEqual(["trade", "trade", "liquidation", "trade", "trade", "trade"]);
});

const BOOK = { product_id: "PI_XBTUSD", timestamp: 1640995200000 };
const SNAPSHOT = JSON.stringify({
  ...BOOK,
  feed: "book_snapshot",
  seq: 10,
  tickSize: null,
  bids: [{ price: 50000.5, qty: 100 }],
  asks: [{ price: 50001, qty: 7 }],
});
const CHANGE = JSON.stringify({
  ...BOOK,
  feed: "book",
  side: "buy",
  seq: 11,
  price: 50000,
  qty: 25,
});

test.each([
  ["book_snapshot", SNAPSHOT],
  ["book", CHANGE],
  ["trade", JSON.stringify(trade(1))],
  ["trade_snapshot", listed([1, 2])],
])("a %s cut at any byte is one rejection", (_feed, frame) => {
  for (let length = 0; length < frame.length; length++) {
    expect(decode([frame.slice(0, length)])).toMatchObject([{ kind: "rejected" }]);
  }
});

test("a book whose levels are missing, of another kind or no numbers is not half of one", () => {
  for (const spoilt of [
    SNAPSHOT.replace('"bids":[', '"bidz":['),
    SNAPSHOT.replace('[{"price":50001,"qty":7}]', "{}"),
    SNAPSHOT.replace('{"price":50001,"qty":7}', "[50001,7]"),
    SNAPSHOT.replace('"qty":7', '"qty":"x"'),
    SNAPSHOT.replace('"seq":10', '"seq":-1'),
    CHANGE.replace('"qty":25', '"qty":null'),
    CHANGE.replace('"price":50000', '"price":0'),
    CHANGE.replace('"buy"', '"bid"'),
  ]) {
    expect(decode([spoilt])).toMatchObject([
      { kind: "rejected", channel: "book", instrument: { venueSymbol: "PI_XBTUSD" } },
    ]);
  }
});

test("the venue's clock is in every answer of its REST side", () => {
  const body = '{"result":"success","serverTime":"2026-01-01T00:00:01.123Z"}';
  expect(krakenFutures.parseServerTimeUs?.(body)).toBe(1_767_225_601_123_000);
  expect(krakenFutures.parseServerTimeUs?.("[]")).toBeUndefined();
});

test("an address that cannot be read is of an unknown instrument", () => {
  const catalog = new InstrumentCatalog({ venue: krakenFutures.venue, instrumentsMax: 10 });
  const decoder = krakenFutures.createDecoder({ catalog, bookDepth: 25 });
  const events: FeedEvent[] = [];
  const url = "https://futures.kraken.com/derivatives/api/v3/history?symbol=%E0%A4";
  const answer = { url, body: '{"history":[]}' };
  const connection = { adapter: krakenFutures, catalog, decoder };
  decodeRecorded(connection, answer, 1, (event) => events.push(event));
  expect(events).toEqual([{ kind: "rejected", reason: "unknown-instrument" }]);
});
