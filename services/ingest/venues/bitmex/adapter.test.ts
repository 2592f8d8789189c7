import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { BitmexLevels } from "./book.ts";
import { decodeRecorded } from "#test/support/recorded-answer.ts";
import { bitmex } from "./adapter.ts";

/** Levels of one book whose price is remembered. */
const LEVELS_MAX = 50_000;

const ACTIVE = "https://www.bitmex.com/api/v1/instrument/active";

function listed(fields: Readonly<Record<string, unknown>>): Instrument {
  const defaults = { state: "Open", typ: "FFWCSX", underlying: "XBT", quoteCurrency: "USD" };
  const body = JSON.stringify([{ ...defaults, ...fields }]);
  const [instrument] = bitmex.parseInstruments(body, ACTIVE)?.instruments ?? [];
  if (instrument === undefined) throw new Error("not an instrument");
  return instrument;
}

const PERPETUAL = listed({ symbol: "XBTUSD", settlCurrency: "XBt", isInverse: true });
const FUTURE = listed({
  symbol: "XBTM26",
  typ: "FFCCSX",
  settlCurrency: "XBt",
  expiry: "2026-06-26T12:00:00.000Z",
});
const SPOT = listed({ symbol: "XBT_USDT", typ: "IFXXXP", quoteCurrency: "USDT" });

function wanted(instrument: Instrument, channels: readonly Channel[]): FeedSubscription[] {
  return channels.map((channel) => ({ instrument, channel }));
}

function decode(frames: readonly string[]): FeedEvent[] {
  const catalog = new InstrumentCatalog({ venue: "bitmex", instrumentsMax: 10 });
  catalog.add([PERPETUAL, FUTURE]);
  const decoder = bitmex.createDecoder({ catalog, bookDepth: 25 });
  const events: FeedEvent[] = [];
  for (const frame of frames) decoder.decode(frame, 1, (event) => events.push(event));
  return events;
}

function rejections(frames: readonly string[]): string[] {
  return decode(frames).flatMap((event) =>
    event.kind === "rejected"
      ? [`${event.reason} ${event.instrument?.venueSymbol ?? "-"} ${event.channel ?? "-"}`]
      : [],
  );
}

describe("subscribing", () => {
  test.each([
    [25, "orderBookL2_25"],
    [26, "orderBookL2"],
  ])("a book of %i levels is %s", (bookDepth, table) => {
    const book = wanted(PERPETUAL, ["book"]);
    for (const op of ["subscribe", "unsubscribe"] as const) {
      expect(bitmex[`${op}Frames`](book, { requestId: 1, bookDepth })).toEqual([
        `{"op":"${op}","args":["${table}:XBTUSD"]}`,
      ]);
    }
  });

  test("is one topic a frame; four channels are the table of instruments", () => {
    const frames = bitmex.subscribeFrames(wanted(PERPETUAL, bitmex.channels), {
      requestId: 1,
      bookDepth: 10,
    });
    expect(frames.map((frame) => JSON.parse(frame).args)).toEqual([
      ["trade:XBTUSD"],
      ["quote:XBTUSD"],
      ["orderBookL2_25:XBTUSD"],
      ["instrument:XBTUSD"],
      ["tradeBin1m:XBTUSD"],
      ["liquidation:XBTUSD"],
    ]);
  });

  test("leaves out what an instrument cannot have", () => {
    const channelsOf = (instrument: Instrument): Channel[] =>
      bitmex
        .planConnections(wanted(instrument, bitmex.channels), bitmex.endpoints)
        .flatMap(({ subscriptions }) => subscriptions.map(({ channel }) => channel));
    expect(channelsOf(PERPETUAL)).toEqual(bitmex.channels);
    expect(channelsOf(FUTURE)).toEqual(bitmex.channels.filter((each) => each !== "funding"));
    expect(channelsOf(SPOT)).toEqual(["trades", "quotes", "book", "ticker", "candles"]);
  });
});

