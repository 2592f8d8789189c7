import { beforeEach, describe, expect, test } from "vitest";
import { PaperExchange } from "./paper-exchange.ts";
import type { Tick } from "./tick.ts";

function quote(bid: number, ask: number, size = 10): Tick {
  return { kind: "quote", timeUs: 0, bid, ask, bidSize: size, askSize: size };
}

function trade(price: number, size: number, aggressor: "buyer" | "seller" | "none"): Tick {
  return { kind: "trade", timeUs: 0, price, size, aggressor };
}

let exchange: PaperExchange;
beforeEach(() => {
  exchange = new PaperExchange();
  exchange.onTick(quote(100, 102));
});

describe("an order", () => {
  test("is filled by trades through its price", () => {
    exchange.place("bid", 100, 5);
    expect(exchange.onTick(trade(99, 3, "seller"))).toEqual([{ side: "bid", price: 100, size: 3 }]);
    expect(exchange.onTick(trade(99, 9, "seller"))).toEqual([{ side: "bid", price: 100, size: 2 }]);
    expect(exchange.priceOf("bid")).toBeUndefined();
  });

  test("at its price comes behind what stood there before", () => {
    exchange.place("ask", 102, 5);
    expect(exchange.onTick(trade(102, 8, "buyer"))).toEqual([]);
    expect(exchange.onTick(trade(102, 4, "buyer"))).toEqual([{ side: "ask", price: 102, size: 2 }]);
  });

  test("between the best prices has nothing before it", () => {
    exchange.place("bid", 101, 5);
    expect(exchange.onTick(trade(101, 1, "seller"))).toHaveLength(1);
  });

  test.each([
    ["bid", 99, "buyer"],
    ["ask", 103, "seller"],
  ] as const)("on the %s is not filled by the %s's own side", (side, price, aggressor) => {
    exchange.place(side, side === "bid" ? 100 : 102, 5);
    expect(exchange.onTick(trade(price, 50, aggressor))).toEqual([]);
  });

  test("is not filled when it was cancelled", () => {
    exchange.place("bid", 100, 5);
    exchange.cancel("bid");
    expect(exchange.onTick(trade(90, 50, "seller"))).toEqual([]);
  });

  test.each([
    ["bid", 105, 101],
    ["bid", 101, 101],
    ["ask", 95, 101],
    ["ask", 103, 103],
  ] as const)(
    "of a %s at %i stands at %i, so that it does not trade at once",
    (side, price, at) => {
      expect(exchange.passivePrice(side, price)).toBe(at);
    },
  );
});
