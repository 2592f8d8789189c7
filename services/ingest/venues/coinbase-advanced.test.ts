import { expect, test } from "vitest";
import type { Channel } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent, FeedSubscription } from "../feed/feed-adapter.ts";
import { coinbaseAdvanced } from "./coinbase-advanced.ts";

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

function lostBy(frames: readonly string[]): string[] {
  const catalog = new InstrumentCatalog({
    venue: "coinbase-advanced",
    instrumentsMax: 100,
    derive: (venueSymbol) => coinbaseAdvanced.deriveInstrument(venueSymbol),
  });
  const decoder = coinbaseAdvanced.createDecoder({ catalog, bookDepth: 1000 });
  const events: FeedEvent[] = [];
  for (const frame of frames) decoder.decode(frame, 1, (event) => events.push(event));
  return events.flatMap((event) =>
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

test.each([
  ["BIT-24XXX26-CDE", undefined],
  ["BTC-PERP-INTX", "BTC-USDC-PERP"],
  ["BTC", undefined],
])("%s is derived as %s", (venueSymbol, symbol) => {
  expect(coinbaseAdvanced.deriveInstrument(venueSymbol)?.symbol).toBe(symbol);
});

test("the venue's clock is read out of its answer", () => {
  const body =
    '{"iso":"2026-01-01T00:00:01Z","epochSeconds":"1767225601","epochMillis":"1767225601123"}';
  expect(coinbaseAdvanced.parseServerTimeUs?.(body)).toBe(1_767_225_601_123_000);
  expect(coinbaseAdvanced.parseServerTimeUs?.("{")).toBeUndefined();
  expect(coinbaseAdvanced.parseServerTimeUs?.('{"epochMillis":"soon"}')).toBeUndefined();
});
