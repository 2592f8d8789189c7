import { crc32 } from "node:zlib";
import { describe, expect, test } from "vitest";
import { formatDecimal } from "@tickwire/proto/model";
import type { BookEvent, MarketEvent, Quote, Trade } from "#core/market-event.ts";
import type { CaptureRecord } from "#ingest/capture/capture-format.ts";
import { CaptureReplay } from "#ingest/capture/capture-replay.ts";
import type { FeedAdapter } from "#ingest/feed/feed-adapter.ts";
import { VENUES } from "#ingest/venues/registry.ts";
import type { VenueId } from "#ingest/venues/venue-ids.ts";

// Small inputs of venues that went wrong once, each run as a recording through the whole path from
// the frame to the event.

const AT_US = 1_790_000_000_000_000;
const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

/** What is received on a connection, sent on it, or answered by REST. */
type Line =
  | string
  | object
  | { readonly sent: object }
  | { readonly afterMs: number }
  | { readonly get: string; readonly body: unknown };

type Heard = {
  readonly events: readonly MarketEvent[];
  readonly rejected: Readonly<Record<string, number>>;
  readonly isBookLive: (symbol: string) => boolean;
  readonly trades: readonly Trade[];
  readonly books: readonly BookEvent[];
  readonly quotes: readonly Quote[];
};

/** The line as a recording has it. */
function recordOf(line: Line, atUs: number): CaptureRecord {
  const connection = 1;
  if (typeof line === "string") return { kind: "received", atUs, connection, frame: line };
  if ("sent" in line) return { kind: "sent", atUs, connection, text: JSON.stringify(line.sent) };
  if ("get" in line) {
    const body = typeof line.body === "string" ? line.body : JSON.stringify(line.body);
    return { kind: "http", atUs, method: "GET", url: line.get, status: 200, body };
  }
  return { kind: "received", atUs, connection, frame: JSON.stringify(line) };
}

function replay(venue: VenueId, lines: readonly Line[], url?: string): Heard {
  const adapter: FeedAdapter = VENUES[venue];
  const events: MarketEvent[] = [];
  const capture = new CaptureReplay({
    adapter,
    bookDepth: 1000,
    logger: SILENT,
    emit: (event) => events.push(event),
  });
  const connection = 1;
  let atUs = AT_US;
  const records = lines.flatMap((line): CaptureRecord[] => {
    atUs += 1000;
    if (typeof line === "object" && "afterMs" in line) {
      atUs += line.afterMs * 1000;
      return [];
    }
    return [recordOf(line, atUs)];
  });
  const open = url ?? adapter.endpoints.webSocket;
  capture.take({ kind: "open", atUs: AT_US, connection, url: open });
  for (const record of records) capture.take(record);
  const { pipeline } = capture.driver;
  const live = new Set(
    capture.catalog
      .all()
      .filter((instrument) => pipeline.liveBookOf(instrument) !== undefined)
      .map(({ symbol }) => symbol),
  );
  const rejected = { ...capture.counters.rejected };
  capture.close();
  return {
    events,
    rejected,
    isBookLive: (symbol) => live.has(symbol),
    trades: events.filter((event) => event.kind === "trade"),
    books: events.filter((event) => event.kind === "book"),
    quotes: events.filter((event) => event.kind === "quote"),
  };
}

/** Price and size of the levels of one side. */
function levelsOf({ priceScale, sizeScale, ...book }: BookEvent, side: "bids" | "asks"): string[] {
  return book[side].prices.map((price, index) => {
    const size = formatDecimal(book[side].sizes[index] ?? 0, sizeScale);
    return `${formatDecimal(price, priceScale)} ${size}`;
  });
}

