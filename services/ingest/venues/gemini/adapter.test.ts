import { expect, test } from "vitest";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedAdapter, FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { geminiV2 } from "./v2/adapter.ts";
import { gemini } from "./adapter.ts";

const OPTIONS = { requestId: 5, bookDepth: 1000 };

function wanted(adapter: FeedAdapter, venueSymbol: string): FeedSubscription[] {
  const instrument = adapter.deriveInstrument(venueSymbol);
  if (instrument === undefined) throw new Error(`${venueSymbol} is no pair`);
  return adapter.channels.map((channel) => ({ instrument, channel }));
}

function decode(
  frames: readonly { readonly text: string; readonly sent?: boolean }[],
): FeedEvent[] {
  const catalog = new InstrumentCatalog({
    venue: "gemini",
    instrumentsMax: 100,
    derive: (venueSymbol) => gemini.deriveInstrument(venueSymbol),
  });
  const decoder = gemini.createDecoder({ catalog, bookDepth: 1000 });
  const events: FeedEvent[] = [];
  for (const { text, sent } of frames) {
    if (sent === true) decoder.sent?.(text);
    else decoder.decode(text, 1, (event) => events.push(event));
  }
  return events;
}

const depth = (first: number, last: number): { text: string } => ({
  text: `{"e":"depthUpdate","E":1767225601123456789,"s":"btcusd","U":${first},"u":${last},"b":[],"a":[]}`,
});

const subscribe = {
  text: '{"id":1,"method":"SUBSCRIBE","params":["btcusd@depth@100ms"]}',
  sent: true,
};

test("all streams of a pair are one request, and the address asks for whole books", () => {
  const subscriptions = wanted(gemini, "btcusd");
  expect(gemini.subscribeFrames(subscriptions, OPTIONS)).toEqual([
    '{"id":5,"method":"SUBSCRIBE","params":["btcusd@trade","btcusd@bookTicker","btcusd@depth@100ms"]}',
  ]);
  const plans = gemini.planConnections(subscriptions, gemini.endpoints);
  expect(plans.map((plan) => plan.url)).toEqual(["wss://ws.gemini.com/?snapshot=-1"]);
});

test("the feed before it has books and trades in one subscription", () => {
  expect(geminiV2.subscribeFrames(wanted(geminiV2, "BTCUSD"), OPTIONS)).toEqual([
    '{"type":"subscribe","subscriptions":[{"name":"l2","symbols":["BTCUSD"]},{"name":"candles_1m","symbols":["BTCUSD"]}]}',
  ]);
});

test("mark prices of perpetuals are asked for, and subscriptions end as they began", () => {
  const subscriptions = wanted(geminiV2, "BTCGUSDPERP");
  const list =
    '[{"name":"l2","symbols":["BTCGUSDPERP"]},{"name":"candles_1m","symbols":["BTCGUSDPERP"]},{"name":"mark_price","symbols":["BTCGUSDPERP"]}]';
  expect(geminiV2.subscribeFrames(subscriptions, OPTIONS)).toEqual([
    `{"type":"subscribe","subscriptions":${list}}`,
  ]);
  expect(geminiV2.unsubscribeFrames(subscriptions, OPTIONS)).toEqual([
    `{"type":"unsubscribe","subscriptions":${list}}`,
  ]);
  const spot = geminiV2.planConnections(wanted(geminiV2, "BTCUSD"), geminiV2.endpoints);
  expect(spot.flatMap((plan) => plan.subscriptions.map(({ channel }) => channel))).toEqual([
    "trades",
    "book",
    "candles",
  ]);
});

test("mark prices and open interest of perpetuals are polled, of spot they are not", () => {
  const instruments = ["btcusd", "btcgusdperp"].map((symbol) => gemini.deriveInstrument(symbol));
  const known = instruments.filter((instrument) => instrument !== undefined);
  const polls = gemini.polls ?? [];
  expect(polls.map(({ channel }) => channel)).toEqual(["mark-price", "open-interest"]);
  for (const poll of polls) {
    expect(poll.requests(known, gemini.endpoints)).toEqual([
      {
        url: "https://api.gemini.com/v1/riskstats/btcgusdperp",
        weight: 1,
        instrument: known[1],
      },
    ]);
  }
});

