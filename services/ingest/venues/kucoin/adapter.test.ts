import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent } from "../../feed/feed-adapter.ts";
import { PENDING_REQUESTS_MAX } from "../../reading/pending-requests.ts";
import { changedLevels } from "./fields.ts";
import { kucoin } from "./adapter.ts";
import { kucoinFutures } from "./futures/adapter.ts";
import { kucoinUta } from "./uta/adapter.ts";

function pair(venueSymbol: string): Instrument {
  const instrument = kucoin.deriveInstrument(venueSymbol);
  if (instrument === undefined) throw new Error(`${venueSymbol} is no pair`);
  return instrument;
}

function decode(sent: readonly object[], frames: readonly string[]): FeedEvent[] {
  const catalog = new InstrumentCatalog({
    venue: "kucoin",
    instrumentsMax: 100,
    derive: (venueSymbol) => kucoin.deriveInstrument(venueSymbol),
  });
  const decoder = kucoin.createDecoder({ catalog, bookDepth: 100 });
  for (const frame of sent) decoder.sent?.(JSON.stringify(frame));
  const events: FeedEvent[] = [];
  for (const frame of frames) decoder.decode(frame, 1, (event) => events.push(event));
  return events;
}

describe("the ticket", () => {
  const plan = { url: kucoin.endpoints.webSocket, subscriptions: [] };
  const options = { plan, connectionId: "a b" };

  function body(token: unknown, servers: readonly object[]): string {
    return JSON.stringify({ code: "200000", data: { token, instanceServers: servers } });
  }

  test("is asked for by POST before each connect", () => {
    expect(kucoin.connectRequest?.(plan, kucoin.endpoints)).toEqual({
      url: "https://api.kucoin.com/api/v1/bullet-public",
      weight: 10,
      method: "POST",
    });
    expect(kucoin.greets).toBe(true);
  });

  test("gives the address, the token and how often to ping", () => {
    const server = { endpoint: "wss://ws-api-spot.kucoin.com/", pingInterval: 18_000 };
    expect(kucoin.parseConnection?.(body("x=/+", [server]), options)).toEqual({
      url: "wss://ws-api-spot.kucoin.com/?token=x%3D%2F%2B&connectId=a+b",
      keepAliveIntervalMs: 18_000,
    });
  });

  test.each([
    "{",
    "{}",
    '{"code":"429000","msg":"too many requests"}',
    body("x", []),
    body("", [{ endpoint: "wss://x/", pingInterval: 18_000 }]),
    body("x", [{ endpoint: "https://x/", pingInterval: 18_000 }]),
    body("x", [{ endpoint: "wss://x/", pingInterval: 0 }]),
  ])("%s is none", (text) => {
    expect(kucoin.parseConnection?.(text, options)).toBeUndefined();
  });
});

describe("requests", () => {
  test.each([
    ["trades", "/market/match:BTC-USDT"],
    ["quotes", "/market/ticker:BTC-USDT"],
    ["book", "/market/level2:BTC-USDT"],
    ["ticker", "/market/snapshot:BTC-USDT"],
    ["candles", "/market/candles:BTC-USDT_1min"],
  ] as const)("%s is %s", (channel: Channel, topic) => {
    const wanted = [{ instrument: pair("BTC-USDT"), channel }];
    const options = { requestId: 5, bookDepth: 100 };
    for (const type of ["subscribe", "unsubscribe"] as const) {
      const [frame = "", ...others] = kucoin[`${type}Frames`](wanted, options);
      expect(others).toEqual([]);
      expect(JSON.parse(frame)).toMatchObject({ id: "5", type, topic, response: true });
    }
  });

  test("each pair has its own, so that a bad one costs the others nothing", () => {
    const wanted = ["BTC-USDT", "ETH-USDT"].map((name) => ({
      instrument: pair(name),
      channel: "book" as const,
    }));
    expect(kucoin.subscribeFrames(wanted, { requestId: 1, bookDepth: 100 }).length).toBe(2);
  });

  test("the books of both addresses are matched", () => {
    const { rest } = kucoin.endpoints;
    for (const path of ["v1/market/orderbook/level2_100", "v3/market/orderbook/level2"]) {
      const url = `${rest}/api/${path}?symbol=BTC-USDT`;
      const book = { kind: "book-snapshot", venueSymbol: "BTC-USDT" };
      expect(kucoin.recordedRequest(url)).toEqual(book);
    }
    const list = `${rest}/api/v2/symbols?symbol=X-Y`;
    expect(kucoin.recordedRequest(list)).toEqual({ kind: "instruments" });
  });

  test("a ping is answered with its number, and the clock is read", () => {
    expect(kucoin.keepAlive?.frame(3)).toBe('{"id":"ping-3","type":"ping"}');
    expect(kucoin.parseServerTimeUs?.('{"code":"200000","data":1760000000123}')).toBe(
      1_760_000_000_123_000,
    );
    expect(kucoin.parseServerTimeUs?.('{"code":"200000"}')).toBeUndefined();
  });
});

