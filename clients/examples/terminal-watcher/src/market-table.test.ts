import { expect, test } from "vitest";
import { MarketTable, type Order } from "./market-table.ts";

function quote(symbol: string, bid: number, ask: number) {
  const texts = { bidPriceText: String(bid), askPriceText: String(ask) };
  return { venue: "v", symbol, bidPrice: bid, askPrice: ask, ...texts };
}

function createTable(): MarketTable {
  const table = new MarketTable();
  table.onQuote(quote("B", 99, 101));
  table.onQuote(quote("A", 90, 110));
  table.onTrade({ venue: "v", symbol: "A", priceText: "91", aggressorSide: "seller" });
  table.step(0.5);
  return table;
}

const size = { lines: 10, columns: 100 };

test("a row has quote, spread, last trade and rate, under a header", () => {
  expect(createTable().lines({ order: "trades", ...size })).toEqual([
    "INSTRUMENT  BID  ASK  SPREAD bp  LAST     TRADES/s",
    "v:A          90  110    2000.00    91  ▼       0.6",
    "v:B          99  101     200.00                0.0",
  ]);
});

test.each<[Order, string[]]>([
  ["trades", ["v:A", "v:B"]],
  ["spread", ["v:B", "v:A"]],
  ["name", ["v:A", "v:B"]],
])("rows are ordered by %s", (order, names) => {
  const [, ...rows] = createTable().lines({ order, ...size });
  expect(rows.map((row) => row.slice(0, 3))).toEqual(names);
});

test("what does not fit is cut off", () => {
  const lines = createTable().lines({ order: "name", lines: 2, columns: 12 });
  expect(lines).toEqual(["INSTRUMENT  ", "v:A         "]);
});

test("a name cannot steer the terminal", () => {
  const table = new MarketTable();
  table.onQuote(quote("X\u001b[2J\u202e", 1, 2));
  expect(table.lines({ order: "name", ...size })[1]).toMatch(/^v:X\?\[2J\? /);
});
