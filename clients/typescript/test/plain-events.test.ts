import { inspect } from "node:util";
import { describe, expect, test } from "vitest";
import { booksBatch, quotesBatch, settle, tradesBatch } from "./fake-gateway.ts";
import { connectFake } from "./fake-session.ts";
import type { MarketEvent } from "../src/events/market-event.ts";

// Events are plain data: whatever copies or prints an object takes all of it.

const CHANNELS = ["trades", "quotes", "book"] as const;

/** One event of each hot channel, received over a connection. */
async function received(price: number): Promise<MarketEvent[]> {
  const { client, gateway } = await connectFake();
  const topics = CHANNELS.map((channel) => `binance:BTC-USDT/${channel}`);
  for (const topic of topics) gateway.topics.set(topic, { epoch: 7, sequence: 100 });
  const events: MarketEvent[] = [];
  client.subscribe(topics, (event) => {
    if ("sequence" in event && event.type !== "continuity") events.push(event);
  });
  await settle();
  const at = (index: number) => ({
    topicId: gateway.ids.get(topics[index]!)!,
    epoch: 7,
    firstSequence: 101,
  });
  gateway.socket.deliverBatch(
    tradesBatch(at(0), [price]),
    quotesBatch(at(1), price, price + 1),
    booksBatch(at(2), [{ snapshot: true, bids: [[price, 1]], asks: [] }]),
  );
  return events;
}

function spread(event: object): object {
  return { ...event };
}

/** As text, with what JSON cannot say written out. */
function textOf(value: unknown): string {
  return JSON.stringify(value, (_name, part: unknown) =>
    typeof part === "bigint" ? String(part) : part,
  );
}

describe("an event", () => {
  test("has every field as its own, under the names that its type says", async () => {
    const [trade, quote, book] = await received(1050);
    expect(spread(trade!)).toEqual({
      type: "trade",
      topic: "binance:BTC-USDT/trades",
      venue: "binance",
      symbol: "BTC-USDT",
      venueSymbol: "BTCUSDT",
      epoch: 7,
      sequence: 101,
      initial: false,
      venueTimeUs: 1_699_999_999_999_000,
      receivedTimeUs: 1_700_000_000_000_000,
      publishedTimeUs: 1_700_000_000_000_500,
      price: 10.5,
      priceText: "10.5",
      priceMantissa: 1050,
      priceScale: 2,
      size: 1,
      sizeText: "1",
      sizeMantissa: 1,
      sizeScale: 0,
      aggressorSide: "buyer",
      tradeId: "101",
      historical: false,
    });
    expect(spread(quote!)).toMatchObject({ bidPrice: 10.5, askPriceText: "10.51", askSize: 2 });
    expect(spread(book!)).toMatchObject({ snapshot: true, bids: [{ price: 1050, sizeText: "1" }] });
  });

  test.each([
    ["spread", spread],
    ["Object.assign", (event: object) => Object.assign({}, event)],
    ["structuredClone", (event: object) => structuredClone(event)],
    ["JSON", (event: object) => JSON.parse(JSON.stringify(event)) as object],
  ])("is whole when it is copied by %s", async (_name, copy) => {
    for (const event of await received(1050)) {
      expect(textOf(copy(event))).toBe(textOf(event));
      expect(Object.keys(copy(event))).toEqual(Object.keys(event));
    }
  });

  test("shows itself whole on a console", async () => {
    for (const event of await received(1050)) {
      const shown = inspect(event);
      for (const name of Object.keys(event)) expect(shown).toContain(`${name}:`);
    }
  });
});
