import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { cryptocom } from "./adapter.ts";

function instrument(venueSymbol: string): Instrument {
  const derived = cryptocom.deriveInstrument(venueSymbol);
  if (derived === undefined) throw new Error(`${venueSymbol} is not an instrument`);
  return derived;
}

const SPOT = instrument("BTC_USDT");
const PERPETUAL = instrument("BTCUSD-PERP");
const FUTURE = instrument("BTCUSD-260327");

function wanted(of: Instrument, channels: readonly Channel[]): FeedSubscription[] {
  return channels.map((channel) => ({ instrument: of, channel }));
}

function channelsHad(of: Instrument): Channel[] {
  return cryptocom
    .planConnections(wanted(of, cryptocom.channels), cryptocom.endpoints)
    .flatMap(({ subscriptions }) => subscriptions.map(({ channel }) => channel));
}

describe("what is asked of Crypto.com", () => {
  test("each name is a numbered frame of its own, and what several channels share is asked once", () => {
    const options = { requestId: 7, bookDepth: 100 };
    const frames = cryptocom.subscribeFrames(wanted(PERPETUAL, cryptocom.channels), options);
    expect(frames.map((frame) => JSON.parse(frame) as unknown)).toEqual(
      [
        { channels: ["trade.BTCUSD-PERP"] },
        { channels: ["ticker.BTCUSD-PERP"] },
        {
          channels: ["book.BTCUSD-PERP.50"],
          book_subscription_type: "SNAPSHOT_AND_UPDATE",
          book_update_frequency: 100,
        },
        { channels: ["candlestick.1m.BTCUSD-PERP"] },
        { channels: ["funding.BTCUSD-PERP"] },
        { channels: ["mark.BTCUSD-PERP"] },
        { channels: ["index.BTCUSD-INDEX"] },
      ].map((params, index) => ({ id: 7 + index, method: "subscribe", params })),
    );
  });

  test.each([
    [9, 10],
    [10, 10],
    [11, 50],
  ])("a book of %i levels is asked for as one of %i", (bookDepth, asked) => {
    const [frame] = cryptocom.subscribeFrames(wanted(SPOT, ["book"]), { requestId: 1, bookDepth });
    expect(frame).toContain(`book.BTC_USDT.${asked}"`);
  });

  test("the index that contracts share is not ended with one of them", () => {
    const frames = cryptocom.unsubscribeFrames(wanted(FUTURE, ["mark-price"]), {
      requestId: 1,
      bookDepth: 10,
    });
    expect(frames).toEqual([
      '{"id":1,"method":"unsubscribe","params":{"channels":["mark.BTCUSD-260327"]}}',
    ]);
  });

  test("spot has nothing of contracts, and a dated future no funding", () => {
    expect(channelsHad(SPOT)).toEqual(["trades", "quotes", "book", "ticker", "candles"]);
    expect(channelsHad(FUTURE)).not.toContain("funding");
    expect(channelsHad(PERPETUAL)).toEqual(cryptocom.channels);
  });
});

describe("the instruments of Crypto.com", () => {
  test.each([
    ["BTC_USDT", "BTC-USDT", "spot"],
    ["CRO_USD", "CRO-USD", "spot"],
    ["BTCUSD-PERP", "BTC-USD-PERP", "perpetual"],
    ["1INCHUSD-PERP", "1INCH-USD-PERP", "perpetual"],
    ["BTCUSD-260327", "BTC-USD-20260327", "future"],
  ])("%s is %s", (venueSymbol, symbol, kind) => {
    expect(cryptocom.deriveInstrument(venueSymbol)).toMatchObject({ symbol, venueSymbol, kind });
  });

  test.each([
    "BTCUSD-INDEX",
    "BTCUSD-251226-CW90000",
    "BTCUSDC-PERP",
    "USD-PERP",
    "BTC_",
    "",
    "A_B_C",
  ])("%s cannot be told by its name", (venueSymbol) => {
    expect(cryptocom.deriveInstrument(venueSymbol)).toBeUndefined();
  });

  test("a future ends when the list says so, else at eight on its day", () => {
    const entry = {
      symbol: "BTCUSD-260327",
      inst_type: "FUTURE",
      base_ccy: "BTC",
      quote_ccy: "USD",
    };
    const expiryOf = (more: object): unknown =>
      cryptocom.parseInstruments(JSON.stringify({ result: { data: [{ ...entry, ...more }] } }), "")
        ?.instruments[0]?.expiryTimeUs;
    expect(expiryOf({ expiry_timestamp_ms: 1_774_602_000_000 })).toBe(1_774_602_000_000_000);
    expect(expiryOf({ expiry_timestamp_ms: 0 })).toBe(1_774_598_400_000_000);
  });
});

describe("what Crypto.com says on a connection", () => {
  const decoder = () =>
    cryptocom.createDecoder({
      catalog: new InstrumentCatalog({
        venue: cryptocom.venue,
        instrumentsMax: 10,
        derive: (venueSymbol) => cryptocom.deriveInstrument(venueSymbol),
      }),
      bookDepth: 10,
    });
  const trades = (id: string): string =>
    JSON.stringify({
      id: -1,
      method: "subscribe",
      code: 0,
      result: {
        instrument_name: "BTC_USDT",
        channel: "trade",
        data: [{ d: id, t: 1_767_225_600_000, p: "1", q: "1", s: "BUY", i: "BTC_USDT" }],
      },
    });

  test("the trades after each confirmation are old ones, and those after them are not", () => {
    const connection = decoder();
    const told: unknown[] = [];
    const take = (event: FeedEvent): void => {
      if (event.kind === "trade") told.push([event.tradeId, event.historical]);
    };
    for (const id of [1, 2]) {
      connection.sent?.(
        `{"id":${id},"method":"subscribe","params":{"channels":["trade.BTC_USDT"]}}`,
      );
      connection.decode(`{"id":${id},"method":"subscribe","code":0}`, 1, take);
      connection.decode(trades(`${id}0`), 1, take);
      connection.decode(trades(`${id}1`), 1, take);
    }
    expect(told).toEqual([
      ["10", true],
      ["11", false],
      ["20", true],
      ["21", false],
    ]);
  });

  test("a heartbeat is answered with its number, digit by digit", () => {
    const replies: string[] = [];
    decoder().decode(
      '{"id":9223372036854775807,"method":"public/heartbeat","code":0}',
      1,
      (event) => {
        if (event.kind === "reply") replies.push(event.frame);
      },
    );
    expect(replies).toEqual(['{"id":9223372036854775807,"method":"public/respond-heartbeat"}']);
  });
});
