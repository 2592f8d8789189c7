import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import type { SubscriptionEvent, SubscriptionState } from "./subscription-life.ts";
import { SubscriptionWatch } from "./subscription-watch.ts";

const A = fakeInstrument("A");
const B = fakeInstrument("B");
const SILENCE_MS = 1_000;

function create(options: { readonly learn?: boolean; readonly fills?: boolean } = {}) {
  const told: string[] = [];
  const recovered: number[] = [];
  let nowUs = 1_000_000_000;
  const watch = new SubscriptionWatch({
    subscriptions: [
      { instrument: A, channel: "trades" },
      { instrument: A, channel: "quotes" },
    ],
    silenceMsMax: { trades: SILENCE_MS },
    answerMsMax: 30_000,
    learn: options.learn ?? false,
    listener: {
      onState: ({ symbol }, channel, state, reason) =>
        told.push(`${symbol}/${channel} ${state} ${reason}`),
      onLearnt: ({ instrument, channel }) => told.push(`learnt ${instrument.symbol}/${channel}`),
      onInterrupted: () => {
        told.push("interrupted");
        return options.fills ?? false;
      },
    },
  });
  const state = (): SubscriptionState | undefined =>
    watch.all.find(({ subscription }) => subscription.channel === "trades")?.state;
  /** Lets an event happen to the trades, and to nothing else where that is possible. */
  const happen = (event: SubscriptionEvent): void => {
    if (event === "requested") watch.onRequested(nowUs);
    else if (event === "acknowledged") watch.onAcknowledged(A, "trades", nowUs);
    else if (event === "refused") watch.onRefused(A, "trades", () => Infinity);
    else if (event === "data") watch.onData(A, "trades", nowUs);
    else if (event === "disconnected") watch.onDisconnected();
    else {
      nowUs += SILENCE_MS * 1000 + 1;
      watch.check(nowUs, () => recovered.push(nowUs));
    }
  };
  const toldOfTrades = () => told.filter((text) => text.startsWith("A/trades"));
  return { watch, told, toldOfTrades, recovered, state, happen };
}

/** How each state is reached. */
const WAYS: Readonly<Record<SubscriptionState, readonly SubscriptionEvent[]>> = {
  pending: [],
  live: ["data"],
  stale: ["silent"],
  refused: ["refused"],
  down: ["disconnected"],
};

/** What follows: the next state, and what is told of it. */
const GRID: Readonly<
  Record<SubscriptionState, Readonly<Record<SubscriptionEvent, readonly [string, string?]>>>
> = {
  pending: {
    requested: ["pending"],
    acknowledged: ["live", "live subscribed"],
    refused: ["refused", "down refused"],
    data: ["live", "live data"],
    silent: ["stale", "stale silent"],
    disconnected: ["down", "down disconnected"],
  },
  live: {
    requested: ["live"],
    acknowledged: ["live"],
    refused: ["refused", "down refused"],
    data: ["live"],
    silent: ["stale", "stale silent"],
    disconnected: ["down", "down disconnected"],
  },
  stale: {
    requested: ["stale"],
    acknowledged: ["stale"],
    refused: ["refused", "down refused"],
    data: ["live", "live data-resumed"],
    silent: ["stale"],
    disconnected: ["down", "down disconnected"],
  },
  refused: {
    requested: ["pending", "syncing subscribing"],
    acknowledged: ["live", "live subscribed"],
    refused: ["refused", "down refused"],
    data: ["live", "live data"],
    silent: ["refused"],
    disconnected: ["down", "down disconnected"],
  },
  down: {
    requested: ["pending", "syncing subscribing"],
    acknowledged: ["live", "live subscribed"],
    refused: ["refused", "down refused"],
    data: ["live", "live data"],
    silent: ["down"],
    disconnected: ["down"],
  },
};

const CELLS = Object.entries(GRID).flatMap(([from, events]) =>
  Object.entries(events).map(([event, [next, told]]) => ({
    from: from as SubscriptionState,
    event: event as SubscriptionEvent,
    next,
    told,
  })),
);

