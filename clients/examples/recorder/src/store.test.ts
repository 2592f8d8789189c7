import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { queryFile, TradeStore, type StoredTrade } from "./store.ts";

const folder = mkdtempSync(join(tmpdir(), "tickwire-recorder-"));
afterAll(() => {
  rmSync(folder, { recursive: true, force: true });
});

const TRADE: StoredTrade = {
  topic: "binance:BTC-USDT/trades",
  venue: "binance",
  symbol: "BTC-USDT",
  venueSymbol: "BTCUSDT",
  epoch: 7,
  sequence: 1,
  venueTimeUs: 1_795_707_730_619_460,
  receivedTimeUs: 1_795_707_730_620_001,
  price: 0.1,
  priceText: "0.1",
  priceMantissa: 10n ** 17n,
  priceScale: 18,
  size: 2,
  sizeText: "2",
  sizeMantissa: 20,
  sizeScale: 1,
  aggressorSide: "buyer",
  tradeId: undefined,
};

test("trades and gaps are in the file exactly, and a second run goes on with it", async () => {
  const path = join(folder, "trades.duckdb");
  const first = await TradeStore.open(path);
  first.addTrade(TRADE);
  first.addTrade({ ...TRADE, priceMantissa: 1, priceScale: 19 });
  expect({ rows: first.rows, unfit: first.unfit }).toEqual({ rows: 1, unfit: 1 });
  const gap = { topic: TRADE.topic, epoch: 7, missingFirst: 2, missingLast: 3 };
  first.addGap({ ...gap, reason: "server-dropped" }, TRADE.receivedTimeUs);
  first.close();
  const second = await TradeStore.open(path);
  second.addTrade({ ...TRADE, sequence: 4, venueTimeUs: undefined, tradeId: "x" });
  second.close();

  const trades = await queryFile(path, "SELECT * FROM trades ORDER BY sequence");
  const stored = {
    venue: "binance",
    symbol: "BTC-USDT",
    epoch: "7",
    sequence: "1",
    venue_time: "2026-11-26 15:42:10.61946",
    received_time: "2026-11-26 15:42:10.620001",
    price: "0.100000000000000000",
    size: "2.000000000000000000",
    aggressor: "buyer",
    trade_id: null,
  };
  const later = { ...stored, sequence: "4", venue_time: null, trade_id: "x" };
  expect(trades.map((line) => JSON.parse(line) as unknown)).toEqual([stored, later]);
  expect(await queryFile(path, "SELECT missing_first, missing_last, reason FROM gaps")).toEqual([
    '{"missing_first":"2","missing_last":"3","reason":"server-dropped"}',
  ]);
});