describe("instruments", () => {
  test.each([
    ["inverse", { isInverse: true, multiplier: -1e8, underlyingToSettleMultiplier: -1e8 }, "1"],
    ["inverse of another kind", { isInverse: true, multiplier: -1e6 }, undefined],
    ["linear", { underlyingToPositionMultiplier: 1_000_000 }, "0.000001"],
    ["linear, of one unit", { underlyingToPositionMultiplier: 1 }, "1"],
    ["linear, of an odd size", { underlyingToPositionMultiplier: 3 }, undefined],
    ["quanto", { isQuanto: true, multiplier: 100, underlyingToPositionMultiplier: 1 }, undefined],
  ])("a contract that is %s is worth what the list says", (_kind, fields, contractSize) => {
    const instrument = listed({ symbol: "A", settlCurrency: "XBt", ...fields });
    expect(instrument.contractSize).toBe(contractSize);
    expect(instrument.sizeUnit).toBe("contract");
  });

  test("increments are written plainly", () => {
    const instrument = listed({ symbol: "A", settlCurrency: "XBt", tickSize: 1e-8, lotSize: 100 });
    expect([instrument.priceIncrement, instrument.sizeIncrement]).toEqual(["0.00000001", "100"]);
  });

  test("a dated future ends when the venue says", () => {
    expect(FUTURE.expiryTimeUs).toBe(Date.UTC(2026, 5, 26, 12) * 1000);
  });

  test("the venue's clock is read out of its answer", () => {
    const body = '{"name":"BitMEX API","version":"2.0.0","timestamp":1760000000123}';
    expect(bitmex.parseServerTimeUs?.(body)).toBe(1_760_000_000_123_000);
    expect(bitmex.parseServerTimeUs?.("{}")).toBeUndefined();
  });
});

describe("a symbol alone", () => {
  test.each([
    ["XBTUSD", "BTC-USD-PERP", { settle: "BTC", inverse: true, kind: "perpetual" }],
    ["ETHUSD", "ETH-USD-PERP", { settle: "BTC", inverse: false, kind: "perpetual" }],
    ["ETHUSDT", "ETH-USDT-PERP", { settle: "USDT", inverse: false }],
    ["XBTM21", "BTC-USD-20210625", { settle: "BTC", inverse: true, kind: "future" }],
    ["XBTZ21", "BTC-USD-20211231", { expiryTimeUs: Date.UTC(2021, 11, 31, 12) * 1000 }],
    ["XBTU22", "BTC-USD-20220930", {}],
    ["ETHUSDH22", "ETH-USD-20220325", { settle: "BTC", inverse: false }],
    ["XBTUSDTZ21", "BTC-USDT-20211231", { settle: "USDT", inverse: false }],
    ["ADAM21", "ADA-BTC-20210625", { settle: "BTC", inverse: false }],
    ["XBT_USDT", "BTC-USDT", { kind: "spot" }],
  ])("%s is %s, as a list of that time says", (venueSymbol, symbol, expected) => {
    expect(bitmex.deriveInstrument(venueSymbol)).toMatchObject({
      venueSymbol,
      symbol,
      ...expected,
    });
  });

  test.each([".BXBT", "XBT", "XBT7D_D95", "ETHUSD_ETH", "XBTUSD:PERPETUAL", "xbtusd"])(
    "%s is nothing",
    (venueSymbol) => {
      expect(bitmex.deriveInstrument(venueSymbol)).toBeUndefined();
    },
  );
});

describe("recordings of others", () => {
  test("have tables and answers that are no damage", () => {
    const frames = [
      '{"success":true,"request":{"op":"authKeyExpires","args":["x",1,"y"]}}',
      '{"table":"announcement","action":"partial","data":[{"id":1,"title":"News"}]}',
      '{"table":"orderBook10","action":"update","data":[{"symbol":"XBTUSD","bids":[[1,2]]}]}',
      '{"table":"tradeBin1h","action":"insert","data":[{"symbol":"XBTUSD"}]}',
    ];
    expect(decode(frames)).toEqual(frames.map(() => ({ kind: "heartbeat" })));
  });

  test("may name tables by words that objects know", () => {
    expect(rejections(['{"table":"constructor","action":"insert","data":[]}'])).toEqual([
      "unknown-message - -",
    ]);
  });
});

