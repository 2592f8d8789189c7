import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { mexcFrame } from "#test/support/dialects/mexc/wrapper.ts";
import { mexc } from "./adapter.ts";

function instrument(venueSymbol: string): Instrument {
  const derived = mexc.deriveInstrument(venueSymbol);
  if (derived === undefined) throw new Error(`${venueSymbol} is not an instrument`);
  return derived;
}

const PAIR = instrument("BTCUSDT");

function wanted(channels: readonly Channel[]): FeedSubscription[] {
  return channels.map((channel) => ({ instrument: PAIR, channel }));
}

function eventsOf(frames: readonly (string | Uint8Array)[]): FeedEvent[] {
  const catalog = new InstrumentCatalog({ venue: mexc.venue, instrumentsMax: 10 });
  catalog.add([PAIR, instrument("ETHUSDT")]);
  const decoder = mexc.createDecoder({ catalog, bookDepth: 10 });
  const events: FeedEvent[] = [];
  for (const frame of frames) decoder.decode(frame, 1, (event) => events.push(event));
  return events;
}

/** What was lost of which channel. */
function losses(events: readonly FeedEvent[]): string[] {
  return events.flatMap((event) =>
    event.kind === "rejected"
      ? [`${event.reason} ${event.instrument?.venueSymbol ?? "?"} ${event.channel ?? "?"}`]
      : [],
  );
}

describe("what is asked of MEXC", () => {
  test("each stream is a numbered frame of its own; statistics are not streamed", () => {
    const frames = mexc.subscribeFrames(wanted(mexc.channels), { requestId: 4, bookDepth: 10 });
    expect(frames.map((frame) => JSON.parse(frame) as unknown)).toEqual(
      [
        "spot@public.aggre.deals.v3.api.pb@10ms@BTCUSDT",
        "spot@public.aggre.bookTicker.v3.api.pb@10ms@BTCUSDT",
        "spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDT",
        "spot@public.kline.v3.api.pb@BTCUSDT@Min1",
      ].map((stream, index) => ({ method: "SUBSCRIPTION", params: [stream], id: 4 + index })),
    );
  });

  test.each([
    [1, 1],
    [20, 20],
    [21, 1],
  ])("the statistics of %i pairs cost %i requests", (pairs, requests) => {
    const instruments = Array.from({ length: pairs }, (_, index) => instrument(`A${index}USDT`));
    const asked = mexc.polls?.[0]?.requests(instruments, mexc.endpoints) ?? [];
    expect(asked).toHaveLength(requests);
    const weight = asked.reduce((sum, request) => sum + request.weight, 0);
    expect(weight).toBeLessThanOrEqual(mexc.limits.restWeight.count);
  });
});

describe("the instruments of MEXC", () => {
  test.each([
    ["BTCUSDT", "BTC-USDT"],
    ["USDTBRL", "USDT-BRL"],
    ["ETHBTC", "ETH-BTC"],
    ["USDCUSDT", "USDC-USDT"],
    ["币安人生USDT", "币安人生-USDT"],
  ])("%s is %s", (venueSymbol, symbol) => {
    expect(instrument(venueSymbol)).toMatchObject({ symbol, venueSymbol, kind: "spot" });
  });

  test.each(["USDT", "BTC_USDT-", "", "ABCXYZ"])("%s cannot be told by its name", (venueSymbol) => {
    expect(mexc.deriveInstrument(venueSymbol)).toBeUndefined();
  });

  test("steps are the decimals of the list", () => {
    const entry = { symbol: "BTCUSDT", status: "1", baseAsset: "BTC", quoteAsset: "USDT" };
    const symbols = [{ ...entry, baseAssetPrecision: 8, quotePrecision: 2 }];
    expect(mexc.parseInstruments(JSON.stringify({ symbols }), "")?.instruments).toMatchObject([
      { priceIncrement: "0.01", sizeIncrement: "0.00000001" },
    ]);
  });
});

describe("what MEXC sends", () => {
  const DEALS = "spot@public.aggre.deals.v3.api.pb@10ms@BTCUSDT";
  const DEPTH = "spot@public.aggre.depth.v3.api.pb@10ms@BTCUSDT";
  const deals = mexcFrame({
    channel: DEALS,
    symbol: "BTCUSDT",
    sendTime: 1_767_225_600_000,
    publicAggreDeals: {
      deals: [{ price: "1", quantity: "1", tradeType: 1, time: 1_767_225_600_000 }],
    },
  });

  test("answers may come as bytes, and are answers all the same", () => {
    const answer = new TextEncoder().encode(JSON.stringify({ id: 0, code: 0, msg: DEPTH }));
    expect(eventsOf([answer])).toEqual([
      { kind: "subscribed", venueSymbol: "BTCUSDT", channel: "book" },
    ]);
  });

  test("a quote that says the same again is told after an answer alone", () => {
    const quote = mexcFrame({
      channel: "spot@public.aggre.bookTicker.v3.api.pb@10ms@BTCUSDT",
      symbol: "BTCUSDT",
      publicAggreBookTicker: {
        bidPrice: "87512.41",
        bidQuantity: "1",
        askPrice: "87512.49",
        askQuantity: "2",
      },
    });
    const answer = '{"id":1,"code":0,"msg":"PONG"}';
    const kinds = eventsOf([quote, quote, answer, quote, quote]).map(({ kind }) => kind);
    expect(kinds).toEqual(["quote", "heartbeat", "heartbeat", "quote", "heartbeat"]);
  });

  test("what is left of a damaged frame says whose it was", () => {
    expect(losses(eventsOf([deals.subarray(0, deals.length - 1)]))).toEqual([
      "bad-json BTCUSDT trades",
      "missing-data BTCUSDT trades",
    ]);
  });

  test("a frame of which nothing is left puts the trades of its connection in doubt", () => {
    expect(losses(eventsOf([deals, deals.subarray(0, 3)]))).toEqual([
      "bad-json ? ?",
      "missing-data BTCUSDT trades",
    ]);
  });

  test("every byte of a frame may be wrong, and nothing throws", () => {
    for (let at = 0; at < deals.length; at += 1) {
      for (const byte of [0, 1, 0x0b, 0x7b, 0x7f, 0x80, 0xff]) {
        const damaged = deals.slice();
        damaged[at] = byte;
        expect(() => eventsOf([damaged])).not.toThrow();
      }
    }
  });

  test("fields that are not known are passed over", () => {
    // Field 99 with the text "x", and field 6 of a deal, which the venue gives two meanings.
    const unknown = Uint8Array.from([0x9a, 0x06, 0x01, 0x78]);
    const frame = Uint8Array.from([...deals, ...unknown]);
    expect(eventsOf([frame])).toEqual(eventsOf([deals]));
  });
});

test("the best of a quiet book can be asked for", () => {
  const request = mexc.bookProbe?.request(instrument("BTCUSDT"), mexc.endpoints);
  expect(request?.url).toBe("https://api.mexc.com/api/v3/ticker/bookTicker?symbol=BTCUSDT");
  const body =
    '{"symbol":"BTCUSDT","bidPrice":"87512.41","bidQty":"0.7431","askPrice":"87512.49","askQty":"0.10"}';
  expect(mexc.bookProbe?.levels(body)).toBe("87512.41 0.7431 / 87512.49 0.1");
  expect(mexc.bookProbe?.levels("{}")).toBeUndefined();
});
