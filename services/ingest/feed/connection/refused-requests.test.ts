import { describe, expect, test } from "vitest";
import { createFakeAdapter, fakeInstrument, tradeFrame } from "#test/support/fake-feed.ts";
import { startFakeSession } from "#test/support/fake-session.ts";
import type { FeedAdapter } from "../feed-adapter.ts";
import { halvesOf, namesOf } from "./refused-requests.ts";

/** Quotes and tickers are one stream of this venue. */
const ADAPTER: FeedAdapter = {
  ...createFakeAdapter(),
  subscribeFrames: (subscriptions) =>
    subscriptions.map(({ instrument, channel }) =>
      channel === "trades" ? `trades ${instrument.symbol}` : `tick ${instrument.symbol}`,
    ),
};
const OPTIONS = { adapter: ADAPTER, bookDepth: 10 };

describe("what was refused together", () => {
  const of = (name: string, channel: "trades" | "quotes" | "ticker") => ({
    instrument: fakeInstrument(name),
    channel,
  });

  test("is divided in two, and what one stream carries stays together", () => {
    const refused = ["A", "B", "C"].flatMap((name) => [of(name, "quotes"), of(name, "trades")]);
    const halves = halvesOf(refused, OPTIONS);
    expect(halves?.map((half) => half.length)).toEqual([3, 3]);
    expect(halves?.flat()).toHaveLength(6);
    expect(halvesOf([of("A", "quotes"), of("A", "ticker")], OPTIONS)).toBeUndefined();
  });

  test.each([0, 1])("cannot be divided if it is %i subscriptions", (count) => {
    expect(halvesOf([of("A", "trades")].slice(0, count), OPTIONS)).toBeUndefined();
  });

  test("is named in the log ten times at most", () => {
    const refused = Array.from({ length: 11 }, (_, index) => of(`I${index}`, "trades"));
    expect(namesOf(refused.slice(0, 10))).toHaveLength(10);
    expect(namesOf(refused)).toHaveLength(10);
    expect(namesOf(refused)[0]).toBe("trades I0");
  });
});

describe("a frame that refuses many for the sake of one", () => {
  const NAMES = Array.from({ length: 100 }, (_, index) => `I${index}`);
  const BAD = "I37";

  /** A venue whose requests are refused as a whole if the bad one is among them. */
  function startPicky(reason: string) {
    const topics = NAMES.map((name) => `${name}/trades`);
    const started = startFakeSession({ topics, refusesTogether: true });
    const socket = started.dialer.last.open();
    let read = 0;
    const answer = (): void => {
      for (; read < socket.sent.length; read += 1) {
        const names = (socket.sent[read] ?? "").replace("subscribe ", "").split(",");
        const isRefused = names.includes(BAD);
        const events = names.map((name) => ({
          kind: isRefused ? "refused" : "subscribed",
          venueSymbol: name,
          channel: "trades",
          ...(isRefused ? { reason } : {}),
        }));
        socket.receive(JSON.stringify({ kind: "several", events }));
      }
    };
    return { ...started, socket, answer };
  }

  test("is asked for again in halves until the bad one alone is refused", () => {
    const { clock, answer, statuses, socket } = startPicky("unknown symbol");
    for (let second = 0; second < 20; second += 1) {
      answer();
      clock.advance(1_000);
    }
    const live = statuses().filter((text) => text.endsWith("live subscribed"));
    expect(live).toHaveLength(99);
    expect(statuses().filter((text) => text.includes(" down "))).toEqual([
      `${BAD}/trades down refused`,
    ]);
    // Two requests a step, and as many steps as halving a hundred takes.
    expect(socket.sent.length).toBeLessThanOrEqual(1 + 2 * 7);
  });

  test("that was live meanwhile stays so", () => {
    const { clock, answer, statuses, socket } = startPicky("no");
    socket.receive(tradeFrame("I1", "1"));
    for (let second = 0; second < 20; second += 1) {
      answer();
      clock.advance(1_000);
    }
    const told = statuses().filter((text) => text.startsWith("I1/"));
    expect(told).toEqual(["I1/trades syncing connecting", "I1/trades live data"]);
  });
});
