import { describe, expect, test } from "vitest";
import type { Channel } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedAdapter, FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { krakenV1 } from "./v1/adapter.ts";
import { kraken } from "./adapter.ts";

function wanted(adapter: FeedAdapter, names: readonly string[], channels: readonly Channel[]) {
  return names.flatMap((name) =>
    channels.map((channel): FeedSubscription => {
      const instrument = adapter.deriveInstrument(name);
      if (instrument === undefined) throw new Error(`${name} is no instrument`);
      return { instrument, channel };
    }),
  );
}

function decode(adapter: FeedAdapter, frames: readonly (string | Uint8Array)[]): FeedEvent[] {
  const catalog = new InstrumentCatalog({
    venue: adapter.venue,
    instrumentsMax: 100,
    derive: (venueSymbol) => adapter.deriveInstrument(venueSymbol),
  });
  const decoder = adapter.createDecoder({ catalog, bookDepth: 10 });
  const events: FeedEvent[] = [];
  for (const frame of frames) decoder.decode(frame, 1, (event) => events.push(event));
  return events;
}

/** What was rejected, and what of which instrument it costs. */
function rejections(events: readonly FeedEvent[]): string[] {
  return events.flatMap((event) =>
    event.kind === "rejected"
      ? [`${event.reason} ${event.instrument?.venueSymbol ?? "-"} ${event.channel ?? "-"}`]
      : [],
  );
}

describe("subscribing over v2", () => {
  test("asks for each channel once, with the nearest depth, numbered on from the last request", () => {
    const subscriptions = wanted(kraken, ["BTC/USD", "ETH/USD"], ["book", "trades", "candles"]);
    const frames = kraken.subscribeFrames(subscriptions, { requestId: 5, bookDepth: 30 });
    const symbol = ["BTC/USD", "ETH/USD"];
    expect(frames.map((frame) => JSON.parse(frame))).toEqual([
      {
        method: "subscribe",
        params: { channel: "book", symbol, depth: 100, snapshot: true },
        req_id: 5,
      },
      { method: "subscribe", params: { channel: "trade", symbol, snapshot: true }, req_id: 6 },
      {
        method: "subscribe",
        params: { channel: "ohlc", symbol, interval: 1, snapshot: true },
        req_id: 7,
      },
    ]);
  });

  test("quotes and ticker of one pair are one subscription, at every change of the best prices", () => {
    const subscriptions = [
      ...wanted(kraken, ["BTC/USD"], ["quotes", "ticker"]),
      ...wanted(kraken, ["ETH/USD"], ["ticker"]),
    ];
    const frames = kraken.subscribeFrames(subscriptions, { requestId: 1, bookDepth: 10 });
    expect(frames.map((frame) => JSON.parse(frame).params)).toEqual([
      { channel: "ticker", symbol: ["BTC/USD"], event_trigger: "bbo", snapshot: true },
      { channel: "ticker", symbol: ["ETH/USD"], event_trigger: "trades", snapshot: true },
    ]);
  });

  test.each([
    [99, [99]],
    [100, [100]],
    [101, [100, 1]],
  ])("%i pairs are asked for in frames of %j", (count, sizes) => {
    const names = Array.from({ length: count }, (_, index) => `A${index}/USD`);
    const subscriptions = wanted(kraken, names, ["book"]);
    const frames = kraken.subscribeFrames(subscriptions, { requestId: 1, bookDepth: 10 });
    expect(frames.map((frame) => JSON.parse(frame).params.symbol.length)).toEqual(sizes);
  });

  test("a resync ends and renews one book and nothing else", () => {
    const subscriptions = wanted(kraken, ["BTC/USD"], ["book"]);
    const frames = kraken.unsubscribeFrames(subscriptions, { requestId: 9, bookDepth: 10 });
    expect(frames).toEqual([
      '{"method":"unsubscribe","params":{"channel":"book","symbol":["BTC/USD"],"depth":10},"req_id":9}',
    ]);
  });

  test("a refusal without channel is matched to its request, of which a bounded number is kept", () => {
    const catalog = new InstrumentCatalog({ venue: "kraken", instrumentsMax: 1 });
    const refusedBy = (requestId: number, last: number): string[] => {
      const decoder = kraken.createDecoder({ catalog, bookDepth: 10 });
      for (let id = 1; id <= last; id++) {
        decoder.sent?.(`{"method":"subscribe","params":{"channel":"trade"},"req_id":${id}}`);
      }
      const channels: string[] = [];
      const answer = `{"method":"subscribe","success":false,"error":"no","symbol":"A/B","req_id":${requestId}}`;
      decoder.decode(answer, 1, (event) => {
        channels.push(event.kind === "refused" ? String(event.channel) : event.kind);
      });
      return channels;
    };
    expect(refusedBy(1, 1023)).toEqual(["trades"]);
    expect(refusedBy(1, 1024)).toEqual(["trades"]);
    expect(refusedBy(1, 1025)).toEqual(["undefined"]);
    expect(refusedBy(2, 1025)).toEqual(["trades"]);
  });
});

describe("subscribing over v1", () => {
  test("quotes are the spread channel, and every pair keeps its old name", () => {
    const subscriptions = wanted(krakenV1, ["XBT/USD"], krakenV1.channels);
    const frames = krakenV1.subscribeFrames(subscriptions, { requestId: 1, bookDepth: 1000 });
    expect(frames.map((frame) => JSON.parse(frame).subscription)).toEqual([
      { name: "trade" },
      { name: "spread" },
      { name: "book", depth: 1000 },
      { name: "ticker" },
      { name: "ohlc", interval: 1 },
    ]);
    expect(frames.map((frame) => JSON.parse(frame).reqid)).toEqual([1, 2, 3, 4, 5]);
  });
});

