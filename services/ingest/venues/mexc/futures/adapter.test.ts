import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent, FeedSubscription } from "../../../feed/feed-adapter.ts";
import { mexcFutures } from "./adapter.ts";

function instrument(venueSymbol: string): Instrument {
  const derived = mexcFutures.deriveInstrument(venueSymbol);
  if (derived === undefined) throw new Error(`${venueSymbol} is not an instrument`);
  return derived;
}

function wanted(venueSymbol: string, channels: readonly Channel[]): FeedSubscription[] {
  return channels.map((channel) => ({ instrument: instrument(venueSymbol), channel }));
}

const OPTIONS = { requestId: 1, bookDepth: 100 };

describe("what is asked of MEXC's contracts", () => {
  test("a topic a frame, and what several channels share once; changes of books are merged", () => {
    const frames = mexcFutures.subscribeFrames(wanted("BTC_USDT", mexcFutures.channels), OPTIONS);
    expect(frames.map((frame) => JSON.parse(frame) as unknown)).toEqual([
      { method: "sub.deal", param: { symbol: "BTC_USDT" } },
      { method: "sub.depth", param: { symbol: "BTC_USDT", compress: true } },
      { method: "sub.ticker", param: { symbol: "BTC_USDT" } },
      { method: "sub.kline", param: { symbol: "BTC_USDT", interval: "Min1" } },
      { method: "sub.funding.rate", param: { symbol: "BTC_USDT" } },
    ]);
  });

  test("what ends is named by its contract alone", () => {
    const frames = mexcFutures.unsubscribeFrames(wanted("BTC_USDT", ["book", "candles"]), OPTIONS);
    expect(frames).toEqual([
      '{"method":"unsub.depth","param":{"symbol":"BTC_USDT"}}',
      '{"method":"unsub.kline","param":{"symbol":"BTC_USDT"}}',
    ]);
  });

  test("quotes are not offered: the ticker has prices without sizes", () => {
    const plans = mexcFutures.planConnections(
      wanted("BTC_USDT", ["quotes"]),
      mexcFutures.endpoints,
    );
    expect(plans).toEqual([]);
  });
});

describe("the contracts of MEXC", () => {
  test.each([
    ["BTC_USDT", "BTC-USDT-PERP", "USDT", false],
    ["ETH_USDC", "ETH-USDC-PERP", "USDC", false],
    ["BTC_USD", "BTC-USD-PERP", "BTC", true],
  ])("%s is %s, paid in %s", (venueSymbol, symbol, settle, inverse) => {
    expect(instrument(venueSymbol)).toMatchObject({
      symbol,
      settle,
      inverse,
      sizeUnit: "contract",
    });
  });

  test.each(["BTCUSDT", "_USDT", "BTC_", "BTC-USDT", ""])(
    "%j cannot be told by its name",
    (venueSymbol) => {
      expect(mexcFutures.deriveInstrument(venueSymbol)).toBeUndefined();
    },
  );

  test("a list says what a contract is worth, its steps, and whether it trades", () => {
    const listed =
      '{"symbol":"TUT_USDT","baseCoin":"TUT","quoteCoin":"USDT","settleCoin":"USDT","contractSize":100,"priceUnit":1e-05,"volUnit":1,"state":0}';
    const paused = listed.replaceAll("TUT", "OFF").replace('"state":0', '"state":4');
    const list = mexcFutures.parseInstruments(`{"success":true,"data":[${listed},${paused}]}`, "");
    expect(list?.instruments).toEqual([
      expect.objectContaining({
        contractSize: "100",
        priceIncrement: "0.00001",
        sizeIncrement: "1",
        state: "trading",
      }),
    ]);
    expect(list?.paused).toEqual([
      expect.objectContaining({ symbol: "OFF-USDT-PERP", state: "halted" }),
    ]);
  });

  test("an answer that says that it is none gives no list", () => {
    const body = '{"success":false,"code":510,"message":"Requests are too frequent"}';
    expect(mexcFutures.parseInstruments(body, "")).toBeUndefined();
  });
});

