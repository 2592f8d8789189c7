import { expect, test } from "vitest";
import type { Channel } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent, FeedSubscription } from "../../../feed/feed-adapter.ts";
import { coinbaseAdvanced } from "./adapter.ts";

const OPTIONS = { requestId: 1, bookDepth: 1000 };

function wanted(product: string, channels: readonly Channel[]): FeedSubscription[] {
  const instrument = coinbaseAdvanced.deriveInstrument(product);
  if (instrument === undefined) throw new Error(`${product} is no product`);
  return channels.map((channel) => ({ instrument, channel }));
}

function message(channel: string, sequence: number, event: object): string {
  const timestamp = "2026-01-01T00:00:00Z";
  return JSON.stringify({ channel, timestamp, sequence_num: sequence, events: [event] });
}

function decode(frames: readonly string[]): FeedEvent[] {
  const catalog = new InstrumentCatalog({
    venue: "coinbase-advanced",
    instrumentsMax: 100,
    derive: (venueSymbol) => coinbaseAdvanced.deriveInstrument(venueSymbol),
  });
  const decoder = coinbaseAdvanced.createDecoder({ catalog, bookDepth: 1000 });
  const events: FeedEvent[] = [];
  for (const frame of frames) decoder.decode(frame, 1, (event) => events.push(event));
  return events;
}

function lostBy(frames: readonly string[]): string[] {
  return decode(frames).flatMap((event) =>
    event.kind === "rejected" && event.reason === "missing-data"
      ? [`${event.instrument?.venueSymbol} ${event.channel}`]
      : [],
  );
}

test("each channel of each product is subscribed by a frame of its own", () => {
  const subscriptions = wanted("BTC-USD", coinbaseAdvanced.channels);
  expect(coinbaseAdvanced.subscribeFrames(subscriptions, OPTIONS)).toEqual([
    '{"type":"subscribe","product_ids":["BTC-USD"],"channel":"market_trades"}',
    '{"type":"subscribe","product_ids":["BTC-USD"],"channel":"ticker"}',
    '{"type":"subscribe","product_ids":["BTC-USD"],"channel":"level2"}',
    '{"type":"subscribe","product_ids":["BTC-USD"],"channel":"candles"}',
  ]);
});

test("heartbeats are asked for before anything else", () => {
  expect(coinbaseAdvanced.openingFrames?.(OPTIONS)).toEqual([
    '{"type":"subscribe","channel":"heartbeats"}',
  ]);
});

test("what is subscribed may be lost before its first message", () => {
  const subscriptions = { level2: ["BTC-USD", "ETH-USD"], market_trades: ["BTC-USD"] };
  expect(
    lostBy([message("subscriptions", 0, { subscriptions }), message("heartbeats", 2, {})]),
  ).toEqual(["BTC-USD book", "ETH-USD book", "BTC-USD trades"]);
});

test("a recording that begins in the middle has no hole at its beginning", () => {
  const update = { type: "update", product_id: "BTC-USD", updates: [] };
  expect(lostBy([message("l2_data", 500, update), message("l2_data", 501, update)])).toEqual([]);
});

const LEVEL = { side: "bid", event_time: "2023-02-09T20:32:50.714964855Z" };
const BOOK = message("l2_data", 0, {
  type: "snapshot",
  product_id: "BTC-USD",
  updates: [
    { ...LEVEL, price_level: "21921.73", new_quantity: "0.06317902" },
    { ...LEVEL, price_level: "21921", new_quantity: "0" },
    { ...LEVEL, side: "offer", price_level: "21922.5", new_quantity: "1e-8" },
  ],
});

test("a snapshot that comes late is asked for again", () => {
  const late = BOOK.replace('"sequence_num":0', '"sequence_num":3');
  const frames = [BOOK, message("heartbeats", 5, {}), late];
  expect(lostBy(frames)).toEqual(["BTC-USD book", "BTC-USD book"]);
  expect(decode(frames).filter(({ kind }) => kind === "raw-book")).toHaveLength(1);
});

test("both sides of a book stand in one list, and nanoseconds are cut", () => {
  expect(decode([BOOK])).toMatchObject([
    {
      kind: "raw-book",
      snapshot: true,
      venueTimeUs: 1_675_974_770_714_964,
      priceScale: 2,
      sizeScale: 8,
      bids: { prices: [2_192_173, 2_192_100], sizes: [6_317_902, 0] },
      asks: { prices: [2_192_250], sizes: [1] },
    },
  ]);
});

test("a book cut at any byte is one rejection, and the next number tells what it was", () => {
  const next = message("heartbeats", 2, {});
  const update = BOOK.replace('"sequence_num":0', '"sequence_num":1');
  for (let length = 0; length < update.length; length++) {
    const cut = update.slice(0, length);
    expect(decode([cut])).toMatchObject([{ kind: "rejected", reason: "bad-json" }]);
    expect(lostBy([BOOK, cut, next])).toEqual(["BTC-USD book"]);
  }
});

