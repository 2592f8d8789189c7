import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { bitstamp } from "./adapter.ts";

const OPTIONS = { requestId: 1, bookDepth: 1000 };

function instrumentOf(venueSymbol: string): Instrument {
  const instrument = bitstamp.deriveInstrument(venueSymbol);
  if (instrument === undefined) throw new Error(`${venueSymbol} is no instrument`);
  return instrument;
}

function wanted(venueSymbol: string, channels: readonly Channel[]): FeedSubscription[] {
  return channels.map((channel) => ({ instrument: instrumentOf(venueSymbol), channel }));
}

function createDecoder() {
  const catalog = new InstrumentCatalog({
    venue: "bitstamp",
    instrumentsMax: 100,
    derive: (venueSymbol) => bitstamp.deriveInstrument(venueSymbol),
  });
  return bitstamp.createDecoder({ catalog, bookDepth: 1000 });
}

const diff = (market: string, microtimestamp: string): string =>
  `{"data":{"timestamp":"1760000000","microtimestamp":"${microtimestamp}","bids":[],"asks":[]},` +
  `"channel":"diff_order_book_${market}","event":"data"}`;

/** What was rejected, and what of which market it costs. */
function rejections(frames: readonly string[]): string[] {
  const decoder = createDecoder();
  const events: FeedEvent[] = [];
  for (const frame of frames) {
    if (frame.includes("bts:subscribe")) decoder.sent?.(frame);
    else decoder.decode(frame, 1, (event) => events.push(event));
  }
  return events.flatMap((event) =>
    event.kind === "rejected"
      ? [`${event.reason} ${event.instrument?.venueSymbol ?? "-"} ${event.channel ?? "-"}`]
      : [],
  );
}

describe("subscribing", () => {
  test("is one frame a channel; funding and mark price are one channel", () => {
    const frames = bitstamp.subscribeFrames(
      wanted("btcusd-perp", ["book", "trades", "funding", "mark-price", "ticker"]),
      OPTIONS,
    );
    expect(frames).toEqual([
      '{"event":"bts:subscribe","data":{"channel":"diff_order_book_btcusd-perp"}}',
      '{"event":"bts:subscribe","data":{"channel":"live_trades_btcusd-perp"}}',
      '{"event":"bts:subscribe","data":{"channel":"funding_rate_btcusd-perp"}}',
    ]);
  });

  test("asks for no funding of a spot market, and for nothing on the connection that is polled", () => {
    const subscriptions = wanted("btcusd", bitstamp.channels);
    const [plan] = bitstamp.planConnections(subscriptions, bitstamp.endpoints);
    expect(plan?.subscriptions.map((each) => each.channel)).toEqual(["trades", "book"]);
  });

  test("tickers of all markets are one request, open interest is asked for by perpetual", () => {
    const instruments = [instrumentOf("btcusd"), instrumentOf("btcusd-perp")];
    const urls = (bitstamp.polls ?? []).map((poll) =>
      poll.requests(instruments, bitstamp.endpoints).map((request) => request.url),
    );
    expect(urls).toEqual([
      ["https://www.bitstamp.net/api/v2/ticker/"],
      [
        "https://www.bitstamp.net/api/v2/ohlc/btcusd/?step=60&limit=2",
        "https://www.bitstamp.net/api/v2/ohlc/btcusd-perp/?step=60&limit=2",
      ],
      ["https://www.bitstamp.net/api/v2/ticker/btcusd-perp/"],
    ]);
  });
});

describe("names", () => {
  test.each([
    ["btcusd", "BTC-USD"],
    ["usdteur", "USDT-EUR"],
    ["usdcusdt", "USDC-USDT"],
    ["gusdusd", "GUSD-USD"],
    ["ethusd-perp", "ETH-USD-PERP"],
  ])("%s is %s", (venueSymbol, symbol) => {
    expect(bitstamp.deriveInstrument(venueSymbol)?.symbol).toBe(symbol);
  });

  test.each(["xrprlusd", "usd", "btcxyz", "BTCUSD", "", "-perp", "usd-perp"])(
    "%j is not guessed at",
    (venueSymbol) => {
      expect(bitstamp.deriveInstrument(venueSymbol)).toBeUndefined();
    },
  );
});

describe("damage", () => {
  const books = [diff("btcusd", "1760000000000001"), diff("etheur", "1760000000000001")];

  test("costs exactly the book that it still names", () => {
    const cut = diff("etheur", "1760000000000002").slice(0, -3);
    expect(rejections([...books, cut])).toEqual(["bad-json etheur book"]);
  });

  test("of a trade that still names its market is a hole in its trades", () => {
    const cut = '{"data":{"id":7},"channel":"live_trades_etheur","even';
    expect(rejections([...books, cut])).toEqual([
      "bad-json etheur trades",
      "missing-data etheur trades",
    ]);
  });

  test("that names nothing makes every book of the connection suspect", () => {
    const cut = diff("etheur", "1760000000000002").slice(0, 60);
    expect(rejections([...books, cut])).toEqual([
      "bad-json - -",
      "missing-data btcusd book",
      "missing-data etheur book",
    ]);
  });

  const listening =
    '{"event":"bts:subscription_succeeded","channel":"live_trades_btcusd","data":{}}';

  test("of a trade costs no book, of a book no trade", () => {
    const trade = '{"data":{"id":7,"timestamp":"1760000000","amount":0.5';
    const [book = ""] = books;
    expect(rejections([book, listening, trade])).toEqual([
      "bad-json - -",
      "missing-data btcusd trades",
    ]);
    expect(rejections([book, listening, book.slice(0, -50)])).toEqual([
      "bad-json - -",
      "missing-data btcusd book",
    ]);
  });

  test("that leaves nothing to go by may have been either", () => {
    const [book = ""] = books;
    expect(rejections([book, listening, '{"data":{"times'])).toEqual([
      "bad-json - -",
      "missing-data btcusd book",
      "missing-data btcusd trades",
    ]);
    expect(rejections([book, listening, '{"event":"bts:'])).toEqual(["bad-json - -"]);
  });
});

describe("a subscription that is renewed", () => {
  const subscribe = '{"event":"bts:subscribe","data":{"channel":"diff_order_book_btcusd"}}';
  const confirmed =
    '{"event":"bts:subscription_succeeded","channel":"diff_order_book_btcusd","data":{}}';

  test("starts the book anew, for nothing tells what was missed", () => {
    const change = diff("btcusd", "1760000000000001");
    expect(rejections([subscribe, confirmed, change, subscribe, confirmed])).toEqual([
      "missing-data btcusd book",
    ]);
  });

  test("has missed nothing if it had not begun", () => {
    expect(rejections([subscribe, confirmed, subscribe, confirmed])).toEqual([]);
  });
});