describe("coinbase: an auction beside the pair that it opens", () => {
  const product = (id: string): object => ({
    id,
    base_currency: "BTC",
    quote_currency: "USD",
    status: "online",
    quote_increment: "0.01",
    base_increment: "0.00000001",
  });
  const [auction, pair] = [product("BTCAUCTION-USD"), product("BTC-USD")];

  test.each([
    ["first", [auction, pair]],
    ["last", [pair, auction]],
  ])("is an instrument of its own, also where it is listed %s", (_, products) => {
    const get = "https://api.exchange.coinbase.com/products";
    const match = (id: string, tradeId: number): object => ({
      type: "match",
      trade_id: tradeId,
      product_id: id,
      side: "sell",
      size: "0.01",
      maker_order_id: "a",
      taker_order_id: "b",
      price: "60000.00",
      sequence: 1,
      time: "2026-09-21T14:13:20.100000Z",
    });
    const lines = [{ get, body: products }, match("BTC-USD", 1), match("BTCAUCTION-USD", 9)];
    const { trades, rejected } = replay("coinbase", lines);
    expect(trades.map(({ instrument, tradeId }) => [instrument.symbol, tradeId])).toEqual([
      ["BTC-USD", "1"],
      ["BTCAUCTION-USD", "9"],
    ]);
    expect(rejected).toEqual({});
  });

  test("is one in Advanced Trade as well", () => {
    const listed = [auction, pair].map((each) => {
      const { id } = each as { id: string };
      const names = { base_currency_id: "BTC", quote_currency_id: "USD" };
      return { product_id: id, product_type: "SPOT", ...names, status: "online" };
    });
    const list = VENUES["coinbase-advanced"].parseInstruments(
      JSON.stringify({ products: listed }),
      "",
    );
    expect(list?.instruments.map(({ symbol }) => symbol)).toEqual(["BTCAUCTION-USD", "BTC-USD"]);
  });
});

test("gemini: a book whose numbers have 16 digits is live", () => {
  const depth = (first: number, last: number, bid: string[], ask: string[]): string =>
    `{"e":"depthUpdate","E":1790000000088426630,"s":"gusdgbp","U":${first},"u":${last},` +
    `"b":[${JSON.stringify(bid)}],"a":[${JSON.stringify(ask)}]}`;
  const first = 1_764_549_594_389_676;
  const { books, isBookLive, rejected } = replay("gemini", [
    depth(first, first, ["0.7501", "100.5"], ["0.7522", "1300.49900000"]),
    depth(first, first + 45_936, ["0.7502", "5200.1"], ["0.7520", "5100.2"]),
  ]);
  expect(books.map(({ snapshot }) => snapshot)).toEqual([true, false]);
  expect(isBookLive("GUSD-GBP")).toBe(true);
  expect(rejected).toEqual({});
});

test("gateio-futures: a book of `order_book_update` begins with the answer to a request", () => {
  const update = (U: number, u: number, b: object[], a: object[]): object => ({
    time: 179e7,
    time_ms: 0x1a0c4506ca1,
    event: "update",
    channel: "futures.order_book_update",
    result: {
      U,
      u,
      a,
      b,
      s: "LIT_USDT",
      t: 0x1a0c4506c79,
    },
  });
  const get =
    "https://api.gateio.ws/api/v4/futures/usdt/order_book?contract=LIT_USDT&limit=100&with_id=true";
  const body = `{"current":1790000000.441,"update":1790000000.426,"id":943784230,"asks":[{"s":3328,"p":"0.8362"}],"bids":[{"s":479,"p":"0.8323"}]}`;
  const { books, isBookLive, rejected } = replay("gateio-futures", [
    update(943_784_226, 943_784_226, [{ p: "0.8308", s: 0 }], []),
    { get, body },
    update(943_784_227, 943_784_230, [{ p: "0.8323", s: 479 }], []),
    update(943_784_231, 943_784_233, [], [{ p: "0.8361", s: 479 }]),
  ]);
  expect(books.map(({ snapshot }) => snapshot)).toEqual([true, false]);
  expect(levelsOf(books[1]!, "asks")).toEqual(["0.8361 479"]);
  expect(isBookLive("LIT-USDT-PERP")).toBe(true);
  expect(rejected).toEqual({});
});

test("gateio-futures: a bid of less than a contract is a bid, and an answer to nothing is counted", () => {
  const quote = { t: 1_790_000_000_100, u: 5, s: "LIT_USDT", b: "0.83", B: 0, a: "0.84", A: 7 };
  const get = "https://api.gateio.ws/api/v4/futures/usdt/who_knows?contract=LIT_USDT";
  const { quotes, rejected } = replay("gateio-futures", [
    { time: 1_790_000_000, channel: "futures.book_ticker", event: "update", result: quote },
    { get, body: "[]" },
  ]);
  expect(quotes.map((each) => [each.bidPriceMantissa, each.bidSizeMantissa])).toEqual([[83, 0]]);
  expect(rejected).toEqual({ "unknown-message": 1 });
});