test("a frame that cannot be read makes all suspect that was subscribed and not ended since", () => {
  const catalog = new InstrumentCatalog({
    venue: "gemini-v2",
    instrumentsMax: 100,
    derive: (venueSymbol) => geminiV2.deriveInstrument(venueSymbol),
  });
  const decoder = geminiV2.createDecoder({ catalog, bookDepth: 1000 });
  const frame = (type: string, symbols: string): string =>
    `{"type":"${type}","subscriptions":[{"name":"l2","symbols":${symbols}}]}`;
  decoder.sent?.(frame("subscribe", '["BTCUSD","ETHUSD"]'));
  decoder.sent?.(frame("unsubscribe", '["ETHUSD"]'));
  const events: FeedEvent[] = [];
  decoder.decode('{"ty', 1, (event) => events.push(event));
  const instrument = { venueSymbol: "BTCUSD" };
  expect(events).toMatchObject([
    { kind: "rejected", reason: "bad-json" },
    { kind: "rejected", reason: "missing-data", instrument, channel: "book" },
    { kind: "rejected", reason: "missing-data", instrument, channel: "trades" },
  ]);
});

test("a book is whole once for each subscription, and old changes are still changes until its end is acknowledged", () => {
  const unsubscribe = {
    text: '{"id":2,"method":"UNSUBSCRIBE","params":["btcusd@depth@100ms"]}',
    sent: true,
  };
  const renewed = { text: subscribe.text.replace('"id":1', '"id":3'), sent: true };
  const acknowledged = (id: number): { text: string } => ({ text: `{"id":${id},"status":200}` });
  const events = decode([
    subscribe,
    acknowledged(1),
    depth(1, 1),
    depth(1, 2),
    unsubscribe,
    renewed,
    depth(2, 3),
    acknowledged(2),
    depth(3, 3),
    acknowledged(3),
    depth(3, 4),
  ]);
  const books = events.filter((event) => event.kind === "raw-book");
  expect(books.map((book) => book.snapshot)).toEqual([true, false, false, true, false]);
});

test("a whole book that comes before the acknowledgement is the whole book", () => {
  const acknowledged = { text: '{"id":1,"status":200}' };
  const events = decode([subscribe, depth(7, 7), acknowledged, depth(7, 9)]);
  expect(events).toMatchObject([
    { kind: "raw-book", snapshot: true },
    { kind: "subscribed", channel: "book" },
    { kind: "raw-book", snapshot: false, firstUpdateId: 7, lastUpdateId: 9 },
  ]);
});

test("after a damaged frame that may have been the first, the next is not taken for the whole book", () => {
  const events = decode([subscribe, { text: '{"e":"dep' }, depth(1, 2)]);
  expect(events).toMatchObject([
    { kind: "rejected", reason: "bad-json" },
    { kind: "rejected", reason: "missing-data", channel: "book" },
    { kind: "raw-book", snapshot: false },
  ]);
});

test("damage is traced to the trades of its pair, or else of every pair followed", () => {
  const follow = (id: number, method: string, symbol: string): { text: string; sent: boolean } => ({
    text: `{"id":${id},"method":"${method}","params":["${symbol}@trade"]}`,
    sent: true,
  });
  const events = decode([
    follow(1, "SUBSCRIBE", "btcusd"),
    follow(2, "SUBSCRIBE", "ethusd"),
    follow(3, "UNSUBSCRIBE", "ethusd"),
    { text: '{"E":1767225601123456789,"s":"ethusd","t":12,"p":"1' },
    { text: '{"E":17672' },
    { text: '{"u":12,"E":17672' },
    { text: '{"id":3,"sta' },
  ]);
  const rejected = { kind: "rejected", reason: "bad-json" };
  expect(events).toMatchObject([
    { ...rejected, instrument: { venueSymbol: "ethusd" }, channel: "trades" },
    rejected,
    { reason: "missing-data", instrument: { venueSymbol: "btcusd" }, channel: "trades" },
    rejected,
    rejected,
  ]);
});