test.each([
  ['"updates":', '"updatez":', "missing-field"],
  ['"side":"offer"', '"side":"both"', "missing-field"],
  ['"new_quantity":"0"', '"new_quantity":"-1"', "negative-size"],
  ['"new_quantity":"0"', '"new_quantity":null', "bad-decimal"],
  ['"price_level":"21921"', '"price_level":"0"', "non-positive-price"],
  ['"type":"snapshot"', '"type":"snapshop"', "missing-field"],
])("a book with %s written %s is none", (text, damaged, reason) => {
  expect(decode([BOOK.replace(text, damaged)])).toMatchObject([
    { kind: "rejected", reason, channel: "book", instrument: { venueSymbol: "BTC-USD" } },
  ]);
});

test("empty lists are no rejections", () => {
  const frames = [
    message("l2_data", 0, { type: "update", product_id: "BTC-USD", updates: [] }),
    message("market_trades", 1, { type: "update", trades: [] }),
    message("ticker", 2, { type: "update", tickers: [] }),
    '{"channel":"l2_data","sequence_num":3,"events":[]}',
  ];
  expect(decode(frames).filter((event) => event.kind === "rejected")).toEqual([]);
});

test("trades of several products in one list are told oldest first", () => {
  const common = { price: "1", size: "1", side: "BUY", time: "2026-01-01T00:00:00Z" };
  const trades = [
    { ...common, product_id: "BTC-USD", trade_id: "12" },
    { ...common, product_id: "BTC-USD", trade_id: "11" },
    { ...common, product_id: "ETH-USD", trade_id: "902" },
    { ...common, product_id: "ETH-USD", trade_id: "901" },
  ];
  const events = decode([message("market_trades", 0, { type: "update", trades })]);
  expect(events.map((event) => event.kind === "trade" && event.tradeId)).toEqual(
    trades.toReversed().map((trade) => trade.trade_id),
  );
});

test.each([
  ["BIT-24XXX26-CDE", undefined],
  ["BTC-PERP-INTX", "BTC-USDC-PERP"],
  ["BIP-20DEC30-CDE", "BIP-USD-PERP"],
  ["BIT-20DEC29-CDE", "BIT-USD-20291220"],
  ["BTC", undefined],
])("%s is derived as %s", (venueSymbol, symbol) => {
  expect(coinbaseAdvanced.deriveInstrument(venueSymbol)?.symbol).toBe(symbol);
});

test("a product whose details are null is one all the same", () => {
  const nothing = { alias: null, status: null, is_disabled: null, price_increment: null };
  const spot = { product_id: "BTC-USD", base_currency_id: "BTC", quote_currency_id: "USD" };
  const future = {
    product_id: "BIT-24APR26-CDE",
    product_type: "FUTURE",
    base_currency_id: null,
    quote_currency_id: "USD",
    future_product_details: { contract_root_unit: null, contract_size: null },
  };
  const products = [spot, future].map((product) => ({ ...product, ...nothing }));
  const list = coinbaseAdvanced.parseInstruments(JSON.stringify({ products }), "");
  expect(list).toMatchObject({
    skipped: 0,
    instruments: [{ symbol: "BTC-USD" }, { symbol: "BIT-USD-20260424" }],
  });
});

test.each([
  [{ funding_rate: "-0.00001" }, "perpetual"],
  [{ funding_rate: "", perpetual_details: { funding_rate: "0" } }, "perpetual"],
  [{ display_name: "BTC PERP" }, "perpetual"],
  [{ funding_rate: "", display_name: "BTC 19 DEC 31" }, "future"],
])("a contract that ends in 2031 with %o is a %s", (details, kind) => {
  const product = {
    product_id: "BIP-19DEC31-CDE",
    product_type: "FUTURE",
    quote_currency_id: "USD",
    future_product_details: { contract_expiry: "2031-12-19T16:00:00Z", ...details },
  };
  const body = JSON.stringify({ products: [product] });
  const [instrument] = coinbaseAdvanced.parseInstruments(body, "")?.instruments ?? [];
  expect(instrument?.kind).toBe(kind);
  expect(instrument?.expiryTimeUs !== undefined).toBe(kind === "future");
});

test("the venue's clock is read out of its answer", () => {
  const body =
    '{"iso":"2026-01-01T00:00:01Z","epochSeconds":"1767225601","epochMillis":"1767225601123"}';
  expect(coinbaseAdvanced.parseServerTimeUs?.(body)).toBe(1_767_225_601_123_000);
  expect(coinbaseAdvanced.parseServerTimeUs?.("{")).toBeUndefined();
  expect(coinbaseAdvanced.parseServerTimeUs?.('{"epochMillis":"soon"}')).toBeUndefined();
});