describe("htx: a trade of a contract", () => {
  const trade = (direction: string, ts: number, id: number): object => ({
    ch: "market.BTT-USDT.trade.detail",
    ts: ts + 34,
    tick: {
      id: 78224221555,
      ts,
      data: [
        {
          amount: 2,
          quantity: 2e6,
          trade_turnover: 4.04,
          ts,
          id,
          price: 2.02,
          direction,
        },
      ],
    },
  });
  const url = "wss://api.hbdm.com/linear-swap-ws";
  const old = trade("sell", 1_789_997_650_034, 782_242_215_550_000);
  const sent = { sub: "market.BTT-USDT.trade.detail", id: "3" };
  const subbed = { id: "3", subbed: sent.sub, ts: 1_789_999_999_875, status: "ok" };

  test("pushed before its subscription is confirmed is an old one", () => {
    const live = trade("buy", 1_790_000_000_001, 782_242_215_550_001);
    const { trades } = replay("htx", [{ sent }, old, subbed, live], url);
    expect(trades.map(({ historical }) => historical)).toEqual([true, false]);
  });

  test("without a direction is a trade that nobody took", () => {
    const { trades, rejected } = replay("htx", [trade("", 1_790_000_000_480, 7)], url);
    expect(trades.map(({ aggressorSide }) => aggressorSide)).toEqual(["none"]);
    expect(rejected).toEqual({});
  });
});

test("kucoin: the unit of a time is told by its magnitude, and one that is none is left out", () => {
  const match = (time: unknown, index: number): object => ({
    type: "message",
    topic: "/market/match:BTC-USDT",
    subject: "trade.l3match",
    data: {
      sequence: String(index + 1),
      symbol: "BTC-USDT",
      side: "buy",
      size: "0.01",
      price: "9000.1",
      tradeId: String(index + 101),
      type: "match",
      time,
    },
  });
  const times = [
    "1790000000003456789",
    "1790000000003",
    1790000000003e6,
    "1790000000003456",
    "1790000000",
    "soon",
    -5,
    null,
    {},
  ];
  const { trades, rejected } = replay("kucoin", times.map(match));
  expect(trades.map(({ venueTimeUs }) => venueTimeUs)).toEqual([
    0x65bfeda25ed80,
    0x65bfeda25ebb8,
    0x65bfeda25ebb8,
    0x65bfeda25ed80,
    179e13,
    undefined,
    undefined,
    undefined,
    undefined,
  ]);
  expect(rejected).toEqual({});
});

test("bybit: a page without a cursor is a page", () => {
  const [request] = VENUES.bybit.instrumentsRequests(VENUES.bybit.endpoints).slice(3);
  const listed = {
    symbol: "BTCUSD",
    contractType: "InversePerpetual",
    status: "Trading",
    baseCoin: "BTC",
    quoteCoin: "USD",
    settleCoin: "BTC",
    deliveryTime: "0",
  };
  for (const nextPageCursor of [null, undefined, "", 5, {}]) {
    const body = JSON.stringify({ retCode: 0, result: { nextPageCursor, list: [listed] } });
    expect(VENUES.bybit.parseInstruments(body, request!.url)?.instruments).toHaveLength(1);
    expect(VENUES.bybit.nextInstrumentsRequest?.(request!, body)).toBeUndefined();
  }
});

test.each([
  [
    "bitget-v1",
    '{"action":"update","arg":{"instType":"sp","channel":"constructor","instId":"ETHUSDT"},"data":[["1700000000000","1","1","sell"]]}',
  ],
  [
    "bitget",
    '{"action":"update","arg":{"instType":"spot","topic":"__proto__","symbol":"ETHUSDT"},"data":[]}',
  ],
  [
    "bitget-v1",
    '{"action":"update","arg":{"instType":"sp","channel":"trade","instId":"ETHUSDT"},"data":[[{"toString":1},"499.99","40569.7172","sell"],[{"toString":1},"499.99","40569.7172","sell"]]}',
  ],
  [
    "coinbase",
    '{"type":"subscriptions","channels":[{"name":"constructor","product_ids":["BTC-USD"]}]}',
  ],
] as const)("%s: a frame that once ended the process is a value: %s", (venue, frame) => {
  const { rejected } = replay(venue, [frame]);
  expect(rejected).not.toHaveProperty("decoder-fault");
});

