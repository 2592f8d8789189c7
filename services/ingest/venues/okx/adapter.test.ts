import { expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent, FeedSubscription, RawBook } from "../../feed/feed-adapter.ts";
import { deriveOkxInstrument, parseOkxInstruments } from "./instruments.ts";
import { resolveEndpoints } from "../../feed/rest/resolve-endpoints.ts";
import { okx } from "./adapter.ts";

const OPTIONS = { requestId: 5, bookDepth: 1000 };

function instrumentOf(venueSymbol: string): Instrument {
  const instrument = deriveOkxInstrument(venueSymbol);
  if (instrument === undefined) throw new Error(`${venueSymbol} is no instrument`);
  return instrument;
}

function wanted(venueSymbol: string, channels: readonly Channel[]): FeedSubscription[] {
  const instrument = instrumentOf(venueSymbol);
  return channels.map((channel) => ({ instrument, channel }));
}

function delta(previousUpdateId: number, lastUpdateId: number): RawBook {
  return {
    kind: "raw-book",
    instrument: instrumentOf("BTC-USDT"),
    venueTimeUs: undefined,
    receivedTimeUs: 1,
    snapshot: false,
    source: "in-band",
    firstUpdateId: undefined,
    lastUpdateId,
    previousUpdateId,
    checksum: undefined,
    priceScale: 0,
    sizeScale: 0,
    bids: { prices: [], sizes: [] },
    asks: { prices: [], sizes: [] },
  };
}

test("trades and candles go to the business address, everything else to the public one", () => {
  const plans = okx.planConnections(wanted("BTC-USDT-SWAP", okx.channels), okx.endpoints);
  const told = plans.map(({ url, subscriptions }) => [
    url,
    subscriptions.map((each) => each.channel),
  ]);
  expect(told).toEqual([
    [
      "wss://ws.okx.com/ws/v5/public",
      ["quotes", "book", "ticker", "funding", "mark-price", "open-interest", "liquidations"],
    ],
    ["wss://ws.okx.com/ws/v5/business", ["trades", "candles"]],
  ]);
});

test("each address has its other port to fall back to, unless another address was configured", () => {
  const fallbacks = (given: { readonly webSocket?: string }): (string | undefined)[] =>
    okx
      .planConnections(wanted("BTC-USDT-SWAP", okx.channels), resolveEndpoints(okx, given))
      .map(({ fallbackUrl }) => fallbackUrl);
  expect(fallbacks({})).toEqual([
    "wss://ws.okx.com:8443/ws/v5/public",
    "wss://ws.okx.com:8443/ws/v5/business",
  ]);
  expect(fallbacks({ webSocket: "wss://wseea.okx.com/ws/v5" })).toEqual([undefined, undefined]);
});

test.each([
  ["BTC-USDT", ["trades", "quotes", "book", "ticker", "candles"]],
  [
    "BTC-USD-261225",
    [
      "trades",
      "quotes",
      "book",
      "ticker",
      "candles",
      "mark-price",
      "open-interest",
      "liquidations",
    ],
  ],
  [
    "BTC-USD-261225-100000-C",
    ["trades", "quotes", "book", "ticker", "candles", "mark-price", "open-interest"],
  ],
])("%s is asked only for what it can have", (venueSymbol, channels) => {
  const plans = okx.planConnections(wanted(venueSymbol, okx.channels), okx.endpoints);
  const planned = plans.flatMap((plan) => plan.subscriptions.map((each) => each.channel));
  expect(planned.toSorted()).toEqual(channels.toSorted());
});

test("each instrument has a request of its own, and what they share has another", () => {
  const subscriptions = [
    ...wanted("BTC-USD_UM-SWAP", ["mark-price", "liquidations"]),
    ...wanted("BTC-USD-SWAP", ["mark-price", "liquidations"]),
    ...wanted("BTC-USDT", ["book"]),
  ];
  expect(okx.subscribeFrames(subscriptions, OPTIONS).map((frame) => JSON.parse(frame))).toEqual([
    { id: "5", op: "subscribe", args: [{ channel: "mark-price", instId: "BTC-USD_UM-SWAP" }] },
    { id: "6", op: "subscribe", args: [{ channel: "mark-price", instId: "BTC-USD-SWAP" }] },
    { id: "7", op: "subscribe", args: [{ channel: "books", instId: "BTC-USDT" }] },
    {
      id: "8",
      op: "subscribe",
      args: [
        { channel: "index-tickers", instId: "BTC-USD" },
        { channel: "liquidation-orders", instType: "SWAP" },
      ],
    },
  ]);
});