describe("the life of a subscription", () => {
  test.each(CELLS)("$from and then $event: $next", ({ from, event, next, told }) => {
    const { happen, state, toldOfTrades } = create();
    for (const way of WAYS[from]) happen(way);
    expect(state()).toBe(from);
    const before = toldOfTrades().length;
    happen(event);
    expect(state()).toBe(next);
    expect(toldOfTrades().slice(before)).toEqual(told === undefined ? [] : [`A/trades ${told}`]);
  });

  test("whatever happens in the order of connections, the last thing that counts decides", () => {
    const events = fc.constantFrom<SubscriptionEvent>(
      "acknowledged",
      "refused",
      "data",
      "silent",
      "disconnected",
    );
    fc.assert(
      fc.property(fc.array(events, { maxLength: 40 }), (happened) => {
        const { happen, state, told, toldOfTrades } = create();
        /** What was last heard of it on this connection, and whether it had delivered before. */
        let heard: "nothing" | "flows" | "silence" | "refusal" = "nothing";
        let hadDelivered = false;
        let isInterrupted = false;
        let interruptions = 0;
        happen("requested");
        for (const event of happened) {
          happen(event);
          if (event === "data" || (event === "acknowledged" && heard !== "silence")) {
            if (isInterrupted) interruptions += 1;
            isInterrupted = false;
            heard = "flows";
          } else if (event === "refused") heard = "refusal";
          else if (event === "silent" && heard !== "refusal") heard = "silence";
          if (event === "disconnected") {
            hadDelivered = heard === "flows" || heard === "silence";
            isInterrupted ||= hadDelivered;
            heard = "nothing";
            happen("requested");
          }
          const expected = {
            nothing: "pending",
            flows: "live",
            silence: "stale",
            refusal: "refused",
          };
          expect(state()).toBe(expected[heard]);
          // Each interruption is told of once, when trades flow again, and not before.
          expect(told.filter((text) => text === "interrupted")).toHaveLength(interruptions);
        }
        const states = toldOfTrades().map((text) => text.split(" ")[1]);
        const repeated = states.filter((each, index) => index > 0 && each === states[index - 1]);
        expect(repeated.filter((each) => each !== "down")).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });
});

describe("trades after an interruption", () => {
  test("are told to have a gap if nobody fetches what was missed", () => {
    const { happen, toldOfTrades } = create({ fills: false });
    for (const event of ["data", "disconnected", "requested", "data"] as const) happen(event);
    expect(toldOfTrades().slice(-2)).toEqual(["A/trades gap reconnected", "A/trades live data"]);
  });

  test("are left to whoever fetches it", () => {
    const { happen, told, toldOfTrades } = create({ fills: true });
    for (const event of ["data", "disconnected", "requested", "data"] as const) happen(event);
    expect(told.at(-1)).toBe("interrupted");
    expect(toldOfTrades().at(-1)).toBe("A/trades syncing subscribing");
  });
});

describe("data", () => {
  test("that nobody asked for is not taken, or learnt where nothing says what was asked for", () => {
    const strict = create();
    expect(strict.watch.onData(B, "book", 1)).toBe(false);
    expect(strict.watch.onData(A, "book", 1)).toBe(false);
    const learning = create({ learn: true });
    expect(learning.watch.onData(B, "book", 1)).toBe(true);
    expect(learning.told).toEqual(["learnt B/book", "B/book live data"]);
    expect(learning.watch.isLive(B, "book")).toBe(true);
  });
});

test("a silent subscription is renewed after waits that double, up to 64 times the silence", () => {
  const { watch } = create();
  watch.onRequested(0);
  const waits: number[] = [];
  let lastUs = 0;
  for (let nowUs = 0; waits.length < 9; nowUs += 250_000) {
    watch.check(nowUs, () => {
      waits.push(Math.round((nowUs - lastUs) / (SILENCE_MS * 1000)));
      lastUs = nowUs;
    });
  }
  expect(waits).toEqual([2, 2, 4, 8, 16, 32, 64, 64, 64]);
});

test("counts what is judged and what of it is stale; a channel without a limit is not judged", () => {
  const { watch, happen } = create();
  happen("requested");
  expect(watch.check(1_000_000_000, () => {})).toEqual({ judged: 1, stale: 0 });
  expect(watch.check(1_002_000_000, () => {})).toEqual({ judged: 1, stale: 1 });
  happen("refused");
  expect(watch.check(1_003_000_000, () => {})).toEqual({ judged: 0, stale: 0 });
});
