import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedDecoder, FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { upbit } from "./adapter.ts";

function instrument(venueSymbol: string): Instrument {
  const derived = upbit.deriveInstrument(venueSymbol);
  if (derived === undefined) throw new Error(`${venueSymbol} is not an instrument`);
  return derived;
}

const BTC = instrument("KRW-BTC");
const ETH = instrument("KRW-ETH");

function wanted(of: Instrument, channels: readonly Channel[]): FeedSubscription[] {
  return channels.map((channel) => ({ instrument: of, channel }));
}

function createDecoder(): FeedDecoder {
  const catalog = new InstrumentCatalog({ venue: upbit.venue, instrumentsMax: 10 });
  catalog.add([BTC, ETH]);
  return upbit.createDecoder({ catalog, bookDepth: 15 });
}

function kindsOf(decoder: FeedDecoder, frame: string): string[] {
  const events: FeedEvent[] = [];
  decoder.decode(new TextEncoder().encode(frame), 1, (event) => events.push(event));
  return events.map(({ kind }) => kind);
}

const BOOK = JSON.stringify({
  type: "orderbook",
  code: "KRW-BTC",
  timestamp: 1_785_397_531_885,
  orderbook_units: [{ ask_price: 2, bid_price: 1, ask_size: 1, bid_size: 1 }],
});

describe("what is asked of Upbit", () => {
  test("everything is one list, in which quotes are those of the book", () => {
    const [frame = ""] = upbit.subscribeFrames(wanted(BTC, upbit.channels), {
      requestId: 3,
      bookDepth: 100,
    });
    expect(JSON.parse(frame)).toEqual([
      { ticket: "tickwire-3" },
      { type: "trade", codes: ["KRW-BTC"] },
      { type: "orderbook", codes: ["KRW-BTC.30"] },
      { type: "ticker", codes: ["KRW-BTC"] },
      { type: "candle.1m", codes: ["KRW-BTC"] },
      { format: "DEFAULT" },
    ]);
  });

  test.each([
    [1, 1],
    [2, 5],
    [15, 15],
    [16, 30],
    [1000, 30],
  ])("a book of %i levels is asked for as one of %i", (bookDepth, levels) => {
    const [frame] = upbit.subscribeFrames(wanted(BTC, ["book"]), { requestId: 1, bookDepth });
    expect(frame).toContain(`"KRW-BTC.${levels}"`);
  });

  test("on a connection, more is asked for together with what it has", () => {
    const decoder = createDecoder();
    const options = { requestId: 1, bookDepth: 15 };
    const [first = ""] = decoder.subscribeFrames?.(wanted(BTC, ["trades"]), options) ?? [];
    decoder.sent?.(first);
    const [second = ""] = decoder.subscribeFrames?.(wanted(ETH, ["book"]), options) ?? [];
    expect(second).toContain('"KRW-BTC"');
    expect(second).toContain('"KRW-ETH.15"');
    expect(decoder.unsubscribeFrames?.(wanted(BTC, ["trades"]), options)).toEqual([]);
  });
});

describe("what Upbit sends", () => {
  test.each<[Channel[], string[]]>([
    [["book"], ["raw-book"]],
    [["quotes"], ["quote"]],
    [
      ["book", "quotes"],
      ["raw-book", "quote"],
    ],
  ])("a book message gives what was asked for: %j", (channels, kinds) => {
    const decoder = createDecoder();
    decoder.subscribeFrames?.(wanted(BTC, channels), { requestId: 1, bookDepth: 15 });
    expect(kindsOf(decoder, BOOK)).toEqual(kinds);
  });

  test("the last trade before subscribing is history, however often it comes", () => {
    const decoder = createDecoder();
    const told: unknown[] = [];
    for (const type of ["SNAPSHOT", "REALTIME", "SNAPSHOT"]) {
      const frame =
        `{"type":"trade","code":"KRW-BTC","trade_timestamp":1785397531885,"trade_price":1,` +
        `"trade_volume":1,"ask_bid":"BID","sequential_id":17853975318850001,"stream_type":"${type}"}`;
      decoder.decode(frame, 1, (event) => {
        if (event.kind === "trade") told.push([event.tradeId, event.historical]);
      });
    }
    expect(told).toEqual([
      ["17853975318850001", true],
      ["17853975318850001", false],
      ["17853975318850001", true],
    ]);
  });
});

test.each(["KRW", "KRW-", "-BTC", "KRW-A-B", "KRW-B C", ""])(
  "%j cannot be told by its name",
  (venueSymbol) => {
    expect(upbit.deriveInstrument(venueSymbol)).toBeUndefined();
  },
);

test("the best of a quiet book can be asked for", () => {
  const request = upbit.bookProbe?.request(instrument("KRW-BTC"), upbit.endpoints);
  expect(request?.url).toBe("https://api.upbit.com/v1/orderbook?markets=KRW-BTC");
  const body =
    '[{"market":"KRW-BTC","orderbook_units":[{"ask_price":1.5514E8,"bid_price":155130000,"ask_size":0.05,"bid_size":8.428e-05}]}]';
  expect(upbit.bookProbe?.levels(body)).toBe("155130000 0.00008428 / 155140000 0.05");
  expect(upbit.bookProbe?.levels("{}")).toBeUndefined();
});
