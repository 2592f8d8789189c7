import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { FeedSubscription } from "../../../feed/feed-adapter.ts";
import { htxCoinm } from "./adapter.ts";

function contract(venueSymbol: string): Instrument {
  const instrument = htxCoinm.deriveInstrument(venueSymbol);
  if (instrument === undefined) throw new Error(`${venueSymbol} is no contract`);
  return instrument;
}

function wanted(names: readonly string[], channels: readonly Channel[]): FeedSubscription[] {
  return names.flatMap((name) =>
    channels.map((channel) => ({ instrument: contract(name), channel })),
  );
}

function topicsOf(frames: readonly string[]): unknown[] {
  return frames.map((frame) => {
    const { sub, unsub, topic } = JSON.parse(frame) as Record<string, unknown>;
    return sub ?? unsub ?? topic;
  });
}

/** The list of a future with these fields. */
function list(fields: object): ReturnType<typeof htxCoinm.parseInstruments> {
  const entry = { contract_code: "BTC261225", contract_status: 1, contract_size: 100 };
  const body = JSON.stringify({ data: [{ ...entry, price_tick: 0.01, ...fields }] });
  return htxCoinm.parseInstruments(body, "");
}

describe("contracts", () => {
  test.each([
    ["BTC-USD", { symbol: "BTC-USD-PERP", kind: "perpetual" }],
    [
      "BTC261225",
      {
        symbol: "BTC-USD-20261225",
        kind: "future",
        expiryTimeUs: Date.UTC(2026, 11, 25, 8) * 1000,
      },
    ],
    ["1INCH261225", { base: "1INCH", symbol: "1INCH-USD-20261225" }],
  ])("%s says what it is", (name, fields) => {
    const inverse = { quote: "USD", inverse: true, sizeUnit: "contract" };
    expect(contract(name)).toMatchObject({ ...inverse, ...fields });
    expect(contract(name).settle).toBe(contract(name).base);
  });

  test.each(["", "BTC_CQ", "BTC-USDT", "BTC", "BTC261325", "261225", "btc-usd"])(
    "%j is none",
    (name) => {
      expect(htxCoinm.deriveInstrument(name)).toBeUndefined();
    },
  );

  test("one is worth so many dollars, and its end is the one that is listed", () => {
    const details = { price_tick: 0.01, delivery_time: "1798189200000" };
    expect(list(details)?.instruments).toMatchObject([
      { contractSize: "100", expiryTimeUs: 1_798_189_200_000_000, priceIncrement: "0.01" },
    ]);
  });

  test("one that is settled stays, one that is suspended is told apart, one that ended is none", () => {
    expect(list({ contract_status: 7 })?.instruments).toMatchObject([
      { state: "settling", stateWord: "7" },
    ]);
    expect(list({ contract_status: 3 })).toMatchObject({
      instruments: [],
      paused: [{ state: "halted", stateWord: "3" }],
    });
    expect(list({ contract_status: 8 })).toEqual({ instruments: [], skipped: 1 });
  });
});

describe("addresses", () => {
  test("of swaps and futures differ, that of indexes is one", () => {
    const channels: readonly Channel[] = ["book", "liquidations", "mark-price", "funding"];
    const plans = htxCoinm.planConnections(
      wanted(["BTC-USD", "BTC261225"], channels),
      htxCoinm.endpoints,
    );
    const planned = plans.map(({ url, subscriptions }) => [
      url.replace(/^wss:..api.hbdm.com/, ""),
      ...subscriptions.map(({ instrument, channel }) => `${instrument.venueSymbol} ${channel}`),
    ]);
    expect(planned).toEqual([
      ["/swap-ws", "BTC-USD book"],
      ["/swap-notification", "BTC-USD liquidations", "BTC-USD funding"],
      ["/ws_index", "BTC-USD mark-price", "BTC261225 mark-price"],
      ["/ws", "BTC261225 book"],
      ["/notification", "BTC261225 liquidations"],
    ]);
  });
});

describe("requests", () => {
  const options = { requestId: 1, bookDepth: 100 };

  test("name each topic once, and leave alone what others may share", () => {
    const subscriptions = wanted(["BTC-USD", "BTC261225", "BTC270326"], ["mark-price"]);
    expect(topicsOf(htxCoinm.subscribeFrames(subscriptions, options))).toEqual([
      "market.BTC-USD.index.1min",
      "market.BTC-USD.mark_price.1min",
      "market.BTC261225.mark_price.1min",
      "market.BTC270326.mark_price.1min",
    ]);
    const one = subscriptions.slice(1, 2);
    expect(topicsOf(htxCoinm.unsubscribeFrames(one, options))).toEqual([
      "market.BTC261225.mark_price.1min",
    ]);
  });

  test("ask for the liquidations of all futures at once, and for those of each swap", () => {
    const subscriptions = wanted(["BTC-USD", "BTC261225", "ETH261225"], ["liquidations"]);
    expect(topicsOf(htxCoinm.subscribeFrames(subscriptions, options))).toEqual([
      "public.BTC-USD.liquidation_orders",
      "public.*.liquidation_orders",
    ]);
    expect(topicsOf(htxCoinm.unsubscribeFrames(subscriptions, options))).toEqual([
      "public.BTC-USD.liquidation_orders",
    ]);
  });

  test("ask for open interest only of what is wanted", () => {
    const [poll] = htxCoinm.polls ?? [];
    const paths = (names: readonly string[]): string[] =>
      poll?.requests(names.map(contract), htxCoinm.endpoints).map(({ url }) => url.slice(20)) ?? [];
    expect(paths(["BTC-USD"])).toEqual(["/swap-api/v1/swap_open_interest"]);
    expect(paths(["BTC261225"])).toEqual(["/api/v1/contract_open_interest"]);
    expect(paths([])).toEqual([]);
  });
});