describe("damage", () => {
  const partial = (symbol: string): string =>
    `{"table":"orderBookL2","action":"partial","filter":{"symbol":"${symbol}"},"data":[` +
    `{"symbol":"${symbol}","id":1,"side":"Buy","size":1,"price":2}]}`;

  test("costs exactly the book that it names", () => {
    const cut = partial("XBTM26").slice(0, -5);
    expect(rejections([partial("XBTUSD"), partial("XBTM26"), cut])).toEqual([
      "bad-json XBTM26 book",
    ]);
  });

  test("that names nothing makes every book of the connection suspect", () => {
    expect(rejections([partial("XBTUSD"), partial("XBTM26"), '{"table":"order'])).toEqual([
      "bad-json - -",
      "missing-data XBTUSD book",
      "missing-data XBTM26 book",
    ]);
  });

  test("of a trade that still names its market is a hole in its trades", () => {
    const cut = '{"table":"trade","action":"insert","data":[{"symbol":"XBTM26","side":';
    expect(rejections([partial("XBTUSD"), cut])).toEqual([
      "bad-json XBTM26 trades",
      "missing-data XBTM26 trades",
    ]);
  });

  test("of what names no market makes every book suspect, however whole it is", () => {
    const nameless = partial("XBTUSD").replace('"symbol":"XBTUSD","id"', '"symbom":"XBTUSD","id"');
    const actionless = partial("XBTUSD").replace('"partial"', '"partiaf"');
    for (const frame of [nameless, actionless]) {
      expect(rejections([partial("XBTM26"), frame])).toEqual([
        "missing-field - -",
        "missing-data XBTM26 book",
      ]);
    }
  });

  test("of a book cut at any byte is told of", () => {
    const whole = partial("XBTUSD");
    for (let length = 0; length < whole.length; length++) {
      const told = rejections([whole, whole.slice(0, length)]);
      expect(told).toContainEqual(expect.stringMatching(/(bad-json|missing-data) XBTUSD book/));
    }
  });

  test("of what can be no book costs no book", () => {
    const listening = '{"success":true,"subscribe":"trade:XBTM26","request":{}}';
    const frames = [partial("XBTUSD"), listening, '{"table":"trade","act', '{"success":tr'];
    expect(rejections(frames)).toEqual([
      "bad-json - -",
      "missing-data XBTM26 trades",
      "bad-json - -",
    ]);
  });
});

test("the answer to a ping is a sign of life", () => {
  expect(bitmex.keepAlive?.frame(1)).toBe("ping");
  expect(decode(["pong"])).toEqual([{ kind: "heartbeat" }]);
});

test("of the levels of a book a bounded number is known by id", () => {
  const row = (id: number, price?: string) => ({
    id: String(id),
    side: "Buy",
    size: "1",
    ...(price === undefined ? {} : { price }),
  });
  const levels = new BitmexLevels();
  const rows = Array.from({ length: LEVELS_MAX + 1 }, (_, id) => row(id, String(id + 1)));
  expect(levels.apply("partial", rows)).toMatchObject({ asks: [] });
  const last = LEVELS_MAX - 1;
  const update = levels.apply("update", [row(last)]);
  expect(update).toMatchObject({ bids: [[String(last + 1), "1"]] });
  expect(levels.apply("update", [row(last + 1)])).toBe("missing-data");
  expect(levels.apply("update", [row(last + 1, "7")])).toMatchObject({ bids: [["7", "1"]] });
});

test("an address that cannot be read is of an unknown instrument", () => {
  const catalog = new InstrumentCatalog({ venue: bitmex.venue, instrumentsMax: 10 });
  const decoder = bitmex.createDecoder({ catalog, bookDepth: 25 });
  const events: FeedEvent[] = [];
  const url = "https://www.bitmex.com/api/v1/trade?symbol=%E0%A4&count=5";
  const answer = { url, body: "[]" };
  decodeRecorded({ adapter: bitmex, catalog, decoder }, answer, 1, (event) => events.push(event));
  expect(events).toEqual([{ kind: "rejected", reason: "unknown-instrument" }]);
});