test("a message in Binance's wrapping is read as well", () => {
  expect(decode([{ text: `{"stream":"x","data":${depth(1, 1).text}}` }])).toMatchObject([
    { kind: "raw-book", venueTimeUs: 1_767_225_601_123_456 },
  ]);
});

test.each([
  ["btcgusd", "BTC-GUSD"],
  ["dogusd", "DOG-USD"],
  ["paxgusd", "PAXG-USD"],
  ["wcfgusd", "WCFG-USD"],
  ["opgusd", "OP-GUSD"],
  ["opgusdperp", "OP-GUSD-PERP"],
  ["btcgusdperp", "BTC-GUSD-PERP"],
  ["usdcusd", "USDC-USD"],
  ["ogusd", "OG-USD"],
  ["gusdusd", "GUSD-USD"],
  ["efilfil", "EFIL-FIL"],
  ["jitosolsol", "JITOSOL-SOL"],
  ["usd", undefined],
  ["BTCUSD", undefined],
])("%s is derived as %s", (venueSymbol, symbol) => {
  expect(gemini.deriveInstrument(venueSymbol)?.symbol).toBe(symbol);
});

test("the details of a pair say its names and steps, and whether it is closed", () => {
  const url = "https://api.gemini.com/v1/symbols/details/abcgusd";
  const body = (status: string): string =>
    `{"symbol":"ABCGUSD","base_currency":"ABCG","quote_currency":"USD","tick_size":1E-8,"quote_increment":0.010,"min_order_size":"0.1","status":"${status}"}`;
  expect(geminiV2.recordedRequest(url)?.kind).toBe("instruments");
  expect(geminiV2.parseInstruments(body("open"), url)).toEqual({
    instruments: [
      {
        venue: "gemini-v2",
        symbol: "ABCG-USD",
        venueSymbol: "ABCGUSD",
        kind: "spot",
        base: "ABCG",
        quote: "USD",
        settle: "USD",
        inverse: false,
        priceIncrement: "0.01",
        sizeIncrement: "0.00000001",
        state: "trading",
        stateWord: "open",
      },
    ],
    skipped: 0,
  });
  const closed = gemini.parseInstruments(body("closed"), url);
  expect(closed).toMatchObject({ instruments: [], skipped: 1, paused: [{ state: "closed" }] });
});

test("the details of many pairs are a list, of which inverse contracts and nonsense are left out", () => {
  const url = "https://api.gemini.com/v1/symbols/details/all";
  const pair = (symbol: string, rest: string): string => `{"symbol":"${symbol}",${rest}}`;
  const body = `[${[
    pair(
      "BTCUSDCPERP",
      '"base_currency":"BTC","quote_currency":"USDC","tick_size":0.0001,"quote_increment":0.50,"product_type":"swap","contract_type":"linear","contract_price_currency":"GUSD"',
    ),
    pair(
      "BTCUSDPERP",
      '"base_currency":"BTC","quote_currency":"USD","product_type":"swap","contract_type":"inverse"',
    ),
    pair("2ZRLUSD", '"base_currency":"2Z","quote_currency":"RLUSD","status":"limit_only"'),
    pair("NOPE", '"base_currency":"NOPE"'),
    "null",
  ].join(",")}]`;
  expect(gemini.recordedRequest(url)?.kind).toBe("instruments");
  const list = gemini.parseInstruments(body, url);
  expect(list?.skipped).toBe(3);
  expect(list?.instruments.map(({ symbol }) => symbol)).toEqual(["BTC-USDC-PERP", "2Z-RLUSD"]);
  expect(list?.instruments[0]).toMatchObject({
    venueSymbol: "btcusdcperp",
    settle: "USDC",
    contractSize: "1",
    sizeUnit: "base",
    priceIncrement: "0.5",
    sizeIncrement: "0.0001",
  });
  expect(gemini.parseInstruments('{"result":"error"}', url)).toBe(undefined);
});

test("a perpetual is of one unit of its base, also where only its symbol is known", () => {
  expect(geminiV2.deriveInstrument("BTCGUSDPERP")).toMatchObject({
    contractSize: "1",
    sizeUnit: "base",
  });
  expect(geminiV2.deriveInstrument("BTCGUSD")?.contractSize).toBe(undefined);
});