test("gemini-v2: a book is whole again after a reconnect, and its history is told in order", () => {
  const whole = (price: string, trades: object[]): object => ({
    type: "l2_updates",
    symbol: "BTCUSD",
    auction_events: [],
    trades,
    changes: [
      ["buy", price, "1"],
      ["sell", "9900.00", "1"],
    ],
  });
  const trade = (id: number): object => ({
    type: "trade",
    symbol: "BTCUSD",
    event_id: id,
    timestamp: 179e10,
    price: "9000.00",
    quantity: "0.1",
    side: "buy",
  });
  const { trades, books } = replay("gemini-v2", [
    whole("9000.00", [
      trade(169_841_458),
      trade(169_841_463),
      trade(169_841_460),
      trade(169_841_459),
    ]),
  ]);
  expect(books.map(({ snapshot }) => snapshot)).toEqual([true]);
  expect(trades.map(({ tradeId }) => Number(tradeId) - 169_841_000)).toEqual([458, 459, 460, 463]);
});

test("kraken-futures: a contract is found in whichever case its name is written", () => {
  const trade = (product: string, seq: number): object => ({
    feed: "trade",
    product_id: product,
    uid: `${seq}`,
    side: "sell",
    type: "fill",
    seq,
    time: 1789999999e3,
    qty: 15,
    price: 34969.5,
  });
  const { trades, rejected, events } = replay("kraken-futures", [
    { event: "subscribed", feed: "trade", product_ids: ["pi_xbtusd"] },
    trade("PI_XBTUSD", 1),
    trade("pi_xbtusd", 2),
  ]);
  expect(trades.map(({ instrument }) => instrument.venueSymbol)).toEqual([
    "PI_XBTUSD",
    "PI_XBTUSD",
  ]);
  expect(events.filter((event) => event.kind === "status")).toHaveLength(1);
  expect(rejected).toEqual({});
});

test("hyperliquid: a quote of one side has the other empty", () => {
  const bbo = (sides: unknown[]): object => ({
    channel: "bbo",
    data: { coin: "BTC", time: 1_790_000_000_001, bbo: sides },
  });
  const level = { px: "95000", sz: "0.5", n: 3 };
  const { quotes, rejected } = replay("hyperliquid", [
    bbo([level, null]),
    bbo([null, level]),
    bbo([level]),
  ]);
  const sides = quotes.map((each) => [each.bidSizeMantissa > 0, each.askSizeMantissa > 0]);
  expect(sides).toEqual([
    [true, false],
    [false, true],
    [true, false],
  ]);
  expect(rejected).toEqual({});
});

describe("bitget: a checksum that comes all the same", () => {
  const book = (checksum: number, seq: number, bids: string[][], asks: string[][]): object => ({
    action: seq === 100 ? "snapshot" : "update",
    arg: { instType: "spot", topic: "books", symbol: "MOONUSDT" },
    data: [{ a: asks, b: bids, checksum, seq, pseq: seq - 1, ts: "1790000000000" }],
    ts: 1_790_000_000_000,
  });
  const sumOf = (text: string): number => crc32(text) | 0;

  test.each([
    ["trimmed", ["10.5", "2"], ["10.75", "0.5"]],
    ["padded", ["10.50", "2.0"], ["10.75", "0.5"]],
  ])("is over the numbers as they are sent, %s", (_, bid, ask) => {
    const sent = sumOf(`${bid.join(":")}:${ask.join(":")}`);
    const right = replay("bitget", [book(sent, 100, [bid], [ask]), book(0, 101, [], [])]);
    expect(right.isBookLive("MOON-USDT")).toBe(true);
    const wrong = replay("bitget", [book(sent + 1, 100, [bid], [ask])]);
    expect(wrong.isBookLive("MOON-USDT")).toBe(false);
  });
});