describe("damage", () => {
  const snapshot = (symbol: string): string =>
    `{"channel":"book","type":"snapshot","data":[{"symbol":"${symbol}","bids":[],"asks":[],"checksum":0}]}`;

  test("costs exactly the book that it names", () => {
    const cut = snapshot("ETH/USD").slice(0, -5);
    const events = decode(kraken, [snapshot("BTC/USD"), snapshot("ETH/USD"), cut]);
    expect(rejections(events)).toEqual(["bad-json ETH/USD book"]);
  });

  test("that names nothing makes every book of the connection suspect, and no other", () => {
    const events = decode(kraken, [snapshot("BTC/USD"), snapshot("ETH/USD"), '{"chan']);
    expect(rejections(events)).toEqual([
      "bad-json - -",
      "missing-data BTC/USD book",
      "missing-data ETH/USD book",
    ]);
  });

  test("over v1 is traced by the names at the end", () => {
    const book = '[1,{"as":[],"bs":[]},"book-10","XBT/USD"]';
    const cut = '[1,{"a":[["1"';
    const named = '[1,{"a":[["1"},"book-10","ETH/USD"]';
    expect(rejections(decode(krakenV1, [book, named]))).toEqual(["bad-json ETH/USD book"]);
    expect(rejections(decode(krakenV1, [book, cut]))).toEqual([
      "bad-json - -",
      "missing-data XBT/USD book",
    ]);
  });

  test("of one message does not spoil the precision of the book for good", () => {
    const book = (kind: string, price: string, checksum: number): string =>
      `{"channel":"book","type":"${kind}","data":[{"symbol":"BTC/USD","bids":[],"asks":[{"price":${price},"qty":1.0}],"checksum":${checksum}}]}`;
    const frames = [
      book("snapshot", "7.5", 1),
      book("update", "7.123456", 1),
      book("snapshot", "7.5", 1),
    ];
    const scales = decode(kraken, frames).map((event) =>
      event.kind === "raw-book" ? event.priceScale : undefined,
    );
    expect(scales).toEqual([1, 6, 1]);
  });
});

test("a frame of bytes is the same as its text", () => {
  const frame = '{"channel":"heartbeat"}';
  expect(decode(kraken, [new TextEncoder().encode(frame)])).toEqual(decode(kraken, [frame]));
  expect(decode(krakenV1, [new Uint8Array([0xff, 0xfe])])).toEqual([
    { kind: "rejected", reason: "bad-json" },
  ]);
});

test("a damaged update costs exactly its pair's book, one without a name every book", () => {
  const catalog = new InstrumentCatalog({
    venue: "kraken",
    instrumentsMax: 10,
    derive: (venueSymbol) => kraken.deriveInstrument(venueSymbol),
  });
  const snapshot = (symbol: string): string =>
    `{"channel":"book","type":"snapshot","data":[{"symbol":"${symbol}","bids":[],"asks":[],"checksum":0}]}`;
  const costs = (frame: string): string[] => {
    const decoder = kraken.createDecoder({ catalog, bookDepth: 10 });
    const rejected: string[] = [];
    for (const text of [snapshot("BTC/USD"), snapshot("ETH/USD"), frame]) {
      decoder.decode(text, 1, (event) => {
        if (event.kind !== "rejected") return;
        rejected.push(`${event.reason} ${event.instrument?.venueSymbol ?? "-"}`);
      });
    }
    return rejected;
  };
  const about = (symbol: string): string =>
    `{"channel": "book", "type":"update", "data":[{"symbol": "${symbol}","bi`;
  expect(costs(about("ETH/USD"))).toEqual(["bad-json ETH/USD"]);
  expect(costs('{"channel":"bo')).toEqual([
    "bad-json -",
    "missing-data BTC/USD",
    "missing-data ETH/USD",
  ]);
  expect(costs('{"channel":"trade","ty')).toEqual(["bad-json -"]);
  for (const whole of ["[1,2]", "null", "1", '"x"']) {
    expect(costs(whole)).toEqual(["unknown-message -"]);
  }
});

describe("stocks as tokens", () => {
  test("are listed by a request of their own, in both versions of the feed", () => {
    const url = "https://api.kraken.com/0/public/AssetPairs";
    for (const adapter of [kraken, krakenV1]) {
      const requests = adapter.instrumentsRequests(adapter.endpoints);
      expect(requests.map((request) => request.url)).toEqual([
        url,
        `${url}?aclass_base=tokenized_asset`,
      ]);
      expect(requests.map((request) => adapter.recordedRequest(request.url))).toEqual([
        { kind: "instruments" },
        { kind: "instruments" },
      ]);
    }
  });

  test.each([
    ["AAPLx/USD", "pair=AAPLx%2FUSD&count=1000&asset_class=tokenized_asset"],
    ["XRP/USD", "pair=XRP%2FUSD&count=1000"],
  ])("trades of %s are asked for by %s", (name, query) => {
    const instrument = kraken.deriveInstrument(name);
    if (instrument === undefined) throw new Error(`${name} is no instrument`);
    const { endpoints } = kraken;
    const request = kraken.tradesRequest?.(instrument, { afterTradeId: "1", endpoints });
    expect(request?.url).toBe(`https://api.kraken.com/0/public/Trades?${query}`);
  });
});
