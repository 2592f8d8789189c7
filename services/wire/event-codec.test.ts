import { tickwire } from "@tickwire/proto/protobufjs";
import { BatchWriter, readBusEvents, rowsOf } from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import type { Instrument } from "#core/instrument.ts";
import { CHANNELS } from "#core/instrument.ts";
import type { MarketEvent } from "#core/market-event.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import { batchKindOf, encodeState, rowsOfEvents } from "./event-codec.ts";

const { BusBatch } = tickwire.bus.v1;

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

const EPOCH = 1_767_225_600_000_000;

/** The events after event 40 of their topic. */
function busBatchOf(events: readonly MarketEvent[]) {
  const rows = rowsOfEvents(events);
  const writer = new BatchWriter({ kind: rows.kind, epoch: EPOCH, sequence: 40 });
  const [batch, ...rest] = writer.write(rows, { publishedTimeUs: 3 });
  expect(rest).toEqual([]);
  return batch!;
}

function written(events: readonly MarketEvent[]) {
  return readBusEvents(busBatchOf(events));
}

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
    instrumentState: "auction",
    stateWord: "auction_mode",
  },
  listing: {
    ...base,
    kind: "listing",
    venueTimeUs: undefined,
    change: "changed",
    symbol: "BTC-USDT",
    venueSymbol: "BTCUSDT",
    instrumentKind: "spot",
    baseAsset: "BTC",
    quoteAsset: "USDT",
    instrumentState: "cancel-only",
    stateWord: "CANCEL_ONLY",
    reason: "state",
  },
};

const KINDS = Object.keys(EVENTS) as MarketEvent["kind"][];

describe("events as rows", () => {
  test.each(KINDS)("carry everything that a %s says", (kind) => {
    const { kind: _, instrument: __, ...row } = EVENTS[kind];
    const decoded = written([EVENTS[kind], EVENTS[kind]]);
    expect(rowsOf(decoded).rows).toEqual([row, row]);
    expect(decoded).toMatchObject({ epoch: EPOCH, firstSequence: 41, count: 2, snapshot: false });
  });

  test("what the venue does not say stays unsaid", () => {
    const silent: MarketEvent[] = [
      { ...EVENTS.candle, quoteVolume: undefined, tradeCount: undefined },
      { ...EVENTS.ticker, lastPrice: undefined, askPrice: undefined, volume: undefined },
      { ...EVENTS.funding, nextFundingTimeUs: undefined, intervalMs: undefined },
      { ...EVENTS["mark-price"], indexPrice: undefined },
      { ...EVENTS["open-interest"], openInterestValue: undefined },
      { ...EVENTS.liquidation, liquidationId: undefined },
      { ...EVENTS.status, instrumentState: undefined, stateWord: undefined },
      { ...EVENTS.listing, instrumentState: undefined, stateWord: undefined },
    ];
    for (const event of silent) {
      const { kind: _, instrument: __, ...row } = { ...event, venueTimeUs: undefined };
      expect(rowsOf(written([{ ...event, venueTimeUs: undefined }])).rows).toEqual([row]);
    }
  });

  test.each(KINDS)("of a %s are what the schema's channel of it means", (kind) => {
    const { base } = BusBatch.decode(busBatchOf([EVENTS[kind]]).bytes);
    const name = CHANNEL_OF_KIND[kind].toUpperCase().replaceAll("-", "_");
    expect(tickwire.v1.Channel[base?.channel ?? 0]).toBe(`CHANNEL_${name}`);
    expect(batchKindOf(CHANNEL_OF_KIND[kind])).toBe(rowsOfEvents([EVENTS[kind]]).kind);
  });

  test("are not of two kinds, and not none", () => {
    expect(() => rowsOfEvents([EVENTS.trade, EVENTS.quote])).toThrow(RangeError);
    expect(() => rowsOfEvents([])).toThrow(RangeError);
  });
});

describe("a state", () => {
  test("has all its events at the sequence of the topic", () => {
    const position = { channel: "quotes", epoch: EPOCH, sequence: 41 } as const;
    const [batch, ...rest] = encodeState(position, [EVENTS.quote], 3);
    expect(rest).toEqual([]);
    expect(batch).toMatchObject({ baseSequence: 41, count: 1, snapshot: true, epoch: EPOCH });
  });

  test.each(CHANNELS)("of %s without events says where the topic stands", (channel) => {
    const [batch, ...rest] = encodeState({ channel, epoch: EPOCH, sequence: 41 }, [], 3);
    expect(rest).toEqual([]);
    expect(batch).toMatchObject({ baseSequence: 41, count: 0, publishedTimeUs: 3 });
    expect(readBusEvents(batch!).kind).toBe(batchKindOf(channel));
  });
});
