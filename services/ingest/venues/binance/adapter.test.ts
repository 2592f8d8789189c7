import { describe, expect, test } from "vitest";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel } from "#core/instrument.ts";
import type { FeedAdapter, FeedEvent, RawBook } from "../../feed/feed-adapter.ts";
import { PENDING_REQUESTS_MAX } from "../../reading/pending-requests.ts";
import { binanceCoinm } from "./coinm/adapter.ts";
import { binanceUsdm } from "./usdm/adapter.ts";
import { binance } from "./adapter.ts";

function decoderOf(adapter: FeedAdapter): (frame: object | string) => FeedEvent[] {
  const catalog = catalogOf(adapter);
  const decoder = adapter.createDecoder({ catalog, bookDepth: 1000 });
  return (frame) => {
    const events: FeedEvent[] = [];
    const text = typeof frame === "string" ? frame : JSON.stringify(frame);
    decoder.decode(text, 1, (event) => events.push(event));
    return events;
  };
}

function catalogOf(adapter: FeedAdapter): InstrumentCatalog {
  return new InstrumentCatalog({
    venue: adapter.venue,
    instrumentsMax: 10_000,
    derive: (venueSymbol) => adapter.deriveInstrument(venueSymbol),
  });
}

/** A delta by its identifiers alone, decoded from a frame. */
function delta(adapter: FeedAdapter, ids: { U: number; u: number; pu?: number }): RawBook {
  const frame = { e: "depthUpdate", E: 1_760_000_000_000, s: "BTCUSDT", b: [], a: [], ...ids };
  const [event] = decoderOf(adapter)(frame);
  if (event?.kind !== "raw-book") throw new Error("not a book");
  return event;
}

describe("the order of spot updates", () => {
  const sequencing = binance.bookSync.sequencing;

  test.each([
    { U: 90, u: 99, covered: true, bridges: false },
    { U: 90, u: 100, covered: true, bridges: false },
    { U: 90, u: 101, covered: false, bridges: true },
    { U: 101, u: 101, covered: false, bridges: true },
    { U: 101, u: 110, covered: false, bridges: true },
    { U: 102, u: 110, covered: false, bridges: false },
  ])("behind a snapshot at 100: $U to $u", ({ U, u, covered, bridges }) => {
    const update = delta(binance, { U, u });
    expect(sequencing?.isCovered(update, 100)).toBe(covered);
    expect(sequencing?.bridges(update, 100)).toBe(bridges);
  });

  test.each([
    [100, false],
    [101, true],
    [102, false],
  ])("after 100 comes 101: %i", (U, follows) => {
    expect(sequencing?.follows(delta(binance, { U, u: 110 }), 100)).toBe(follows);
  });
});

describe("the order of futures updates", () => {
  const sequencing = binanceUsdm.bookSync.sequencing;

  test.each([
    { U: 90, u: 99, pu: 89, covered: true, bridges: false },
    { U: 90, u: 100, pu: 89, covered: false, bridges: true },
    { U: 100, u: 110, pu: 99, covered: false, bridges: true },
    { U: 104, u: 110, pu: 100, covered: false, bridges: true },
    { U: 104, u: 110, pu: 101, covered: false, bridges: false },
  ])("behind a snapshot at 100: $U to $u after $pu", ({ U, u, pu, covered, bridges }) => {
    const update = delta(binanceUsdm, { U, u, pu });
    expect(sequencing?.isCovered(update, 100)).toBe(covered);
    expect(sequencing?.bridges(update, 100)).toBe(bridges);
  });

  test.each([
    [99, false],
    [100, true],
    [101, false],
  ])("the update after 100 says so: pu %i", (pu, follows) => {
    const update = delta(binanceUsdm, { U: 105, u: 110, pu });
    expect(sequencing?.follows(update, 100)).toBe(follows);
  });
});

