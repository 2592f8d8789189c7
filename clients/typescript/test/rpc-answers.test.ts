import { tickwire } from "@tickwire/proto/protobufjs";
import { describe, expect, test } from "vitest";
import { sizeInBase, type Rpc } from "../src/index.ts";
import { isPresent, settle, tradesBatch, quotesBatch } from "./fake-gateway.ts";
import { connectFake, take } from "./fake-session.ts";

const wire = tickwire.v1;
const TIMES = { venueTimeUs: 1_699_999_999_999_000, receivedTimeUs: 1_700_000_000_000_000 };
const TRADE = {
  ...TIMES,
  sequence: 101,
  price: "10.5",
  size: "1",
  aggressorSide: wire.AggressorSide.AGGRESSOR_SIDE_BUYER,
  tradeId: "101",
};
const QUOTE = {
  ...TIMES,
  sequence: 101,
  bidPrice: "10.5",
  bidSize: "1",
  askPrice: "10.51",
  askSize: "2",
};

/** What a call resolves with for the answer that the gateway gives. */
async function answered<Result>(
  call: (rpc: Rpc) => Promise<Result>,
  response: Uint8Array,
): Promise<Result> {
  const { client, gateway } = await connectFake();
  gateway.onMessage = (_socket, message) => isPresent(message.call);
  const result = call(client.rpc);
  await settle();
  gateway.socket.deliverMessage({ reply: { callId: 1, response, status: {} } });
  return result;
}

/** The first event of a topic in which one batch comes. */
async function streamed(channel: "trades" | "quotes"): Promise<Record<string, unknown>> {
  const { client, gateway } = await connectFake();
  const topic = `binance:BTC-USDT/${channel}`;
  gateway.topics.set(topic, { epoch: 7, sequence: 100 });
  const stream = client[channel]("binance:BTC-USDT");
  await settle();
  const position = { topicId: gateway.ids.get(topic)!, epoch: 7, firstSequence: 101 };
  gateway.socket.deliverBatch(
    channel === "trades" ? tradesBatch(position, [1050]) : quotesBatch(position, 1050, 1051),
  );
  const [event] = await take<object>(stream, 1);
  return { ...event };
}

describe("an answer says what the stream says, under the same names", () => {
  test("of a trade", async () => {
    const response = wire.GetTradesResponse.encode({ trades: [TRADE] }).finish();
    const { trades } = await answered((rpc) => rpc.getTrades({}), response);
    const event = await streamed("trades");
    // The stream has one scale for all prices of a batch, an answer one for each.
    expect(event).toMatchObject({ ...trades[0], priceMantissa: 1050, priceScale: 2 });
    expect(trades[0]).toMatchObject({ priceMantissa: 105, priceScale: 1, aggressorSide: "buyer" });
    const ofStream = "type topic venue symbol venueSymbol epoch initial publishedTimeUs".split(" ");
    const ofTrade = Object.keys(event).filter((name) => !ofStream.includes(name));
    expect(Object.keys(trades[0]!)).toEqual(ofTrade);
  });

  test("of a quote", async () => {
    const response = wire.GetSnapshotResponse.encode({ quote: QUOTE }).finish();
    const { quote, book, trade } = await answered((rpc) => rpc.getSnapshot({}), response);
    expect(await streamed("quotes")).toMatchObject({ ...quote });
    expect(quote).toMatchObject({ bidPriceMantissa: 1050, askPriceText: "10.51", priceScale: 2 });
    expect([book, trade]).toEqual([undefined, undefined]);
  });

  test("of candles and tickers, which say nothing where the venue does not", async () => {
    const candle = {
      intervalMs: 60_000,
      open: "1.5",
      high: "2",
      low: "1",
      close: "1",
      volume: "9",
    };
    const candles = wire.GetCandlesResponse.encode({ candles: [candle] }).finish();
    expect((await answered((rpc) => rpc.getCandles({}), candles)).candles[0]).toMatchObject({
      open: 1.5,
      openText: "1.5",
      quoteVolume: undefined,
      quoteVolumeText: undefined,
      tradeCount: undefined,
    });
    const snapshot = wire.GetSnapshotResponse.encode({ ticker: { lastPrice: "3.10" } }).finish();
    const { ticker } = await answered((rpc) => rpc.getSnapshot({}), snapshot);
    expect(ticker).toMatchObject({ lastPrice: 3.1, lastPriceText: "3.10", bidPrice: undefined });
  });

  test("of the state of a channel", async () => {
    const status = {
      channel: wire.Channel.CHANNEL_MARK_PRICE,
      state: wire.TopicState.TOPIC_STATE_STALE,
      reason: "silent",
      sinceTimeUs: 5,
    };
    const statuses = [{ venue: "v", symbol: "A", status }, { venue: "v" }];
    const response = wire.GetStatusResponse.encode({ statuses }).finish();
    expect((await answered((rpc) => rpc.getStatus({}), response)).statuses).toEqual([
      {
        venue: "v",
        symbol: "A",
        channel: "mark-price",
        state: "stale",
        reason: "silent",
        sinceTimeUs: 5,
      },
    ]);
  });
});

