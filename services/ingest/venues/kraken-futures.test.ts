import { expect, test } from "vitest";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent } from "../feed/feed-adapter.ts";
import { krakenFutures } from "./kraken-futures.ts";

const OPTIONS = { requestId: 1, bookDepth: 1000 };

function decode(frames: readonly string[]): FeedEvent[] {
  const catalog = new InstrumentCatalog({
    venue: "kraken-futures",
    instrumentsMax: 100,
    derive: (venueSymbol) => krakenFutures.deriveInstrument(venueSymbol),
  });
  const decoder = krakenFutures.createDecoder({ catalog, bookDepth: 1000 });
  const events: FeedEvent[] = [];
  for (const frame of frames) decoder.decode(frame, 1, (event) => events.push(event));
  return events;
}

test("what one feed carries is subscribed once", () => {
  const instrument = krakenFutures.deriveInstrument("PF_XBTUSD");
  if (instrument === undefined) throw new Error("not derived");
  const wanted = krakenFutures.channels.map((channel) => ({ instrument, channel }));
  expect(krakenFutures.subscribeFrames(wanted, OPTIONS)).toEqual([
    '{"event":"subscribe","feed":"trade","product_ids":["PF_XBTUSD"]}',
    '{"event":"subscribe","feed":"ticker","product_ids":["PF_XBTUSD"]}',
    '{"event":"subscribe","feed":"book","product_ids":["PF_XBTUSD"]}',
  ]);
});

test("a dated contract has no funding to subscribe to", () => {
  const instrument = krakenFutures.deriveInstrument("FF_XBTUSD_261225");
  if (instrument === undefined) throw new Error("not derived");
  const wanted = [{ instrument, channel: "funding" } as const];
  expect(krakenFutures.planConnections(wanted, krakenFutures.endpoints)).toEqual([]);
});

test.each([
  ["PI_XBTUSD", { inverse: true, settle: "BTC", sizeUnit: "contract", kind: "perpetual" }],
  ["PF_XBTUSD", { inverse: false, settle: "USD", sizeUnit: "base", kind: "perpetual" }],
  ["FI_XBTUSD_261225", { inverse: true, settle: "BTC", sizeUnit: "contract", kind: "future" }],
  ["PF_XBTEUR", { inverse: false, quote: "EUR" }],
])("%s settles and counts as its class says", (venueSymbol, expected) => {
  expect(krakenFutures.deriveInstrument(venueSymbol)).toMatchObject(expected);
});

test.each(["PF_XBTUSD_261225", "FF_XBTUSD", "XBTUSD", "in_xbtusd", "PF_USD"])(
  "%s is no contract",
  (venueSymbol) => {
    expect(krakenFutures.deriveInstrument(venueSymbol)).toBeUndefined();
  },
);

test("a damaged snapshot is known by what is left of it", () => {
  expect(decode(['{"feed":"book_snapshot","product_id":"PF_XBTUSD","bids":[{"pri'])).toMatchObject([
    { reason: "bad-json", channel: "book", instrument: { venueSymbol: "PF_XBTUSD" } },
  ]);
});

test("increments that are powers of ten are plain decimals", () => {
  const body =
    '{"instruments":[{"symbol":"PF_PEPEUSD","tradeable":true,"tickSize":1e-10,"contractSize":1,"contractValueTradePrecision":-3}]}';
  expect(krakenFutures.parseInstruments(body, "")?.instruments).toMatchObject([
    { priceIncrement: "0.0000000001", sizeIncrement: "1000", contractSize: "1" },
  ]);
});

test("the venue's clock is in every answer of its REST side", () => {
  const body = '{"result":"success","serverTime":"2026-01-01T00:00:01.123Z"}';
  expect(krakenFutures.parseServerTimeUs?.(body)).toBe(1_767_225_601_123_000);
  expect(krakenFutures.parseServerTimeUs?.("[]")).toBeUndefined();
});
