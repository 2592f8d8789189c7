import { describe, expect, test } from "vitest";
import type { Channel, Instrument } from "#core/instrument.ts";
import { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { FeedEvent, FeedSubscription } from "../../feed/feed-adapter.ts";
import { dydx } from "./adapter.ts";
import { DydxSequence } from "./book.ts";

function instrument(venueSymbol: string): Instrument {
  const derived = dydx.deriveInstrument(venueSymbol);
  if (derived === undefined) throw new Error(`${venueSymbol} is not an instrument`);
  return derived;
}

function wanted(venueSymbol: string, channels: readonly Channel[]): FeedSubscription[] {
  return channels.map((channel) => ({ instrument: instrument(venueSymbol), channel }));
}

const OPTIONS = { requestId: 1, bookDepth: 100 };
const POOL_MARKET = "FARTCOIN,RAYDIUM,9BB6NFECJBCTNNLFKO2FQVQBQ8HHM13KCYYCDQBGPUMP-USD";

describe("what is asked of dYdX", () => {
  test("what several channels share is asked for once, and the state of markets without a name", () => {
    const frames = dydx.subscribeFrames(wanted("BTC-USD", dydx.channels), OPTIONS);
    expect(frames.map((frame) => JSON.parse(frame) as unknown)).toEqual([
      { type: "subscribe", channel: "v4_trades", id: "BTC-USD", batched: false },
      { type: "subscribe", channel: "v4_orderbook", id: "BTC-USD", batched: false },
      { type: "subscribe", channel: "v4_candles", id: "BTC-USD/1MIN", batched: false },
      { type: "subscribe", channel: "v4_markets" },
    ]);
  });

  test("the state of markets has a connection of its own", () => {
    const plans = dydx.planConnections(
      ["BTC-USD", "ETH-USD"].flatMap((name) => wanted(name, ["book", "funding", "liquidations"])),
      dydx.endpoints,
    );
    const told = plans.map(({ subscriptions }) =>
      subscriptions.map(({ channel, instrument: of }) => `${of.base} ${channel}`),
    );
    expect(told).toEqual([
      ["BTC funding", "ETH funding"],
      ["BTC book", "BTC liquidations", "ETH book", "ETH liquidations"],
    ]);
  });

  test.each([
    [31, [31]],
    [32, [32]],
    [33, [32, 1]],
    [65, [32, 32, 1]],
  ])("%i markets are shared out as %j", (count, shares) => {
    const subscriptions = Array.from({ length: count }, (_, index) =>
      wanted(`A${index}-USD`, ["book", "trades"]),
    ).flat();
    const plans = dydx.planConnections(subscriptions, dydx.endpoints);
    const markets = plans.map(
      (plan) => new Set(plan.subscriptions.map(({ instrument: of }) => of.symbol)).size,
    );
    expect(markets).toEqual(shares);
  });

  test("quotes and the ticker are not offered", () => {
    expect(dydx.planConnections(wanted("BTC-USD", ["quotes", "ticker"]), dydx.endpoints)).toEqual(
      [],
    );
  });
});

describe("the instruments of dYdX", () => {
  test("a market of one pool is named by its asset", () => {
    expect(instrument(POOL_MARKET)).toMatchObject({
      symbol: "FARTCOIN-USD-PERP",
      venueSymbol: POOL_MARKET,
    });
  });

  test.each(["BTC-EUR", "BTCUSD", "-USD", "USD", "", "A-B-USD", ",RAYDIUM-USD"])(
    "%j cannot be told by its name",
    (venueSymbol) => {
      expect(dydx.deriveInstrument(venueSymbol)).toBeUndefined();
    },
  );
});

describe("the numbers of a connection", () => {
  /** What is said of each: a number came, `a` says as an answer; `?` is a request that left. */
  function told(steps: string): string[] {
    const sequence = new DydxSequence();
    return steps.split(" ").flatMap((step) => {
      if (step === "?") {
        sequence.requested();
        return [];
      }
      const isAnswer = step.startsWith("a");
      const number = Number(step.replace("a", ""));
      return [sequence.place(number, { isAnswer, receivedTimeUs: 1 })];
    });
  }

  test.each([
    ["0 1 2", ["next", "next", "next"]],
    ["0 2 3", ["next", "hole", "next"]],
    ["0 1 1", ["next", "next", "late"]],
    // What was said to be lost comes after all.
    ["0 2 1", ["next", "hole", "late"]],
    // The answer comes in its place, and when something else went before it.
    ["0 ? a1 2", ["next", "next", "next"]],
    ["0 ? 2 3 a1 4", ["next", "next", "next", "next", "next"]],
    ["0 ? ? 3 a2 a1 4", ["next", "next", "next", "next", "next"]],
    // One more is missing than can be answers.
    ["0 ? 3", ["next", "hole"]],
    ["0 ? 2 4", ["next", "next", "hole"]],
    // The answer was another number, so that the missing one is lost.
    ["0 ? 2 a3", ["next", "next", "hole"]],
    ["0 ? a1 3", ["next", "next", "hole"]],
  ])("%s", (steps, expected) => {
    expect(told(steps)).toEqual(expected);
  });

  test.each([
    [30_000_000, "next"],
    [30_000_001, "hole"],
  ])("after %i µs a request that nothing answered makes it %s", (passedUs, expected) => {
    const sequence = new DydxSequence();
    sequence.place(0, { isAnswer: false, receivedTimeUs: 5 });
    sequence.requested();
    sequence.place(1, { isAnswer: false, receivedTimeUs: 10 });
    expect(sequence.place(3, { isAnswer: false, receivedTimeUs: 10 + passedUs })).toBe(expected);
  });

  test("damage does not tell when a request left", () => {
    const sequence = new DydxSequence();
    sequence.place(0, { isAnswer: false, receivedTimeUs: 100_000_000 });
    sequence.requested();
    sequence.place(1, { isAnswer: false, receivedTimeUs: undefined });
    expect(sequence.place(3, { isAnswer: false, receivedTimeUs: 100_000_001 })).toBe("next");
  });
});

describe("what dYdX says on a connection", () => {
  const decoder = () =>
    dydx.createDecoder({
      catalog: new InstrumentCatalog({
        venue: dydx.venue,
        instrumentsMax: 10,
        derive: (venueSymbol) => dydx.deriveInstrument(venueSymbol),
      }),
      bookDepth: 10,
    });
  const ASKED = dydx.subscribeFrames(wanted("BTC-USD", ["book"]), OPTIONS);
  const frame = (type: string, number: number, contents: object): string =>
    JSON.stringify({
      type,
      connection_id: "1",
      message_id: number,
      channel: "v4_orderbook",
      id: "BTC-USD",
      contents,
    });

  /** What is told of the book, as its number and that before it, and what is refused of it. */
  function toldOf(frames: readonly string[]): string[] {
    const connection = decoder();
    const told: string[] = [];
    const take = (event: FeedEvent): void => {
      if (event.kind === "raw-book") {
        told.push(`${event.previousUpdateId ?? "whole"} ${event.lastUpdateId}`);
      }
      if (event.kind === "rejected") told.push(`${event.reason} ${event.channel ?? "anything"}`);
    };
    for (const each of ASKED) connection.sent?.(each);
    for (const each of frames) connection.decode(each, 1, take);
    return told;
  }

  const BEGIN = frame("subscribed", 1, { bids: [{ price: "10", size: "1" }], asks: [] });
  const change = (number: number): string => frame("channel_data", number, { bids: [["10", "2"]] });

  test("a change is linked to the message about the book before it", () => {
    expect(toldOf([BEGIN, change(2), change(3)])).toEqual(["whole 1", "1 2", "2 3"]);
  });

  test("damage that says its number and its market costs that book alone", () => {
    const damage = change(2).slice(0, -4);
    expect(toldOf([BEGIN, damage, change(3)])).toEqual(["whole 1", "bad-json book", "1 3"]);
  });

  test("damage that says nothing shows by the next number", () => {
    expect(toldOf([BEGIN, "{", change(3)])).toEqual([
      "whole 1",
      "bad-json anything",
      "missing-data book",
      "1 3",
    ]);
  });
});
