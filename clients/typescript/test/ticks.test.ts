import { describe, expect, test } from "vitest";
import { createStreamsConnect } from "../src/streams-connect.ts";
import { createTicksClient } from "../src/streams/ticks-client.ts";
import * as browserEntry from "../src/ticks.ts";
import * as nodeEntry from "../src/ticks.node.ts";
import { FakeGateway, quotesBatch, settle, tradesBatch } from "./fake-gateway.ts";
import { take } from "./fake-session.ts";

const TRADES = "binance:BTC-USDT/trades";
const QUOTES = "binance:BTC-USDT/quotes";

async function connectTicks() {
  const gateway = new FakeGateway();
  for (const topic of [TRADES, QUOTES]) gateway.topics.set(topic, { epoch: 7, sequence: 100 });
  const connect = createStreamsConnect(createTicksClient);
  const client = await connect("ws://gateway.test", { webSocket: gateway.WebSocket });
  return { gateway, client };
}

describe("a client of trades and quotes alone", () => {
  test("hands on both", async () => {
    const { gateway, client } = await connectTicks();
    const trades = client.trades("binance:BTC-USDT");
    const quotes = client.quotes("binance:BTC-USDT");
    await settle();
    const place = (topic: string) => {
      return { topicId: gateway.ids.get(topic)!, epoch: 7, firstSequence: 101 };
    };
    gateway.socket.deliverBatch(tradesBatch(place(TRADES), [1050]));
    gateway.socket.deliverBatch(quotesBatch(place(QUOTES), 99, 101));
    const [trade] = await take(trades, 1);
    const [quote] = await take(quotes, 1);
    expect([trade?.type, trade?.priceText]).toEqual(["trade", "10.5"]);
    expect([quote?.type, quote?.sequence]).toEqual(["quote", 101]);
    client.close();
  });

  test("refuses a topic of a channel that it does not read, and names those that it reads", async () => {
    const { client } = await connectTicks();
    expect(() => client.trades("binance:BTC-USDT/book")).toThrow(
      expect.objectContaining({
        code: "topic-unknown-channel",
        refusals: [expect.objectContaining({ alternatives: ["trades", "quotes"] })],
      }),
    );
    client.close();
  });

  test("is exported with nothing that it does not use, for Node and for browsers", () => {
    const names = [
      "BufferOverflowError",
      "ConnectionError",
      "TickwireError",
      "TopicRefusedError",
      "connect",
      "dateOfUs",
      "isoOfUs",
      "usOfDate",
    ];
    expect(Object.keys(browserEntry).sort()).toEqual(names);
    expect(Object.keys(nodeEntry).sort()).toEqual(names);
  });
});
