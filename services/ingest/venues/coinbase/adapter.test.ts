import { expect, test } from "vitest";
import type { Channel } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { coinbase } from "./adapter.ts";

function wanted(product: string, channels: readonly Channel[]): FeedSubscription[] {
  const instrument = coinbase.deriveInstrument(product);
  if (instrument === undefined) throw new Error(`${product} is no product`);
  return channels.map((channel) => ({ instrument, channel }));
}

function decode(frames: readonly string[]): FeedEvent[] {
  const catalog = new InstrumentCatalog({
    venue: "coinbase",
    instrumentsMax: 100,
    derive: (venueSymbol) => coinbase.deriveInstrument(venueSymbol),
  });
  const decoder = coinbase.createDecoder({ catalog, bookDepth: 1000 });
  const events: FeedEvent[] = [];
  for (const frame of frames) decoder.decode(frame, 1, (event) => events.push(event));
  return events;
}

const OPTIONS = { requestId: 1, bookDepth: 1000 };

test("every product is subscribed by a frame of its own, so that one bad one costs no other", () => {
  const subscriptions = [
    ...wanted("BTC-USD", coinbase.channels),
    ...wanted("NOPE-USD", ["trades"]),
  ];
  expect(coinbase.subscribeFrames(subscriptions, OPTIONS)).toEqual([
    '{"type":"subscribe","product_ids":["BTC-USD"],"channels":["matches","ticker","level2_batch","heartbeat"]}',
    '{"type":"subscribe","product_ids":["NOPE-USD"],"channels":["matches","heartbeat"]}',
  ]);
});

test("a resync ends one product's level2 and leaves its heartbeat", () => {
  expect(coinbase.unsubscribeFrames(wanted("BTC-USD", ["book"]), OPTIONS)).toEqual([
    '{"type":"unsubscribe","product_ids":["BTC-USD"],"channels":["level2_batch"]}',
  ]);
});

test("the channels of one product stay on one connection", () => {
  const subscriptions = Array.from({ length: 150 }, (_, index) =>
    wanted(`A${index}-USD`, ["book", "trades", "ticker"]),
  ).flat();
  const plans = coinbase.planConnections(subscriptions, coinbase.endpoints);
  const max = coinbase.limits.subscriptionsPerConnectionMax;
  expect(plans.map((plan) => plan.subscriptions.length)).toEqual([
    max - (max % 3),
    450 - (max - (max % 3)),
  ]);
});

test("a renewed subscription is confirmed anew", () => {
  const list = (names: readonly string[]): string =>
    JSON.stringify({
      type: "subscriptions",
      channels: names.map((name) => ({ name, product_ids: ["BTC-USD"] })),
    });
  const events = decode([list(["level2_batch"]), list([]), list(["level2_batch"])]);
  expect(events.map((event) => event.kind)).toEqual(["subscribed", "heartbeat", "subscribed"]);
});

test("a trade number beyond 2^53 is kept digit by digit", () => {
  const frame =
    '{"type":"match","trade_id":9007199254740993,"side":"buy","size":"1","price":"2","product_id":"BTC-USD","time":"2024-01-01T00:00:00Z"}';
  expect(decode([frame])).toMatchObject([{ kind: "trade", tradeId: "9007199254740993" }]);
});

test("a damaged update costs exactly its product's book, one without a name every book", () => {
  const snapshot = (product: string): string =>
    `{"type":"snapshot","product_id":"${product}","bids":[["1","1"]],"asks":[["2","1"]]}`;
  const books = [snapshot("BTC-USD"), snapshot("ETH-USD")];
  const costs = (frame: string): string[] =>
    decode([...books, frame]).flatMap((event) =>
      event.kind === "rejected" && event.instrument !== undefined
        ? [`${event.instrument.venueSymbol} ${event.channel}`]
        : [],
    );
  expect(costs('{"type":"l2update","product_id":"ETH-USD","chan')).toEqual(["ETH-USD book"]);
  expect(costs('{"type": "l2update", "product_id": "ETH-USD", "ch')).toEqual(["ETH-USD book"]);
  expect(costs('{"type":"l2up')).toEqual(["BTC-USD book", "ETH-USD book"]);
  expect(costs('{"type":"ticker","prod')).toEqual([]);
});

test.each([
  ["https://api.exchange.coinbase.com/products", true],
  ["https://api.pro.coinbase.com/products?x=1", true],
  ["https://api.exchange.coinbase.com/products/BTC-USD/book", false],
])("%s lists instruments: %s", (url, is) => {
  expect(coinbase.recordedRequest(url)?.kind === "instruments").toBe(is);
});
