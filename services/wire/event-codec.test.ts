import { tickwire } from "@tickwire/proto/protobufjs";
import { readBatch, readBatchHeader, rowsOf } from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import type { Instrument } from "#core/instrument.ts";
import { CHANNELS } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import { encodeEvents, encodePosition } from "./event-codec.ts";

const instrument: Instrument = {
  venue: "binance-usdm",
  symbol: "BTC-USDT-PERP",
  venueSymbol: "BTCUSDT",
  kind: "perpetual",
  base: "BTC",
  quote: "USDT",
  settle: "USDT",
  inverse: false,
};

const header = { epoch: 1_767_225_600_000_000, firstSequence: 41, publishedTimeUs: 3 };

const base = {
  instrument,
  venueTimeUs: 1_767_225_600_000_001,
  receivedTimeUs: 1_767_225_600_000_002,
};

const scales = { priceScale: 2, sizeScale: 3 };

const EVENTS: { readonly [Kind in MarketEvent["kind"]]: Extract<MarketEvent, { kind: Kind }> } = {
  trade: {
    ...base,
    ...scales,
    kind: "trade",
    priceMantissa: 4_200_050,
    sizeMantissa: 2n ** 60n,
    aggressorSide: "seller",
    tradeId: "b7f1",
    historical: true,
  },
  quote: {
    ...base,
    ...scales,
    kind: "quote",
    bidPriceMantissa: 1,
    bidSizeMantissa: 2,
    askPriceMantissa: 3,
    askSizeMantissa: 4,
  },
  book: {
    ...base,
    ...scales,
    kind: "book",
    snapshot: false,
    bids: { prices: [5, 4], sizes: [0, 1] },
    asks: { prices: [], sizes: [] },
  },
  candle: {
    ...base,
    kind: "candle",
    intervalMs: 60_000,
    openTimeUs: 1_767_225_600_000_000,
    open: "1",
    high: "2.5",
    low: "0.5",
    close: "2",
    volume: "0",
    quoteVolume: "0.000000000000000000000000001",
    tradeCount: 7,
    closed: true,
  },
  ticker: {
    ...base,
    kind: "ticker",
    lastPrice: "1",
    lastSize: "2",
    openPrice: "3",
    highPrice: "4",
    lowPrice: "5",
    volume: "6",
    quoteVolume: "7",
    bidPrice: "8",
    askPrice: "9",
  },
  funding: {
    ...base,
    kind: "funding",
    rate: "-0.0001",
    nextFundingTimeUs: 1_767_225_600_000_000,
    intervalMs: 28_800_000,
  },
  "mark-price": { ...base, kind: "mark-price", markPrice: "42000.1", indexPrice: "42000.2" },
  "open-interest": {
    ...base,
    kind: "open-interest",
    openInterest: "12",
    openInterestValue: "34.5",
  },
  liquidation: {
    ...base,
    kind: "liquidation",
    price: "1",
    size: "2",
    aggressorSide: "buyer",
    liquidationId: "x",
  },
  status: {
    ...base,
    kind: "status",
    venueTimeUs: undefined,
    channel: "open-interest",
    state: "resyncing",
    reason: "sequence-gap",
    sinceTimeUs: 9,
  },
};

const KINDS = Object.keys(EVENTS) as MarketEvent["kind"][];

describe("encodeEvents", () => {
  test.each(KINDS)("carries everything that a %s says", (kind) => {
    const { kind: _, instrument: __, ...row } = EVENTS[kind];
    const bytes = encodeEvents(header, [EVENTS[kind], EVENTS[kind]]);
    expect(rowsOf(readBatch(bytes)).rows).toEqual([row, row]);
    expect(readBatchHeader(bytes)).toMatchObject({ ...header, count: 2, snapshot: false });
  });

  test("what the venue does not say stays unsaid", () => {
    const silent: MarketEvent[] = [
      { ...EVENTS.candle, quoteVolume: undefined, tradeCount: undefined },
      { ...EVENTS.ticker, lastPrice: undefined, askPrice: undefined, volume: undefined },
      { ...EVENTS.funding, nextFundingTimeUs: undefined, intervalMs: undefined },
      { ...EVENTS["mark-price"], indexPrice: undefined },
      { ...EVENTS["open-interest"], openInterestValue: undefined },
      { ...EVENTS.liquidation, liquidationId: undefined },
    ];
    for (const event of silent) {
      const { kind: _, instrument: __, ...row } = { ...event, venueTimeUs: undefined };
      const bytes = encodeEvents(header, [{ ...event, venueTimeUs: undefined }]);
      expect(rowsOf(readBatch(bytes)).rows).toEqual([row]);
    }
  });

  test("is what protobufjs reads as the payload of the event's channel", () => {
    const decoded = tickwire.v1.Batch.decode(encodeEvents(header, [EVENTS.candle]));
    const [candle] = decoded.candles?.candles ?? [];
    expect(candle).toMatchObject({ high: "2.5", volume: "0", closed: true });
    expect(String(candle?.intervalMs)).toBe("60000");
    const statuses = tickwire.v1.Batch.decode(encodeEvents(header, [EVENTS.status]));
    const [status] = statuses.statuses?.statuses ?? [];
    expect(status?.channel).toBe(tickwire.v1.Channel.CHANNEL_OPEN_INTEREST);
    expect(status?.state).toBe(tickwire.v1.TopicState.TOPIC_STATE_RESYNCING);
  });

  test("carries a snapshot's mark and what a batch continues", () => {
    const bytes = encodeEvents({ ...header, snapshot: true, previousSequence: 12 }, [EVENTS.quote]);
    expect(readBatchHeader(bytes)).toMatchObject({ snapshot: true, previousSequence: 12 });
  });

  test("refuses events of two kinds, and none", () => {
    expect(() => encodeEvents(header, [EVENTS.trade, EVENTS.quote])).toThrow(RangeError);
    expect(() => encodeEvents(header, [])).toThrow(RangeError);
  });
});

describe("encodePosition", () => {
  test.each(CHANNELS)("says where %s stands without an event", (channel) => {
    const bytes = encodePosition({ ...header, snapshot: true }, channel);
    const batch = readBatch(bytes);
    expect(batch).toMatchObject({ ...header, count: 0, snapshot: true });
    const kind = KINDS.find((candidate) => CHANNEL_OF_KIND[candidate] === channel) ?? "trade";
    expect(batch.kind).toBe(readBatchHeader(encodeEvents(header, [EVENTS[kind]])).kind);
  });
});