describe("what MEXC's contracts say on a connection", () => {
  const decoder = () =>
    mexcFutures.createDecoder({
      catalog: new InstrumentCatalog({
        venue: mexcFutures.venue,
        instrumentsMax: 10,
        derive: (venueSymbol) => mexcFutures.deriveInstrument(venueSymbol),
      }),
      bookDepth: 10,
    });

  /** What the answers say of the requests before them: `+` confirmed, `-` refused. */
  function told(asked: readonly FeedSubscription[], answers: readonly object[]): string[] {
    const connection = decoder();
    const heard: string[] = [];
    const take = (event: FeedEvent): void => {
      if (event.kind !== "subscribed" && event.kind !== "refused") return;
      const sign = event.kind === "subscribed" ? "+" : "-";
      heard.push(`${sign} ${event.venueSymbol ?? "?"} ${event.channel ?? "?"}`);
    };
    for (const frame of mexcFutures.subscribeFrames(asked, OPTIONS)) connection.sent?.(frame);
    for (const answer of answers) connection.decode(JSON.stringify(answer), 1, take);
    return heard;
  }

  const confirmed = (topic: string): object => ({ channel: `rs.sub.${topic}`, data: "success" });
  const BOOKS = ["A_USDT", "B_USDT", "C_USDT"].flatMap((name) => wanted(name, ["book"]));

  test("a refusal that names its contract is taken out of the order", () => {
    const answers = [
      confirmed("depth"),
      { channel: "rs.error", data: "Contract [B_USDT] not exists" },
      confirmed("depth"),
    ];
    expect(told(BOOKS, answers)).toEqual(["- B_USDT book", "+ A_USDT book", "+ C_USDT book"]);
  });

  test("after a refusal that names none, no confirmation is taken for another's", () => {
    const answers = [
      confirmed("depth"),
      { channel: "rs.error", data: "Contract doesn't exist!" },
      confirmed("depth"),
    ];
    expect(told(BOOKS, answers)).toEqual(["- ? ?"]);
  });

  test("while a confirmation is missing, nobody knows whose it is, and none is confirmed", () => {
    expect(told(BOOKS, [confirmed("depth"), confirmed("depth")])).toEqual([]);
    expect(
      told(
        BOOKS,
        [1, 2, 3].map(() => confirmed("depth")),
      ),
    ).toHaveLength(3);
  });

  test("what is asked for again is confirmed by as many as are asked for again", () => {
    const heard: string[] = [];
    const connection = decoder();
    const take = (event: FeedEvent): void => {
      if (event.kind === "subscribed") heard.push(event.venueSymbol);
    };
    const ask = (again: typeof BOOKS): void => {
      for (const frame of mexcFutures.subscribeFrames(again, OPTIONS)) connection.sent?.(frame);
    };
    const answer = (): void => connection.decode(JSON.stringify(confirmed("depth")), 1, take);
    ask(BOOKS);
    answer();
    ask(BOOKS.slice(1));
    answer();
    expect(heard).toEqual([]);
    answer();
    expect(heard).toEqual(["B_USDT", "C_USDT"]);
  });

  test("each topic has an order of its own", () => {
    const asked = wanted("A_USDT", ["book", "trades"]);
    expect(told(asked, [confirmed("deal"), confirmed("depth")])).toEqual([
      "+ A_USDT trades",
      "+ A_USDT book",
    ]);
  });
});

test("the best of a quiet book can be asked for", () => {
  const request = mexcFutures.bookProbe?.request(instrument("BTC_USDT"), mexcFutures.endpoints);
  expect(request?.url).toBe("https://contract.mexc.com/api/v1/contract/depth/BTC_USDT");
  const body =
    '{"success":true,"code":0,"data":{"asks":[[80489,5,1]],"bids":[[80488.5,11,1],[80488,154663,12]],"version":41925002101}}';
  expect(mexcFutures.bookProbe?.levels(body)).toBe("80488.5 11, 80488 154663 / 80489 5");
  expect(mexcFutures.bookProbe?.levels("{}")).toBeUndefined();
});
