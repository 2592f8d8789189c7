import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { PENDING_REQUESTS_MAX } from "../../reading/pending-requests.ts";
import { htx } from "./adapter.ts";

/** Bytes that one frame may unpack to. */
const FRAME_BYTES_MAX = 1024 * 1024;

const LIST_URL = "https://api.huobi.pro/v1/settings/common/market-symbols";

const PAIRS = (
  htx.parseInstruments(
    JSON.stringify({
      data: ["btc", "eth"].map((bc) => ({
        symbol: `${bc}usdt`,
        state: "online",
        bc,
        qc: "usdt",
        pp: 2,
        ap: 6,
      })),
    }),
    LIST_URL,
  )?.instruments ?? []
).slice();

function instrumentOf(venueSymbol: string): Instrument {
  const pair = PAIRS.find((each) => each.venueSymbol === venueSymbol);
  const instrument = pair ?? htx.deriveInstrument(venueSymbol);
  if (instrument === undefined) throw new Error(`${venueSymbol} is no instrument`);
  return instrument;
}

function wanted(venueSymbol: string, channels: readonly Channel[]): FeedSubscription[] {
  const instrument = instrumentOf(venueSymbol);
  return channels.map((channel) => ({ instrument, channel }));
}

function createDecoder() {
  const catalog = new InstrumentCatalog({
    venue: htx.venue,
    instrumentsMax: 100,
    derive: (venueSymbol) => htx.deriveInstrument(venueSymbol),
  });
  catalog.add(PAIRS);
  return htx.createDecoder({ catalog, bookDepth: 150 });
}

