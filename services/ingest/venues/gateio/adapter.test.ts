import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedAdapter, FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { PENDING_REQUESTS_MAX } from "../../reading/pending-requests.ts";
import { gateioFutures } from "./futures/adapter.ts";
import { gateio } from "./adapter.ts";

function instrumentOf(adapter: FeedAdapter, venueSymbol: string): Instrument {
  const instrument = adapter.deriveInstrument(venueSymbol);
  if (instrument === undefined) throw new Error(`${venueSymbol} is no instrument`);
  return instrument;
}

function wanted(
  adapter: FeedAdapter,
  venueSymbol: string,
  channels: readonly Channel[],
): FeedSubscription[] {
  const instrument = instrumentOf(adapter, venueSymbol);
  return channels.map((channel) => ({ instrument, channel }));
}

/** What a decoder makes of frames; those that subscribe are ones that we sent. */
function decode(adapter: FeedAdapter, frames: readonly string[]): FeedEvent[] {
  const catalog = new InstrumentCatalog({
    venue: adapter.venue,
    instrumentsMax: 100,
    derive: (venueSymbol) => adapter.deriveInstrument(venueSymbol),
  });
  const decoder = adapter.createDecoder({ catalog, bookDepth: 400 });
  const events: FeedEvent[] = [];
  for (const frame of frames) {
    if (frame.includes('"payload"')) decoder.sent?.(frame);
    else decoder.decode(frame, 1, (event) => events.push(event));
  }
  return events;
}

function rejections(events: readonly FeedEvent[]): string[] {
  return events.flatMap((event) =>
    event.kind === "rejected"
      ? [`${event.reason} ${event.instrument?.venueSymbol ?? "-"} ${event.channel ?? "-"}`]
      : [],
  );
}

describe("subscribing on spot", () => {
  test.each([
    [1, "spot.obu", ["ob.BTC_USDT.50"], "in-band"],
    [50, "spot.obu", ["ob.BTC_USDT.50"], "in-band"],
    [51, "spot.obu", ["ob.BTC_USDT.400"], "in-band"],
    [400, "spot.obu", ["ob.BTC_USDT.400"], "in-band"],
    [1000, "spot.obu", ["ob.BTC_USDT.400"], "in-band"],
    [1001, "spot.order_book_update", ["BTC_USDT", "100ms"], "rest"],
  ])("a book of %i levels is %s %j and begins %s", (bookDepth, channel, payload, snapshot) => {
    const book = wanted(gateio, "BTC_USDT", ["book"]);
    const options = { requestId: 5, bookDepth };
    const instrument = instrumentOf(gateio, "BTC_USDT");
    expect(gateio.bookSyncOf?.(instrument, { bookDepth }).snapshot).toBe(snapshot);
    for (const event of ["subscribe", "unsubscribe"] as const) {
      const frames = gateio[`${event}Frames`](book, options);
      const request = { time: 5, id: 5, channel, event, payload };
      expect(frames.map((frame) => JSON.parse(frame))).toEqual([request]);
    }
  });

  test("is a request a channel, numbered on from the last", () => {
    const frames = gateio.subscribeFrames(
      [...wanted(gateio, "BTC_USDT", ["trades", "candles"]), ...wanted(gateio, "A_B", ["ticker"])],
      { requestId: 9, bookDepth: 50 },
    );
    expect(frames.map((frame) => JSON.parse(frame))).toMatchObject([
      { id: 9, channel: "spot.trades", payload: ["BTC_USDT"] },
      { id: 10, channel: "spot.candlesticks", payload: ["1m", "BTC_USDT"] },
      { id: 11, channel: "spot.tickers", payload: ["A_B"] },
    ]);
  });
});