test.each([
  [199, 1],
  [200, 1],
  [201, 2],
])("%i indexes are asked for in %i requests", (count, requests) => {
  const subscriptions = Array.from({ length: count }, (_, index) =>
    wanted(`A${index}-USDT-SWAP`, ["mark-price"]),
  ).flat();
  expect(okx.subscribeFrames(subscriptions, OPTIONS)).toHaveLength(count + requests);
});

test("what other instruments share is not ended with one of them", () => {
  const subscriptions = wanted("BTC-USDT-SWAP", ["mark-price", "liquidations"]);
  expect(okx.unsubscribeFrames(subscriptions, OPTIONS).map((frame) => JSON.parse(frame))).toEqual([
    {
      id: "5",
      op: "unsubscribe",
      args: [{ channel: "mark-price", instId: "BTC-USDT-SWAP" }],
    },
  ]);
  expect(okx.unsubscribeFrames(wanted("BTC-USDT-SWAP", ["liquidations"]), OPTIONS)).toEqual([]);
});

test("a refusal without a name is about what the request asked for, while that is remembered", () => {
  const catalog = new InstrumentCatalog({ venue: "okx", instrumentsMax: 9 });
  const decoder = okx.createDecoder({ catalog, bookDepth: 400 });
  for (let id = 0; id <= 1024; id++) {
    const args = [{ channel: "books", instId: `A${id}-USDT` }];
    decoder.sent?.(JSON.stringify({ id: String(id), op: "subscribe", args }));
  }
  const events: FeedEvent[] = [];
  for (const id of ["0", "1"]) {
    const refusal = { id, event: "error", code: "60012", msg: "Invalid request", connId: "c" };
    decoder.decode(JSON.stringify(refusal), 1, (event) => events.push(event));
  }
  expect(events).toMatchObject([
    { kind: "refused", venueSymbol: undefined },
    { kind: "refused", venueSymbol: "A1-USDT", channel: "book" },
  ]);
});

test("numbers that begin anew are no gap if the update names the last one", () => {
  const { sequencing } = okx.bookSync;
  expect(sequencing?.isCovered(delta(100, 7), 100)).toBe(false);
  expect(sequencing?.bridges(delta(100, 7), 100)).toBe(true);
  expect(sequencing?.follows(delta(100, 7), 100)).toBe(true);
  expect(sequencing?.follows(delta(99, 101), 100)).toBe(false);
  expect(sequencing?.isCovered(delta(90, 100), 100)).toBe(true);
});

test("options are listed family by family, as their mark prices name them", () => {
  const first = okx.instrumentsRequests(okx.endpoints).at(-1);
  const ids = [
    "BTC-USD-261225-100000-C",
    "BTC-USD-261225-90000-P",
    "BTC-USD_UM-261225-90000-P",
    "BTC-USDT-SWAP",
  ];
  const data = [...ids.map((instId) => ({ instId, markPx: "0.1" })), 5, {}];
  const coin = first && okx.nextInstrumentsRequest?.(first, JSON.stringify({ code: "0", data }));
  const base = "https://www.okx.com/api/v5/public/instruments?instType=OPTION&instFamily=";
  expect(coin?.url).toBe(`${base}BTC-USD#BTC-USD_UM`);
  const dollars = coin && okx.nextInstrumentsRequest?.(coin, '{"code":"0","data":[]}');
  expect(dollars?.url).toBe(`${base}BTC-USD_UM`);
  expect(
    dollars && okx.nextInstrumentsRequest?.(dollars, '{"code":"0","data":[]}'),
  ).toBeUndefined();
  expect(first && okx.nextInstrumentsRequest?.(first, "{}")).toBeUndefined();
});

test("a future of five years that pays funding has funding, and its pair's index", () => {
  const id = "BTC-USD_UM_XPERP-310404";
  expect(instrumentOf(id)).toMatchObject({
    symbol: "BTC-USD_UM_XPERP-20310404",
    kind: "future",
    base: "BTC",
    quote: "USD",
    inverse: false,
  });
  const [plan] = okx.planConnections(wanted(id, ["funding", "mark-price"]), okx.endpoints);
  const frames = okx.subscribeFrames(plan?.subscriptions ?? [], OPTIONS);
  expect(frames.map((frame) => (JSON.parse(frame) as { args: unknown }).args)).toEqual([
    [
      { channel: "funding-rate", instId: id },
      { channel: "mark-price", instId: id },
    ],
    [{ channel: "index-tickers", instId: "BTC-USD" }],
  ]);
});