/** What a decoder makes of frames; requests are ones that we sent. */
function decode(frames: readonly (string | Uint8Array)[]): FeedEvent[] {
  const decoder = createDecoder();
  const events: FeedEvent[] = [];
  for (const frame of frames) {
    if (typeof frame === "string" && /^\{"(?:sub|req)"/.test(frame)) decoder.sent?.(frame);
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

const confirmed = (topic: string): string =>
  `{"id":"1","status":"ok","subbed":"market.${topic}","ts":1760000000500}`;

const BASES = ["wss://api.huobi.pro", "wss://api.hbdm.com"] as const;

describe("connections", () => {
  test("the changes of spot books have an address of their own", () => {
    const subscriptions = wanted("btcusdt", ["trades", "book", "quotes", "ticker", "candles"]);
    const plans = htx.planConnections(subscriptions, htx.endpoints);
    expect(
      plans.map((plan) => [plan.url, plan.subscriptions.map(({ channel }) => channel)]),
    ).toEqual([
      [`${BASES[0]}/ws`, ["trades", "quotes", "ticker", "candles"]],
      [`${BASES[0]}/feed`, ["book"]],
    ]);
  });

  test("contracts have three, and their open interest is polled one by one", () => {
    const channels = ["book", "funding", "mark-price", "open-interest", "liquidations"] as const;
    const plans = htx.planConnections(wanted("BTC-USDT", channels), htx.endpoints);
    expect(
      plans.map((plan) => [plan.url, plan.subscriptions.map(({ channel }) => channel)]),
    ).toEqual([
      [`${BASES[1]}/linear-swap-ws`, ["book"]],
      [`${BASES[1]}/linear-swap-notification`, ["funding", "liquidations"]],
      [`${BASES[1]}/ws_index`, ["mark-price"]],
    ]);
    const [poll] = htx.polls ?? [];
    const both = [instrumentOf("btcusdt"), instrumentOf("BTC-USDT")];
    expect(poll?.requests(both, htx.endpoints).map(({ url }) => url)).toEqual([
      "https://api.hbdm.com/v5/market/open_interest?contract_code=BTC-USDT",
    ]);
    expect(poll?.requests([instrumentOf("btcusdt")], htx.endpoints)).toEqual([]);
  });

  test("a dated contract has no funding", () => {
    const subscriptions = wanted("BTC-USDT-261225", ["funding"]);
    expect(htx.planConnections(subscriptions, htx.endpoints)).toEqual([]);
    expect(htx.subscribeFrames(subscriptions, { requestId: 1, bookDepth: 150 })).toEqual([]);
  });

  test.each([99, 100, 101])("%i topics share connections of a hundred", (count) => {
    const subscriptions = Array.from({ length: count }, (_, index) =>
      wanted(`A${index}-USDT`, ["trades"]),
    ).flat();
    const plans = htx.planConnections(subscriptions, htx.endpoints);
    expect(plans.map((plan) => plan.subscriptions.length)).toEqual(
      count > 100 ? [100, 1] : [count],
    );
  });
});

test.each([
  ["1", 1],
  ["5", 1],
  ["7", 1],
  ["0", 0],
  ["2", 0],
  ["3", 0],
  ["6", 0],
  ["8", 0],
])("of contracts in status %s, which may be a settlement, %i are listed", (status, count) => {
  const contract = { contract_code: "BTC-USDT", contract_size: 0.001, price_tick: 0.1 };
  const body = { data: [{ ...contract, contract_status: Number(status), delivery_time: "" }] };
  const url = "https://api.hbdm.com/linear-swap-api/v1/swap_contract_info";
  expect(htx.parseInstruments(JSON.stringify(body), url)).toMatchObject({ skipped: 1 - count });
});

describe("requests", () => {
  test("name a topic each, numbered on from the last", () => {
    const subscriptions = [
      ...wanted("btcusdt", ["book", "candles"]),
      ...wanted("BTC-USDT", ["book", "funding"]),
    ];
    const options = { requestId: 7, bookDepth: 150 };
    const frames = (operation: "subscribe" | "unsubscribe"): unknown[] =>
      htx[`${operation}Frames`](subscriptions, options).map((frame) => JSON.parse(frame));
    const change = "market.BTC-USDT.depth.size_150.high_freq";
    expect(frames("subscribe")).toEqual([
      { sub: "market.btcusdt.mbp.150", id: "7" },
      { sub: "market.btcusdt.kline.1min", id: "8" },
      { sub: change, id: "9", data_type: "incremental" },
      { op: "sub", cid: "10", topic: "public.BTC-USDT.funding_rate" },
    ]);
    expect(frames("unsubscribe")).toMatchObject([
      { unsub: "market.btcusdt.mbp.150" },
      { unsub: "market.btcusdt.kline.1min" },
      { unsub: change },
      { op: "unsub", topic: "public.BTC-USDT.funding_rate" },
    ]);
  });

  test("of mark prices ask for the index of a perpetual contract as well", () => {
    const options = { requestId: 1, bookDepth: 150 };
    const subscriptions = [
      ...wanted("BTC-USDT", ["mark-price"]),
      ...wanted("BTC-USDT-261225", ["mark-price"]),
    ];
    for (const op of ["sub", "unsub"] as const) {
      expect(htx[`${op}scribeFrames`](subscriptions, options)).toEqual([
        `{"${op}":"market.BTC-USDT.index.1min","id":"1"}`,
        `{"${op}":"market.BTC-USDT.mark_price.1min","id":"2"}`,
        `{"${op}":"market.BTC-USDT-261225.mark_price.1min","id":"3"}`,
      ]);
    }
  });

  test("of a dated contract's liquidations say what it is", () => {
    const liquidations = wanted("BTC-USDT-261225", ["liquidations"]);
    const topic = "public.BTC-USDT-261225.liquidation_orders";
    for (const op of ["sub", "unsub"] as const) {
      const frames = htx[`${op}scribeFrames`](liquidations, { requestId: 1, bookDepth: 150 });
      const request = { op, cid: "1", topic, business_type: "futures" };
      expect(frames.map((frame) => JSON.parse(frame))).toEqual([request]);
    }
  });

  test("of a book snapshot go over the connection, on spot alone", () => {
    const spot = instrumentOf("btcusdt");
    expect(htx.snapshotFrames?.(spot, { requestId: 3, bookDepth: 150 })).toEqual([
      '{"req":"market.btcusdt.mbp.150","id":"3"}',
    ]);
    expect(htx.bookSyncOf?.(spot, { bookDepth: 150 }).snapshot).toBe("request");
    expect(htx.bookSyncOf?.(instrumentOf("BTC-USDT"), { bookDepth: 150 }).snapshot).toBe("in-band");
  });

  test("of a book that fail leave the book in doubt, and no subscription", () => {
    const asked = '{"req":"market.btcusdt.mbp.150","id":"3"}';
    const failed = '{"id":"3","status":"error","err-code":"429","err-msg":"too many request"}';
    expect(rejections(decode([asked, failed]))).toEqual(["missing-data btcusdt book"]);
  });

  test("that wait for an answer are kept up to a number", () => {
    const reasons = (others: number): (string | undefined)[] => {
      const sent = Array.from(
        { length: others + 1 },
        (_, index) => `{"sub":"market.btcusdt.bbo","id":"${index}"}`,
      );
      return decode([...sent, '{"id":"0","status":"error","err-code":"x"}']).map((event) =>
        event.kind === "refused" ? event.venueSymbol : "none",
      );
    };
    expect(reasons(PENDING_REQUESTS_MAX - 1)).toEqual(["btcusdt"]);
    expect(reasons(PENDING_REQUESTS_MAX)).toEqual([undefined]);
  });
});

describe("frames", () => {
  test.each([FRAME_BYTES_MAX - 1, FRAME_BYTES_MAX])("of %i bytes are unpacked", (bytes) => {
    const text = '{"ping":1760000000123}'.padEnd(bytes);
    expect(decode([gzipSync(text)])).toEqual([{ kind: "reply", frame: '{"pong":1760000000123}' }]);
  });

  test("that would unpack to more are thrown away, and what they may have held is in doubt", () => {
    const bomb = gzipSync('{"ping":1760000000123}'.padEnd(FRAME_BYTES_MAX + 1));
    expect(bomb.length).toBeLessThan(10_000);
    const events = decode([confirmed("btcusdt.trade.detail"), bomb]);
    expect(rejections(events)).toEqual(["bad-json - -", "missing-data btcusdt trades"]);
  });

  test.each([0, 1, 2, 10, 17])("of %i bytes alone are damaged", (length) => {
    const frame = gzipSync('{"ping":1760000000123}').subarray(0, length);
    expect(rejections(decode([new Uint8Array(frame)]))).toEqual(["bad-json - -"]);
  });

  test("whose last bytes are wrong are damaged, whatever they unpack to", () => {
    const frame = new Uint8Array(gzipSync('{"ping":1760000000123}'));
    frame[frame.length - 6] = (frame.at(-6) ?? 0) ^ 1;
    expect(rejections(decode([frame]))).toEqual(["bad-json - -"]);
  });
});

describe("a ping", () => {
  test.each([
    ['{"ping":18446744073709551615}', '{"pong":18446744073709551615}'],
    ['{"op":"ping","ts":"1760000000123"}', '{"op":"pong","ts":"1760000000123"}'],
    ['{"op":"ping","ts":1760000000123}', '{"op":"pong","ts":1760000000123}'],
  ])("%s is answered by %s", (ping, pong) => {
    expect(decode([gzipSync(ping)])).toEqual([{ kind: "reply", frame: pong }]);
  });
});

describe("a damaged frame", () => {
  const cut = (text: string): string => text.slice(0, -3);
  const trades = (pair: string): string =>
    `{"ch":"market.${pair}.trade.detail","ts":1760000000600,"tick":{"data":[]}}`;
  const CHANGES = "BTC-USDT.depth.size_150.high_freq";
  const whole =
    `{"ch":"market.${CHANGES}","ts":1760000000600,"tick":{"event":"snapshot","version":1,` +
    `"bids":[[1,1]],"asks":[[2,1]]}}`;

  test("of trades costs those that it names", () => {
    const frames = [confirmed("btcusdt.trade.detail"), confirmed("ethusdt.trade.detail")];
    expect(rejections(decode([...frames, cut(trades("ethusdt"))]))).toEqual([
      "bad-json ethusdt trades",
      "missing-data ethusdt trades",
    ]);
  });

  test("that names nothing costs all trades of its connection, and books that are due", () => {
    const frames = [
      confirmed("btcusdt.trade.detail"),
      confirmed(CHANGES),
      '{"req":"market.ethusdt.mbp.150","id":"3"}',
      '{"c',
    ];
    expect(rejections(decode(frames))).toEqual([
      "bad-json - -",
      "missing-data ethusdt book",
      "missing-data BTC-USDT book",
      "missing-data btcusdt trades",
    ]);
  });

  test("costs no book that has begun, since the numbers show what is missing", () => {
    expect(rejections(decode([confirmed(CHANGES), whole, '{"c']))).toEqual(["bad-json - -"]);
  });

  test("of quotes costs nothing else", () => {
    const frames = [confirmed("btcusdt.trade.detail"), '{"ch":"market.btcusdt.bbo","ts":17'];
    expect(rejections(decode(frames))).toEqual(["bad-json btcusdt quotes"]);
  });
});

describe("trades", () => {
  /** Each as its id, milliseconds after the confirmation and, on spot, its short number. */
  const message = (
    symbol: string,
    items: readonly (readonly [id: string, afterMs: number, tradeId?: number])[],
  ): string => {
    const data = items.map(
      ([id, afterMs, tradeId]) =>
        `{"id":${id},"ts":${1_760_000_000_500 + afterMs},"amount":1,"price":2,` +
        `${tradeId === undefined ? "" : `"tradeId":${tradeId},`}"direction":"buy"}`,
    );
    const tick = `{"data":[${data.join(",")}]}`;
    return `{"ch":"market.${symbol}.trade.detail","ts":1760000000600,"tick":${tick}}`;
  };
  const read = (frames: readonly string[]): unknown[] =>
    decode(frames).flatMap((event) =>
      event.kind === "trade" ? [[event.tradeId, event.historical]] : [],
    );

  test("of one match come in the order of their short numbers, whatever their ids", () => {
    const sweep = message("btcusdt", [
      ["100182534526255757567432480", 9, 13],
      ["100182534526255757567432482", 9, 12],
      ["100182534526255757567432481", 9, 11],
    ]);
    expect(read([sweep])).toEqual([
      ["100182534526255757567432481", false],
      ["100182534526255757567432482", false],
      ["100182534526255757567432480", false],
    ]);
  });

  test("of contracts come in the order of their ids", () => {
    const sweep = message("BTC-USDT", [
      ["1316022650001", 9],
      ["1316022650000", 9],
    ]);
    expect(read([sweep])).toEqual([
      ["1316022650000", false],
      ["1316022650001", false],
    ]);
  });

  test("before the confirmation are history in the first message behind it, and only there", () => {
    const topic = confirmed("btcusdt.trade.detail");
    const first = message("btcusdt", [
      ["2", 0],
      ["1", -1],
    ]);
    const late = message("btcusdt", [["3", -1]]);
    expect(read([topic, first, late, topic, late])).toEqual([
      ["1", true],
      ["2", false],
      ["3", false],
      ["3", true],
    ]);
  });

  test("are history if they come before the confirmation of what was asked for, and only they", () => {
    const asked = '{"sub":"market.btcusdt.trade.detail","id":"1"}';
    const old = message("btcusdt", [["1", 900]]);
    const late = message("btcusdt", [["2", -1]]);
    const topic = confirmed("btcusdt.trade.detail");
    const next = message("btcusdt", [["3", -1]]);
    expect(read([asked, old, late, topic, next])).toEqual([
      ["1", true],
      ["2", false],
      ["3", false],
    ]);
  });
});

test.each([
  ['{"status":"ok","data":1760000000123}', 1_760_000_000_123_000],
  ['{"status":"ok","data":"soon"}', undefined],
])("the venue's clock in %s is %s", (body, timeUs) => {
  expect(htx.parseServerTimeUs?.(body)).toBe(timeUs);
});

describe("names that no list explains", () => {
  test.each([
    ["btcusdt", "BTC-USDT"],
    ["ethbtc", "ETH-BTC"],
    ["yfihusd", "YFI-HUSD"],
    ["fil3susdt", "FIL3S-USDT"],
    ["BTC-USDT", "BTC-USDT-PERP"],
    ["usdthusd", "USDT-HUSD"],
  ])("%s is %s", (venueSymbol, symbol) => {
    expect(htx.deriveInstrument(venueSymbol)?.symbol).toBe(symbol);
  });

  test.each(["usdt", "abcxyz", "", "BTCUSDT", "btc/usdt"])("%j is none", (venueSymbol) => {
    expect(htx.deriveInstrument(venueSymbol)).toBeUndefined();
  });
});