test("how a venue does as a whole is in the answer about its state", async () => {
  const venueToReceived = { count: 9, p50Us: 1_200, p99Us: 8_000 };
  const health = [{ venue: "v", gaps: 2, eventsPerMinute: 60, venueToReceived }];
  const response = wire.GetStatusResponse.encode({ health }).finish();
  const given = (await answered((rpc) => rpc.getStatus({ health: true }), response)).health;
  expect(given).toMatchObject(health);
  expect(given[0]?.publishedToGateway).toBeUndefined();
});

describe("an instrument", () => {
  test("has words for what the schema counts, and decimals in both forms", async () => {
    const instrument = {
      venue: "okx",
      symbol: "BTC-USDT-PERP",
      venueSymbol: "BTC-USDT-SWAP",
      kind: wire.InstrumentKind.INSTRUMENT_KIND_PERPETUAL,
      sizeUnit: wire.SizeUnit.SIZE_UNIT_CONTRACT,
      base: "BTC",
      quote: "USDT",
      contractSize: "0.01",
      priceIncrement: "0.1",
      channels: [wire.Channel.CHANNEL_TRADES, wire.Channel.CHANNEL_UNSPECIFIED],
    };
    const response = wire.GetInstrumentResponse.encode({ instrument }).finish();
    const given = (await answered((rpc) => rpc.getInstrument({}), response)).instrument!;
    expect(given).toMatchObject({
      kind: "perpetual",
      sizeUnit: "contract",
      contractSize: 0.01,
      contractSizeText: "0.01",
      priceIncrementText: "0.1",
      sizeIncrement: undefined,
      optionType: undefined,
      strikeText: undefined,
      expiryTimeUs: undefined,
      venueMarket: undefined,
      channels: ["trades"],
    });
    expect(sizeInBase("7", given)).toBe("0.07");
    expect(Object.values(given)).not.toContain("");
  });

  test("is asked for by the same words", async () => {
    const { client, gateway } = await connectFake();
    gateway.onMessage = (_socket, message) => isPresent(message.call);
    const call = client.rpc.listInstruments({ venue: "okx", kind: "option" });
    await settle();
    const request = wire.ListInstrumentsRequest.decode(gateway.socket.sent("call")[0]!.request!);
    expect(request.kind).toBe(wire.InstrumentKind.INSTRUMENT_KIND_OPTION);
    const response = wire.ListInstrumentsResponse.encode({}).finish();
    gateway.socket.deliverMessage({ reply: { callId: 1, response, status: {} } });
    expect(await call).toEqual({ instruments: [], nextPageToken: undefined });
  });
});

test("an answer that holds no decimals rejects as one that cannot be read", async () => {
  const trades = [{ ...TRADE, price: "much" }];
  const response = wire.GetTradesResponse.encode({ trades }).finish();
  await expect(answered((rpc) => rpc.getTrades({}), response)).rejects.toMatchObject({
    name: "RpcError",
    code: "internal",
    method: "tickwire.v1.MarketData/GetTrades",
  });
});