describe("connections", () => {
  const subscriptions = (adapter: FeedAdapter, channels: readonly Channel[], count: number) =>
    Array.from({ length: count }, (_, index) => adapter.deriveInstrument(`A${index}USDT`))
      .filter((instrument) => instrument !== undefined)
      .flatMap((instrument) => channels.map((channel) => ({ instrument, channel })));

  test("futures streams of the order book and the others go to two addresses", () => {
    const wanted = subscriptions(binanceUsdm, binanceUsdm.channels, 1);
    const plans = binanceUsdm.planConnections(wanted, {
      webSocket: "ws://127.0.0.1:9/",
      rest: "http://127.0.0.1:9",
    });
    const channelsByUrl = plans.map((plan) => [
      plan.url,
      plan.subscriptions.map((subscription) => subscription.channel),
    ]);
    expect(channelsByUrl).toEqual([
      ["ws://127.0.0.1:9/public/stream", ["trades", "quotes", "book"]],
      [
        "ws://127.0.0.1:9/market/stream",
        ["ticker", "candles", "mark-price", "funding", "liquidations"],
      ],
    ]);
  });

  test("channels that share a stream are never torn apart", () => {
    const channels: readonly Channel[] = ["candles", "mark-price", "funding"];
    const wanted = subscriptions(binanceUsdm, channels, 1000);
    const plans = binanceUsdm.planConnections(wanted, binanceUsdm.endpoints);
    expect(plans.length).toBe(3);
    const homes = new Map<string, number>();
    for (const [index, plan] of plans.entries()) {
      for (const { instrument } of plan.subscriptions) {
        expect(homes.get(instrument.symbol) ?? index).toBe(index);
        homes.set(instrument.symbol, index);
      }
    }
  });

  test("a dated future has no funding to subscribe to", () => {
    const instrument = binanceUsdm.deriveInstrument("BTCUSDT_261225");
    if (instrument === undefined) throw new Error("the future is not derived");
    const wanted = binanceUsdm.channels.map((channel) => ({ instrument, channel }));
    const plans = binanceUsdm.planConnections(wanted, binanceUsdm.endpoints);
    const planned = plans.flatMap((plan) => plan.subscriptions.map(({ channel }) => channel));
    const streamed = binanceUsdm.channels.filter((channel) => channel !== "open-interest");
    expect(planned).toEqual(streamed.filter((channel) => channel !== "funding"));
  });

  test("one stream is asked for once, though two channels come by it", () => {
    const wanted = subscriptions(binanceUsdm, ["mark-price", "funding"], 1);
    const frames = binanceUsdm.subscribeFrames(wanted, { requestId: 12, bookDepth: 10 });
    expect(frames).toEqual(['{"method":"SUBSCRIBE","params":["a0usdt@markPrice@1s"],"id":12}']);
  });

  test.each([
    [99, 1],
    [100, 1],
    [101, 2],
  ])("%i streams take %i requests, numbered on", (streams, requests) => {
    const wanted = subscriptions(binance, ["trades"], streams);
    const frames = binance.unsubscribeFrames(wanted, { requestId: 5, bookDepth: 10 });
    const parsed = frames.map((frame) => JSON.parse(frame) as { id: number; params: string[] });
    expect(parsed.map(({ id }) => id)).toEqual([5, 6].slice(0, requests));
    expect(parsed.flatMap(({ params }) => params)).toHaveLength(streams);
  });

  test("snapshots have 1000 levels, and their weight is the venue's", () => {
    const instrument = binance.deriveInstrument("BTCUSDT");
    if (instrument === undefined) throw new Error("BTCUSDT is not derived");
    expect(binance.snapshotRequest?.(instrument, binance.endpoints)).toEqual({
      url: "https://api.binance.com/api/v3/depth?symbol=BTCUSDT&limit=1000",
      weight: 50,
    });
    expect(binanceUsdm.snapshotRequest?.(instrument, binanceUsdm.endpoints)).toEqual({
      url: "https://fapi.binance.com/fapi/v1/depth?symbol=BTCUSDT&limit=1000",
      weight: 20,
    });
  });
});