test.each([
  [11, 12, true],
  [11, 11, true],
  // Overlaps, which the pages allow.
  [10, 11, true],
  [8, 12, true],
  [9, 10, false],
  [12, 13, false],
])("a change of %i to %i follows 10: %s", (firstUpdateId, lastUpdateId, expected) => {
  const [delta] = decode(
    [],
    [
      JSON.stringify({
        type: "message",
        topic: "/market/level2:BTC-USDT",
        data: {
          changes: { asks: [], bids: [["1", "1", `${lastUpdateId}`]] },
          sequenceStart: firstUpdateId,
          sequenceEnd: lastUpdateId,
        },
      }),
    ],
  );
  if (delta?.kind !== "raw-book") throw new Error("no change");
  expect(kucoin.bookSync.sequencing?.follows(delta, 10)).toBe(expected);
});

describe("rows of a change", () => {
  test("come in the order of their numbers, without those of price 0", () => {
    const rows = [
      ["5", "1", "12"],
      ["0", "0", "13"],
      ["0.000", "4", "10"],
      ["5", "2", "11"],
    ];
    expect(changedLevels(rows)).toEqual([
      ["5", "2", "11"],
      ["5", "1", "12"],
    ]);
  });

  test.each([[undefined], ["x"], [[["5", "1"]]], [[["5", "1", "x"]]], [["5"]]])(
    "%j are none",
    (rows) => {
      expect(changedLevels(rows)).toBeUndefined();
    },
  );
});

test.each([PENDING_REQUESTS_MAX - 1, PENDING_REQUESTS_MAX])(
  "an answer is named behind %i more requests up to the limit",
  (more) => {
    const first = { id: "first", type: "subscribe", topic: "/market/match:BTC-USDT" };
    const others = Array.from({ length: more }, (_, index) => ({ ...first, id: `${index}` }));
    const [answer] = decode([first, ...others], ['{"id":"first","type":"ack"}']);
    expect(answer?.kind).toBe(more < PENDING_REQUESTS_MAX ? "subscribed" : "heartbeat");
  },
);

test("requests of one number are answered in their order", () => {
  const sent = ["/market/match:BTC-USDT", "/market/level2:ETH-USDT"].map((topic) => ({
    id: "1",
    type: "subscribe",
    topic,
  }));
  expect(decode(sent, ['{"id":"1","type":"ack"}', '{"id":"1","type":"ack"}'])).toEqual([
    { kind: "subscribed", venueSymbol: "BTC-USDT", channel: "trades" },
    { kind: "subscribed", venueSymbol: "ETH-USDT", channel: "book" },
  ]);
});

describe("a damaged frame", () => {
  const trades = (name: string): string =>
    `{"type":"message","topic":"/market/match:${name}","data`;
  const sent = [
    { id: "1", type: "subscribe", topic: "/market/match:BTC-USDT" },
    { id: "2", type: "subscribe", topic: "/market/match:ETH-USDT" },
  ];
  const answers = ['{"id":"1","type":"ack"}', '{"id":"2","type":"ack"}'];
  const rejections = (frame: string): string[] =>
    decode(sent, [...answers, frame]).flatMap((event) =>
      event.kind === "rejected"
        ? [`${event.reason} ${event.instrument?.venueSymbol ?? "-"} ${event.channel ?? "-"}`]
        : [],
    );

  test("of trades costs those that it names", () => {
    expect(rejections(trades("ETH-USDT"))).toEqual([
      "bad-json ETH-USDT trades",
      "missing-data ETH-USDT trades",
    ]);
  });

  test("that names nothing costs all trades of its connection", () => {
    expect(rejections('{"type":"mess')).toEqual([
      "bad-json - -",
      "missing-data BTC-USDT trades",
      "missing-data ETH-USDT trades",
    ]);
  });

  test.each(["/market/level2:BTC-USDT", "/market/match:no pair"])(
    "of %s costs nothing that the next does not show",
    (topic) => {
      expect(rejections(`{"type":"message","topic":"${topic}","da`)).toEqual(["bad-json - -"]);
    },
  );
});

test.each(["BTCUSDT", "BTC-USDT-PERP", "-USDT", "BTC-", "BTC/USDT"])(
  "%s is not guessed at",
  (name) => {
    expect(kucoin.deriveInstrument(name)).toBeUndefined();
  },
);

test.each([kucoinFutures, kucoinUta])("$venue spends from the budget of spot", ({ limits }) => {
  expect(limits.address?.name).toBe("kucoin");
  expect(limits.address).toEqual(kucoin.limits.address);
});