describe("subscribing to contracts", () => {
  test("ticker, mark price and funding are one channel", () => {
    const frames = gateioFutures.subscribeFrames(
      wanted(gateioFutures, "BTC_USDT", ["ticker", "mark-price", "funding", "open-interest"]),
      { requestId: 1, bookDepth: 1000 },
    );
    expect(frames.map((frame) => JSON.parse(frame))).toMatchObject([
      { channel: "futures.tickers", payload: ["BTC_USDT"] },
      { channel: "futures.contract_stats", payload: ["BTC_USDT", "1m"] },
    ]);
  });

  test("each settle asset has a connection of its own", () => {
    const names = ["BTC_USDT", "BTC_USD", "ETH_USDT", "BTC_USD1"];
    const subscriptions = names.flatMap((name) => wanted(gateioFutures, name, ["trades"]));
    const plans = gateioFutures.planConnections(subscriptions, gateioFutures.endpoints);
    const planned = plans.map(({ url, subscriptions: each }) => [
      url,
      ...each.map(({ instrument }) => instrument.symbol),
    ]);
    expect(planned).toEqual([
      ["wss://fx-ws.gateio.ws/v4/ws/usdt", "BTC-USDT-PERP", "ETH-USDT-PERP"],
      ["wss://fx-ws.gateio.ws/v4/ws/btc", "BTC-USD-PERP"],
      ["wss://fx-ws.gateio.ws/v4/ws/usd1", "BTC-USD1-PERP"],
    ]);
  });

  test("recent trades are asked for under the settle asset's address", () => {
    const endpoints = gateioFutures.endpoints;
    const request = gateioFutures.tradesRequest?.(instrumentOf(gateioFutures, "BTC_USD"), {
      afterTradeId: "1",
      endpoints,
    });
    expect(request?.url).toBe(
      "https://api.gateio.ws/api/v4/futures/btc/trades?contract=BTC_USD&limit=1000",
    );
  });

  test.each(["ETH_USD", "BTC_EUR", "BTC", "_USDT", "A_B_USDT"])("%s is not guessed at", (name) => {
    expect(gateioFutures.deriveInstrument(name)).toBeUndefined();
  });
});

test("the venue's clock is read out of its answer", () => {
  expect(gateio.parseServerTimeUs?.('{"server_time": 1760000000123}')).toBe(1_760_000_000_123_000);
  expect(gateio.parseServerTimeUs?.('{"server_time":"soon"}')).toBeUndefined();
});

describe("damage", () => {
  const subscribe = (pair: string): string =>
    `{"time":1,"id":1,"channel":"spot.obu","event":"subscribe","payload":["ob.${pair}.400"]}`;
  const whole = (pair: string): string =>
    `{"channel":"spot.obu","event":"update","result":{"t":1760000000123,"full":true,` +
    `"s":"ob.${pair}.400","u":7,"b":[],"a":[]}}`;

  test("costs exactly the book that it names", () => {
    const cut = whole("ETH_USDT").slice(0, -5);
    expect(rejections(decode(gateio, [whole("BTC_USDT"), cut]))).toEqual([
      "bad-json ETH_USDT book",
    ]);
  });

  test("that names nothing may have been the beginning of any book that waits for one", () => {
    const cut = whole("ETH_USDT").slice(0, 60);
    const frames = [subscribe("BTC_USDT"), subscribe("ETH_USDT"), whole("BTC_USDT"), cut];
    expect(rejections(decode(gateio, frames))).toEqual([
      "bad-json - -",
      "missing-data ETH_USDT book",
    ]);
  });

  test("of another channel costs no book", () => {
    const cut = '{"channel":"spot.tickers","event":"upd';
    expect(rejections(decode(gateio, [subscribe("BTC_USDT"), cut]))).toEqual(["bad-json - -"]);
  });

  test("of trades costs those that it names, or all of them", () => {
    const trade = (pair: string): string =>
      `{"channel":"spot.trades","event":"update","result":{"id":1,"create_time":1760000000,` +
      `"side":"buy","currency_pair":"${pair}","amount":"1","price":"1"}}`;
    const both = [trade("A_USDT"), trade("B_USDT")];
    expect(rejections(decode(gateio, [...both, trade("B_USDT").slice(0, -5)]))).toEqual([
      "bad-json B_USDT trades",
      "missing-data B_USDT trades",
    ]);
    expect(rejections(decode(gateio, [...both, trade("B_USDT").slice(0, 60)]))).toEqual([
      "bad-json - -",
      "missing-data A_USDT trades",
      "missing-data B_USDT trades",
    ]);
  });
});

test("of requests that wait for an answer a bounded number is kept", () => {
  const confirmedAfter = (others: number): (string | undefined)[] => {
    const requests = ["A_USDT", ...Array.from({ length: others }, (_, index) => `B${index}_USDT`)];
    const sent = requests.map(
      (pair, index) =>
        `{"id":${index + 1},"channel":"spot.trades","event":"subscribe","payload":["${pair}"]}`,
    );
    const answer = '{"id":1,"channel":"spot.trades","event":"subscribe","result":{}}';
    return decode(gateio, [...sent, answer]).map((event) =>
      event.kind === "subscribed" ? event.venueSymbol : undefined,
    );
  };
  expect(confirmedAfter(PENDING_REQUESTS_MAX - 1)).toEqual(["A_USDT"]);
  expect(confirmedAfter(PENDING_REQUESTS_MAX)).toEqual([undefined]);
});
