import { util, Reader, Writer, roots } from "protobufjs/minimal.js";
import { describe, expect, expectTypeOf, test } from "vitest";
import type * as Public from "../src/index.ts";
import * as browserEntry from "../src/index.ts";
import * as nodeEntry from "../src/index.node.ts";

describe("the package", () => {
  test("exports exactly this, for Node and for browsers", () => {
    // Classes are types only, but for errors: nobody else makes a stream, a book or an event.
    const names = [
      "BufferOverflowError",
      "CHANNELS",
      "ConnectionError",
      "RpcError",
      "TickwireError",
      "TopicRefusedError",
      "connect",
      "dateOfUs",
      "formatPrice",
      "formatSize",
      "isoOfUs",
      "retryCalls",
      "sendMetadata",
      "sizeInBase",
      "traceCalls",
      "usOfDate",
      "valueInQuote",
    ].sort();
    expect(Object.keys(browserEntry).sort()).toEqual(names);
    expect(Object.keys(nodeEntry).sort()).toEqual(names);
    expect(browserEntry.RpcError).toBe(nodeEntry.RpcError);
  });

  test("leaves protobufjs as every other user of the process expects it", () => {
    // With its Long, 64-bit integers of other people's messages stay exact.
    expect(util.Long).toBeDefined();
    const bytes = Writer.create()
      .uint64("9007199254740993" as unknown as number)
      .finish();
    const long = Reader.create(bytes).uint64() as unknown as Record<string, number>;
    expect([long["high"], long["low"]]).toEqual([2 ** 21, 1]);
    // The shared root stays empty: this package keeps its messages in one of its own.
    expect(Object.keys(roots).filter((name) => name !== "tickwire")).toEqual([]);
  });
});

describe("types", () => {
  test("streams yield the event of their channel", () => {
    expectTypeOf<Public.Client["trades"]>().returns.toEqualTypeOf<
      Public.EventStream<Public.Trade>
    >();
    expectTypeOf<Public.Client["quotes"]>().returns.toEqualTypeOf<
      Public.EventStream<Public.Quote>
    >();
    expectTypeOf<Public.Client["book"]>().returns.toEqualTypeOf<
      Public.EventStream<Public.LiveBook>
    >();
    expectTypeOf<Public.Client["bookEvents"]>().returns.toEqualTypeOf<
      Public.EventStream<Public.BookEvent>
    >();
    expectTypeOf<Public.Client["onTrades"]>().returns.toEqualTypeOf<Public.Subscription>();
    expectTypeOf<Public.Client["candles"]>()
      .parameter(1)
      .toExtend<{ intervalMs?: number | undefined } | undefined>();
  });

  test("a trade has numbers for charts and exact values for money", () => {
    expectTypeOf<Public.Trade["price"]>().toEqualTypeOf<number>();
    expectTypeOf<Public.Trade["priceText"]>().toEqualTypeOf<string>();
    expectTypeOf<Public.Trade["priceMantissa"]>().toEqualTypeOf<number | bigint>();
    expectTypeOf<Public.Trade["venueTimeUs"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Public.Trade["aggressorSide"]>().toEqualTypeOf<"buyer" | "seller" | "none">();
  });

  test("every decimal is a number and, with Text, exact", () => {
    expectTypeOf<Public.Quote["bidPriceText"]>().toEqualTypeOf<string>();
    expectTypeOf<Public.BookLevel["sizeText"]>().toEqualTypeOf<string>();
    type CandleDecimal = "open" | "high" | "low" | "close" | "volume";
    expectTypeOf<Public.Candle[CandleDecimal]>().toEqualTypeOf<number>();
    expectTypeOf<Public.Candle[`${CandleDecimal}Text`]>().toEqualTypeOf<string>();
    expectTypeOf<Public.Candle["quoteVolumeText"]>().toEqualTypeOf<string | undefined>();
    type Price = "lastPrice" | "openPrice" | "highPrice" | "lowPrice" | "bidPrice" | "askPrice";
    type TickerDecimal = Price | "lastSize" | "volume" | "quoteVolume";
    expectTypeOf<Public.Ticker[TickerDecimal]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Public.Ticker[`${TickerDecimal}Text`]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<Public.Funding["rateText"]>().toEqualTypeOf<string>();
    expectTypeOf<Public.MarkPrice["indexPriceText"]>().toEqualTypeOf<string | undefined>();
    expectTypeOf<Public.OpenInterest["openInterestValueText"]>().toEqualTypeOf<
      string | undefined
    >();
    expectTypeOf<Public.Liquidation["sizeText"]>().toEqualTypeOf<string>();
  });

  test("options, states and notices are closed unions", () => {
    expectTypeOf<Public.ClientState>().toEqualTypeOf<
      "connecting" | "connected" | "reconnecting" | "closed"
    >();
    expectTypeOf<Public.BookState>().toEqualTypeOf<
      "syncing" | "live" | "resyncing" | "disconnected"
    >();
    expectTypeOf<Public.OverflowPolicy>().toEqualTypeOf<"error" | "drop-oldest" | "latest">();
    expectTypeOf<Public.NoticeEvent["type"]>().toEqualTypeOf<
      "continuity" | "gap" | "lag" | "conflation" | "refused"
    >();
    expectTypeOf<Public.GapEvent["missingLast"]>().toEqualTypeOf<number | undefined>();
    expectTypeOf<Public.EventStream<Public.Trade>>().toExtend<AsyncIterable<Public.Trade>>();
    expectTypeOf<Public.Subscription>().toExtend<Disposable>();
    expectTypeOf<Public.Client>().toExtend<AsyncDisposable>();
    // @ts-expect-error Streams have no callback options.
    expectTypeOf<Public.StreamOptions>().toHaveProperty("onError");
  });

  test("events are told apart by their type", () => {
    expectTypeOf<Extract<Public.StreamEvent, { type: "trade" }>>().toEqualTypeOf<Public.Trade>();
    expectTypeOf<Extract<Public.StreamEvent, { type: "gap" }>>().toEqualTypeOf<Public.GapEvent>();
    expectTypeOf<Public.MarketEvent["type"]>().toEqualTypeOf<
      | "trade"
      | "quote"
      | "book"
      | "candle"
      | "ticker"
      | "funding"
      | "mark-price"
      | "open-interest"
      | "liquidation"
      | "status"
      | "listing"
    >();
  });

  test("methods and errors are typed", () => {
    expectTypeOf<Public.Rpc["getSnapshot"]>()
      .parameter(0)
      .toExtend<{ venue?: string | undefined }>();
    expectTypeOf<Public.Rpc["getSnapshot"]>()
      .parameter(1)
      .toEqualTypeOf<Public.CallOptions | undefined>();
    expectTypeOf<Public.RpcError["code"]>().toEqualTypeOf<Public.RpcErrorCode>();
    expectTypeOf<Public.ConnectionError["code"]>().toEqualTypeOf<Public.ConnectionErrorCode>();
    expectTypeOf<Public.TickwireError["code"]>().toEqualTypeOf<Public.ErrorCode>();
  });
});