test("kraken: the candle of a quiet pair is closed by time, not by the next one hours later", () => {
  const candle = (begin: string, timestamp: string): object => ({
    channel: "ohlc",
    type: "update",
    timestamp,
    data: [
      {
        symbol: "MOO/EUR",
        open: 1,
        high: 1.2,
        low: 0.9,
        close: 1.1,
        trades: 3,
        volume: 10.5,
        vwap: 1,
        interval_begin: begin,
        interval: 1,
        timestamp,
      },
    ],
  });
  const first = candle("2026-09-21T14:13:00.000000Z", "2026-09-21T14:13:20.100000Z");
  const next = candle("2026-09-21T16:13:00.000000Z", "2026-09-21T16:13:21.100000Z");
  const { events } = replay("kraken", [first, { afterMs: 7_200_000 }, next]);
  const told = events.flatMap((event) => {
    if (event.kind !== "candle") return [];
    return [[event.closed, Math.round((event.receivedTimeUs - AT_US) / 60_000_000)]];
  });
  expect(told).toEqual([
    [false, 0],
    [true, 1],
    [false, 120],
  ]);
});

test("bitstamp: the book of a pair on which nothing happens is delivered", () => {
  const get = "https://www.bitstamp.net/api/v2/order_book/sgbeur/?group=1";
  const body = {
    microtimestamp: "1789999999000000",
    bids: [["0.14695", "456"]],
    asks: [["0.15", "7"]],
  };
  const channel = "diff_order_book_sgbeur";
  const { books, isBookLive } = replay("bitstamp", [
    { get, body },
    { event: "bts:subscription_succeeded", channel, data: {} },
    { afterMs: 10_000 },
    { event: "bts:heartbeat", channel: "", data: { status: "success" } },
  ]);
  expect(books.map(({ snapshot }) => snapshot)).toEqual([true]);
  expect(isBookLive("SGB-EUR")).toBe(true);
});

describe("coinbase: a book that is crossed in an auction", () => {
  const at = "2026-09-21T14:13:20.100000Z";
  const start = {
    type: "snapshot",
    product_id: "NEW-USD",
    bids: [["10", "1"]],
    asks: [["11", "1"]],
  };
  const change = (side: string, price: string, size: string): object => {
    return { type: "l2update", product_id: "NEW-USD", time: at, changes: [[side, price, size]] };
  };
  const crossing = [start, change("buy", "12", "3"), change("sell", "10.5", "1")];
  const listed = (fields: object): Line => ({
    get: "https://api.exchange.coinbase.com/products",
    body: [{ id: "NEW-USD", base_currency: "NEW", quote_currency: "USD", ...fields }],
  });
  const bookStates = ({ events }: Heard): string[] =>
    events.flatMap((event) =>
      event.kind === "status" && event.channel === "book" ? [`${event.state} ${event.reason}`] : [],
    );

  test.each([
    ["that nobody has told of", []],
    ["that the list tells of", [listed({ status: "online", auction_mode: true })]],
    [
      "that the status channel tells of",
      [{ type: "status", products: [{ id: "NEW-USD", status: "online", auction_mode: true }] }],
    ],
  ])("%s is delivered and marked", (_, told: readonly Line[]) => {
    const whole = { ...start, bids: [["12", "3"]], asks: [["10.5", "6"]] };
    const heard = replay("coinbase", [...told, ...crossing, whole, change("buy", "9", "1")]);
    expect(heard.books.map(({ snapshot }) => snapshot)).toEqual([true, false, false, true, false]);
    expect(bookStates(heard)).not.toContainEqual(expect.stringMatching(/gap|resyncing/));
    expect(bookStates(heard).at(-1)).toBe("live crossed");
    expect(heard.isBookLive("NEW-USD")).toBe(true);
  });

  test("says so when it is not crossed any more", () => {
    const heard = replay("coinbase", [
      ...crossing,
      change("buy", "12", "0"),
      change("buy", "10", "0"),
    ]);
    expect(bookStates(heard).slice(-2)).toEqual(["live crossed", "live uncrossed"]);
  });

  test("is a fault of the stream where the pair trades", () => {
    const heard = replay("coinbase", [listed({ status: "online" }), ...crossing]);
    expect(bookStates(heard)).toContain("gap crossed-book");
    expect(heard.isBookLive("NEW-USD")).toBe(false);
  });

  test("has lost something where a fresh one is not crossed", () => {
    const heard = replay("coinbase", [...crossing, start]);
    expect(bookStates(heard).slice(-3)).toEqual([
      "gap crossed-book",
      "resyncing crossed-book",
      "live synchronized",
    ]);
  });
});