test.each([
  [29, 1],
  [30, 2],
  [87, 3],
])("%i books need %i connections, whole instruments on each", (count, connections) => {
  const subscriptions = Array.from({ length: count }, (_, index) =>
    wanted(`A${index}-USDT`, ["quotes", "book"]),
  ).flat();
  const plans = okx.planConnections(subscriptions, okx.endpoints);
  expect(plans).toHaveLength(connections);
  for (const plan of plans) {
    const books = plan.subscriptions.filter(({ channel }) => channel === "book");
    expect(books.length).toBeLessThanOrEqual(29);
    expect(plan.subscriptions).toHaveLength(2 * books.length);
  }
});

test("a contract is worth its value times its multiplier, in the asset that it counts", () => {
  const list = (fields: object): string =>
    JSON.stringify({ code: "0", data: [{ state: "live", ...fields }] });
  const one = (fields: object): Instrument | undefined =>
    parseOkxInstruments(list(fields), "https://www.okx.com/api/v5/public/instruments?")
      ?.instruments[0];
  const option = { instId: "BTC-USD-261225-100000-P", instType: "OPTION", settleCcy: "BTC" };
  expect(one({ ...option, ctVal: "1", ctMult: "0.01", ctValCcy: "BTC" })).toMatchObject({
    contractSize: "0.01",
    inverse: false,
    settle: "BTC",
    strike: "100000",
    optionType: "put",
    sizeUnit: "contract",
  });
  const swap = { instId: "BTC-USD-SWAP", instType: "SWAP", settleCcy: "BTC", ctType: "inverse" };
  expect(one({ ...swap, ctVal: "100", ctMult: "1", ctValCcy: "USD" })).toMatchObject({
    contractSize: "100",
    inverse: true,
    quote: "USD",
  });
  const dollars = { instId: "BTC-USD_UM-SWAP", instType: "SWAP", settleCcy: "USDG" };
  const linear = one({ ...dollars, ctType: "linear", ctVal: "0.01", ctMult: "1", ctValCcy: "ETH" });
  expect(linear).toMatchObject({ inverse: false, settle: "USDG", base: "BTC", quote: "USD" });
  expect(linear).not.toHaveProperty("contractSize");
});

test("an answer that is an error is no list", () => {
  const body = '{"code":"50011","msg":"Too Many Requests","data":[]}';
  expect(
    parseOkxInstruments(body, "https://www.okx.com/api/v5/public/instruments?"),
  ).toBeUndefined();
});

test.each(["BTC", "BTC-", "-USDT", "BTC-USDT-", "BTC-USDT-PERP", "BTC-USD_UM", "BTC-USD-261345"])(
  "%s is no instrument",
  (venueSymbol) => {
    expect(deriveOkxInstrument(venueSymbol)).toBeUndefined();
  },
);

test("a first trade that is younger than the confirmation is live", () => {
  const catalog = new InstrumentCatalog({
    venue: "okx",
    instrumentsMax: 9,
    derive: deriveOkxInstrument,
  });
  const decoder = okx.createDecoder({ catalog, bookDepth: 1000 });
  const events: FeedEvent[] = [];
  const arg = { channel: "trades-all", instId: "BTC-USDT" };
  const item = { instId: "BTC-USDT", tradeId: "1", px: "1", sz: "1", side: "buy" };
  const frames = [
    { event: "subscribe", arg },
    { arg, data: [{ ...item, ts: "1700000000050" }] },
  ];
  for (const frame of frames) {
    decoder.decode(JSON.stringify(frame), 1_700_000_000_000_000, (event) => events.push(event));
  }
  expect(events).toMatchObject([{ kind: "subscribed" }, { kind: "trade", historical: false }]);
});

test("the venue's clock and the recent trades are asked for by address", () => {
  const instrument = instrumentOf("BTC-USDT");
  const request = okx.tradesRequest?.(instrument, { afterTradeId: "5", endpoints: okx.endpoints });
  expect(request?.url).toBe("https://www.okx.com/api/v5/market/trades?instId=BTC-USDT&limit=500");
  expect(okx.serverTimeRequest?.(okx.endpoints).url).toBe("https://www.okx.com/api/v5/public/time");
  const parse = (body: string): number | undefined => okx.parseServerTimeUs?.(body);
  expect(parse('{"code":"0","data":[{"ts":"1700000000123"}]}')).toBe(1_700_000_000_123_000);
  for (const body of ["", "{}", '{"data":[]}', '{"data":[{"ts":"soon"}]}']) {
    expect(parse(body)).toBeUndefined();
  }
});