describe("symbols without a list", () => {
  test.each([
    ["NKNUSDT", "NKN-USDT"],
    ["BLZETH", "BLZ-ETH"],
    ["LRCBTC", "LRC-BTC"],
    ["RUNEEUR", "RUNE-EUR"],
    ["BTCFDUSD", "BTC-FDUSD"],
    ["1INCHUSDT", "1INCH-USDT"],
    ["USDT", undefined],
    ["btcusdt", undefined],
    ["BTC-USDT", undefined],
    ["BTCUSDT_240628", undefined],
    ["", undefined],
  ])("%s is %s on spot", (venueSymbol, symbol) => {
    expect(binance.deriveInstrument(venueSymbol)?.symbol).toBe(symbol);
  });

  test.each([
    ["BTCUSDT", "BTC-USDT-PERP", undefined],
    ["BTCUSDT_240628", "BTC-USDT-20240628", 1_719_561_600_000_000],
    ["ETHBTC", "ETH-BTC-PERP", undefined],
    ["BTCUSDT_240231", undefined, undefined],
    ["BTCUSDT_24062", undefined, undefined],
    ["BLZETH", undefined, undefined],
  ])("%s is %s on futures", (venueSymbol, symbol, expiryTimeUs) => {
    const instrument = binanceUsdm.deriveInstrument(venueSymbol);
    expect(instrument?.symbol).toBe(symbol);
    expect(instrument?.expiryTimeUs).toBe(expiryTimeUs);
    expect(instrument?.inverse ?? false).toBe(false);
  });
});

describe("times", () => {
  const timeOf = (T: number): number | string | undefined => {
    const trade = { e: "trade", s: "BTCUSDT", t: 1, p: "1", q: "1", m: true, T };
    const [event] = decoderOf(binance)(trade);
    return event?.kind === "trade" ? event.venueTimeUs : "no trade";
  };

  test.each([
    [1_760_000_000_123, 1_760_000_000_123_000],
    [1_760_000_000_123_456, 1_760_000_000_123_456],
    [100_000_000_000_000_000, 100_000_000_000_000],
    [0, undefined],
    [-1, Number.NaN],
    [1.5, Number.NaN],
  ])("%i is understood by its magnitude", (given, expected) => {
    expect(timeOf(given)).toBe(expected);
  });
});

test.each([PENDING_REQUESTS_MAX - 1, PENDING_REQUESTS_MAX, PENDING_REQUESTS_MAX + 1])(
  "answers are understood for so many requests at once: %i",
  (requests) => {
    const decoder = binance.createDecoder({ catalog: catalogOf(binance), bookDepth: 10 });
    for (let id = 1; id <= requests; id += 1) {
      decoder.sent?.(JSON.stringify({ method: "SUBSCRIBE", params: ["btcusdt@trade"], id }));
    }
    const first: FeedEvent[] = [];
    decoder.decode('{"result":null,"id":1}', 1, (event) => first.push(event));
    const forgotten = requests > PENDING_REQUESTS_MAX;
    expect(first.map((event) => event.kind)).toEqual([forgotten ? "heartbeat" : "subscribed"]);
    const last: FeedEvent[] = [];
    decoder.decode(`{"result":null,"id":${requests}}`, 1, (event) => last.push(event));
    expect(last.map((event) => event.kind)).toEqual(["subscribed"]);
  },
);

test("a rejected update says which book has suffered", () => {
  const [event] = decoderOf(binance)({
    e: "depthUpdate",
    E: 1_760_000_000_000,
    s: "BTCUSDT",
    U: 1,
    u: 2,
    b: [["x", "1"]],
    a: [],
  });
  expect(event).toMatchObject({
    kind: "rejected",
    reason: "bad-decimal",
    channel: "book",
    instrument: { symbol: "BTC-USDT" },
  });
});

describe("the states of contracts", () => {
  const options = { requestId: 7, bookDepth: 1000 };
  const request = JSON.stringify({ method: "SUBSCRIBE", params: ["!contractInfo"], id: 7 });

  test.each([
    [binanceUsdm, "wss://fstream.binance.com/market/stream", [request]],
    [binanceUsdm, "wss://fstream.binance.com/public/stream", []],
    [binanceCoinm, "wss://dstream.binance.com/stream", [request]],
    [binance, "wss://stream.binance.com:9443/stream", []],
  ])("of $venue at %s", (adapter, url, frames) => {
    expect(adapter.marketFrames?.(url, options)).toEqual(frames);
  });

  test.each([
    [binanceUsdm, 1024],
    [binanceCoinm, 200],
  ])("leave room for themselves on a full connection of $venue", ({ limits }, streamsMax) => {
    expect(limits.subscriptionsPerConnectionMax + 1).toBe(streamsMax);
  });

  test("are none of spot, whatever it says", () => {
    const decode = decoderOf(binance);
    const contract = { e: "contractInfo", E: 1, s: "BTCUSDT", cs: "CLOSE" };
    expect(decode(contract)).toEqual([{ kind: "heartbeat" }]);
  });
});
