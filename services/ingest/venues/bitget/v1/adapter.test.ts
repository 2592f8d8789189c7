import { OrderBook } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedSubscription } from "../../../feed/feed-adapter.ts";
import { bitgetV1 } from "./adapter.ts";

const SPOT = bitgetV1.deriveInstrument("BTCUSDT", "sp");
const PERPETUAL = bitgetV1.deriveInstrument("BTCUSDT", "mc");

function wanted(of: Instrument | undefined, channels: readonly Channel[]): FeedSubscription[] {
  return of === undefined ? [] : channels.map((channel) => ({ instrument: of, channel }));
}

describe("version 1 of Bitget's feed", () => {
  test("has spot and contracts at addresses of their own", () => {
    const all = [...wanted(SPOT, bitgetV1.channels), ...wanted(PERPETUAL, bitgetV1.channels)];
    const plans = bitgetV1.planConnections(all, bitgetV1.endpoints);
    expect(plans.map(({ url, subscriptions }) => [url, subscriptions.length])).toEqual([
      ["wss://ws.bitget.com/spot/v1/stream", 4],
      ["wss://ws.bitget.com/mix/v1/stream", 7],
    ]);
  });

  test("is asked once for the ticker that serves four channels", () => {
    const channels = ["ticker", "funding", "mark-price", "open-interest"] as const;
    const frames = bitgetV1.subscribeFrames(wanted(PERPETUAL, channels), {
      requestId: 1,
      bookDepth: 10,
    });
    expect(frames.map((frame) => JSON.parse(frame) as unknown)).toEqual([
      { op: "subscribe", args: [{ instType: "MC", channel: "ticker", instId: "BTCUSDT" }] },
    ]);
  });

  test.each([
    ["ETHBTC", "sp", "ETH-BTC"],
    ["BTCUSDT", "mc", "BTC-USDT-PERP"],
    ["BTCUSD", "mc", "BTC-USD-PERP"],
    ["BTCPERP", "mc", "BTC-USDC-PERP"],
  ])("calls %s of %s what is %s here", (venueSymbol, venueMarket, symbol) => {
    expect(bitgetV1.deriveInstrument(venueSymbol, venueMarket)?.symbol).toBe(symbol);
  });

  test.each([
    ["BTCUSDT", undefined],
    ["USDT", "sp"],
    ["BTCEUR", "sp"],
    ["BTCUSD_260327", "mc"],
    ["BTCEUR", "mc"],
  ])("has no %s of %s that could be told by its name", (venueSymbol, venueMarket) => {
    expect(bitgetV1.deriveInstrument(venueSymbol, venueMarket)).toBeUndefined();
  });

  test("sums what it writes, zeros included, also of a book with one side alone", () => {
    const sum = bitgetV1.bookSync.checksum;
    const book = new OrderBook();
    if (SPOT === undefined) throw new Error("there is no instrument");
    // Python: zlib.crc32(b"") and zlib.crc32(b"0.05:1.50:0.04:2.00") as signed integers.
    expect(sum?.(book, SPOT, 1)).toBe(0);
    book.applySnapshot({
      priceScale: 2,
      sizeScale: 2,
      bids: { prices: [5, 4], sizes: [150, 200] },
      asks: { prices: [], sizes: [] },
    });
    expect(sum?.(book, SPOT, 1)).toBe(-1720412444);
  });
});
