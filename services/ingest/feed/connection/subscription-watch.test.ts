import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { fakeInstrument } from "#test/support/fake-feed.ts";
import { SUBSCRIPTION_LIFE } from "./subscription-life.ts";
import type { SubscriptionEvent, SubscriptionState } from "./subscription-life.ts";
import { SubscriptionWatch } from "./subscription-watch.ts";

const A = fakeInstrument("A");
const B = fakeInstrument("B");
const SILENCE_MS = 1_000;

type Created = {
  readonly learn?: boolean;
  readonly fills?: boolean;
  readonly firstDataMsMax?: number;
  readonly doubtMs?: number;
  /** Trades may be silent for ever. */
  readonly unlimited?: boolean;
};

function create(options: Created = {}) {
  const told: string[] = [];
  const recovered: number[] = [];
  let nowUs = 1_000_000_000;
  const watch = new SubscriptionWatch({
    subscriptions: [
      { instrument: A, channel: "trades" },
      { instrument: A, channel: "quotes" },
    ],
    expect: ({ channel }) => ({
      silenceMsMax: channel === "trades" && options.unlimited !== true ? SILENCE_MS : undefined,
      isAlwaysSpoken: false,
      firstDataMsMax: options.firstDataMsMax,
      doubtMs: options.doubtMs,
    }),
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
  const trades = watch.find(A, "trades");
  if (trades === undefined) throw new Error("trades are watched");
  let isAsked = true;
  const doubt = (): boolean => isAsked;
  const look = (): void => {
    watch.check(nowUs, { recover: () => recovered.push(nowUs), doubt });
  };
  /** Lets an event happen to the trades, and to nothing else where that is possible. */
  const happen = (event: SubscriptionEvent): void => {
    const refusal = { askAgainUs: Infinity, words: "" };
    switch (event) {
      case "requested":
        return watch.onRequested(nowUs);
      case "acknowledged":
      case "promised":
        return watch.onAcknowledged(A, "trades", nowUs);
      case "put-off":
        return watch.onRefused(trades, { ...refusal, final: false });
      case "refused":
        return watch.onRefused(trades, { ...refusal, final: true });
      case "data":
        return void watch.onData(A, "trades", nowUs);
      case "disconnected":
        return watch.onDisconnected();
      case "nothing-missed":
        return watch.onVerdict(trades, "alive", nowUs);
      case "unserved":
        return watch.onVerdict(trades, "dead", nowUs);
      case "unanswered":
        for (let asks = 0; asks < 3; asks += 1) watch.takeUnanswered(Infinity);
        return;
      case "silent":
      case "doubted":
        isAsked = event === "doubted";
        nowUs += SILENCE_MS * 1000 + 1;
        return look();
    }
  };
  const pass = (milliseconds: number): void => {
    nowUs += milliseconds * 1000;
    look();
  };
  const toldOfTrades = () => told.filter((text) => text.startsWith("A/trades"));
  return { watch, trades, told, toldOfTrades, recovered, state, happen, pass };
}

/** What follows each event in each state, and what is told: written out by hand. */
const GRID = {
  pending: {
    requested: "pending",
    acknowledged: "live: live subscribed",
    promised: "acknowledged: syncing acknowledged",
    "put-off": "waiting: syncing refused-for-now",
    refused: "refused: down refused",
    data: "live: live data",
    silent: "stale: stale silent",
    doubted: "pending",
    "nothing-missed": "pending",
    unserved: "unserved: down not-served",
    unanswered: "unserved: down not-answered",
    disconnected: "down: down disconnected",
  },
  acknowledged: {
    requested: "pending",
    acknowledged: "live: live subscribed",
    promised: "acknowledged",
    "put-off": "waiting: syncing refused-for-now",
    refused: "refused: down refused",
    data: "live: live data",
    silent: "stale: stale silent",
    doubted: "acknowledged",
    "nothing-missed": "acknowledged",
    unserved: "unserved: down not-served",
    unanswered: "acknowledged",
    disconnected: "down: down disconnected",
  },
  live: {
    requested: "live",
    acknowledged: "live",
    promised: "live",
    "put-off": "waiting: syncing refused-for-now",
    refused: "refused: down refused",
    data: "live",
    silent: "stale: stale silent",
    doubted: "doubted",
    "nothing-missed": "live",
    unserved: "stale: stale not-served",
    unanswered: "live",
    disconnected: "down: down disconnected",
  },
  doubted: {
    requested: "doubted",
    acknowledged: "doubted",
    promised: "doubted",
    "put-off": "waiting: syncing refused-for-now",
    refused: "refused: down refused",
    data: "live",
    silent: "stale: stale silent",
    doubted: "doubted",
    "nothing-missed": "live",
    unserved: "stale: stale not-served",
    unanswered: "doubted",
    disconnected: "down: down disconnected",
  },
  stale: {
    requested: "stale",
    acknowledged: "stale",
    promised: "stale",
    "put-off": "waiting: syncing refused-for-now",
    refused: "refused: down refused",
    data: "live: live data-resumed",
    silent: "stale",
    doubted: "stale",
    "nothing-missed": "live: live nothing-missed",
    unserved: "stale",
    unanswered: "stale",
    disconnected: "down: down disconnected",
  },
  unserved: {
    requested: "pending",
    acknowledged: "live: live subscribed",
    promised: "unserved",
    "put-off": "waiting: syncing refused-for-now",
    refused: "refused: down refused",
    data: "live: live data",
    silent: "unserved",
    doubted: "unserved",
    "nothing-missed": "unserved",
    unserved: "unserved",
    unanswered: "unserved",
    disconnected: "down: down disconnected",
  },
  waiting: {
    requested: "pending: syncing subscribing",
    acknowledged: "live: live subscribed",
    promised: "acknowledged: syncing acknowledged",
    "put-off": "waiting: syncing refused-for-now",
    refused: "refused: down refused",
    data: "live: live data",
    silent: "waiting",
    doubted: "waiting",
    "nothing-missed": "waiting",
    unserved: "waiting",
    unanswered: "waiting",
    disconnected: "down: down disconnected",
  },
  refused: {
    requested: "pending: syncing subscribing",
    acknowledged: "live: live subscribed",
    promised: "acknowledged: syncing acknowledged",
    "put-off": "refused",
    refused: "refused: down refused",
    data: "live: live data",
    silent: "refused",
    doubted: "refused",
    "nothing-missed": "refused",
    unserved: "refused",
    unanswered: "refused",
    disconnected: "down: down disconnected",
  },
  down: {
    requested: "pending: syncing subscribing",
    acknowledged: "live: live subscribed",
    promised: "acknowledged: syncing acknowledged",
    "put-off": "waiting: syncing refused-for-now",
    refused: "refused: down refused",
    data: "live: live data",
    silent: "down",
    doubted: "down",
    "nothing-missed": "down",
    unserved: "down",
    unanswered: "down",
    disconnected: "down",
  },
} as const satisfies Record<SubscriptionState, Record<SubscriptionEvent, string>>;

const CELLS = Object.entries(GRID).flatMap(([from, events]) =>
  Object.entries(events).map(([event, outcome]) => ({ from, event, outcome })),
);

describe("the life of a subscription", () => {
  test.each(CELLS)("$from and then $event: $outcome", ({ from, event, outcome }) => {
    const { next, told } = SUBSCRIPTION_LIFE[from as SubscriptionState][event as SubscriptionEvent];
    const text = told === undefined ? next : `${next}: ${told.state} ${told.reason}`;
    expect(text).toBe(outcome);
  });

  test("the venue's REST says nothing about what is not expected", () => {
    const { watch, trades, state, happen } = create({ doubtMs: SILENCE_MS });
    for (const verdict of ["alive", "dead", "unknown"] as const) {
      for (const way of ["requested", "refused", "put-off", "disconnected"] as const) {
        happen(way);
        const before = state();
        watch.onVerdict(trades, verdict, 0);
        expect(state()).toBe(before);
      }
    }
  });

  test("whatever happens in the order of connections, the last thing that counts decides", () => {
    const events = fc.constantFrom<SubscriptionEvent>(
      "acknowledged",
      "refused",
      "put-off",
      "data",
      "silent",
      "disconnected",
    );
    fc.assert(
      fc.property(fc.array(events, { maxLength: 40 }), (happened) => {
        const { happen, state, told, toldOfTrades } = create();
        /** What was last heard of it on this connection, and whether it had delivered before. */
        let heard: "nothing" | "flows" | "silence" | "refusal" | "put off" = "nothing";
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
          else if (event === "put-off" && heard !== "refusal") heard = "put off";
          else if (event === "silent" && !["refusal", "put off"].includes(heard)) heard = "silence";
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
            "put off": "waiting",
          };
          expect(state()).toBe(expected[heard]);
          // Each interruption is told of once, when trades flow again, and not before.
          expect(told.filter((text) => text === "interrupted")).toHaveLength(interruptions);
        }
        const states = toldOfTrades().map((text) => text.split(" ")[1]);
        const repeated = states.filter((each, index) => index > 0 && each === states[index - 1]);
        expect(repeated.filter((each) => each !== "down" && each !== "syncing")).toEqual([]);
      }),
      { numRuns: 500 },
    );
  });

  test("whose first data must come is never told to be live before it came", () => {
    const events = fc.constantFrom<SubscriptionEvent>(
      "promised",
      "refused",
      "put-off",
      "data",
      "silent",
      "doubted",
      "nothing-missed",
      "unserved",
      "disconnected",
    );
    fc.assert(
      fc.property(fc.array(events, { maxLength: 40 }), (happened) => {
        const { happen, state, toldOfTrades } = create({ firstDataMsMax: 1, doubtMs: SILENCE_MS });
        let hasData = false;
        happen("requested");
        for (const event of happened) {
          const before = toldOfTrades().length;
          if (event === "disconnected") hasData = false;
          if (event === "data") hasData = true;
          happen(event);
          if (event === "disconnected") happen("requested");
          const isToldLive = toldOfTrades()
            .slice(before)
            .some((text) => / live /.test(text));
          expect(hasData || (!isToldLive && state() !== "live" && state() !== "doubted")).toBe(
            true,
          );
        }
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
    const recover = (): void => {
      waits.push(Math.round((nowUs - lastUs) / (SILENCE_MS * 1000)));
      lastUs = nowUs;
    };
    watch.check(nowUs, { recover });
  }
  expect(waits).toEqual([2, 2, 4, 8, 16, 32, 64, 64, 64]);
});

test("counts what is judged and what of it is stale; a channel without a limit is not judged", () => {
  const { watch, happen } = create();
  happen("requested");
  expect(watch.check(1_000_000_000, { recover: () => {} })).toEqual({
    judged: 1,
    stale: 0,
    attempts: 0,
  });
  expect(watch.check(1_002_000_000, { recover: () => {} })).toEqual({
    judged: 1,
    stale: 1,
    attempts: 0,
  });
  happen("refused");
  expect(watch.check(1_003_000_000, { recover: () => {} })).toEqual({
    judged: 0,
    stale: 0,
    attempts: 0,
  });
});

describe("first data that must come", () => {
  test("is asked for anew after growing waits, and told to be missing the third time", () => {
    const { happen, state, pass, recovered, toldOfTrades } = create({
      firstDataMsMax: 100,
      unlimited: true,
    });
    happen("requested");
    happen("promised");
    pass(99);
    expect([state(), recovered.length]).toEqual(["acknowledged", 0]);
    pass(1);
    expect([state(), recovered.length]).toEqual(["acknowledged", 1]);
    pass(199);
    expect(recovered).toHaveLength(1);
    pass(1);
    expect([state(), recovered.length]).toEqual(["acknowledged", 2]);
    pass(400);
    expect([state(), recovered.length]).toEqual(["unserved", 3]);
    expect(toldOfTrades().at(-1)).toBe("A/trades down not-served");
    happen("promised");
    expect(state()).toBe("unserved");
    happen("data");
    expect(toldOfTrades().at(-1)).toBe("A/trades live data");
  });
});

describe("a quiet subscription of which the venue can be asked", () => {
  const quiet = () => {
    const made = create({ doubtMs: SILENCE_MS, unlimited: true });
    made.happen("requested");
    made.happen("acknowledged");
    made.happen("doubted");
    return made;
  };

  test("is live while nothing speaks against it, and looked at more and more seldom", () => {
    const { happen, state, pass, told } = quiet();
    const before = told.length;
    const waits: number[] = [];
    for (let doubts = 0; doubts < 8; doubts += 1) {
      expect(state()).toBe("doubted");
      happen("nothing-missed");
      let waitedMs = 0;
      for (; state() === "live"; waitedMs += SILENCE_MS) pass(SILENCE_MS);
      waits.push(waitedMs);
    }
    expect(told.length).toBe(before);
    expect(waits.at(-1)).toBeGreaterThan((waits[0] ?? 0) * 8);
  });

  test("is stale once the venue had news that did not come, and asked for anew", () => {
    const { happen, state, toldOfTrades, pass, recovered } = quiet();
    happen("unserved");
    expect(toldOfTrades().at(-1)).toBe("A/trades stale not-served");
    pass(0);
    expect(recovered).toHaveLength(1);
    happen("data");
    expect([state(), toldOfTrades().at(-1)]).toEqual(["live", "A/trades live data-resumed"]);
  });

  test("is not dead if its news come before the verdict", () => {
    const { happen, state } = quiet();
    happen("data");
    happen("unserved");
    expect(state()).toBe("live");
  });

  test("that has no limit of its own stays live if the venue does not say", () => {
    const { watch, trades, state } = quiet();
    watch.onVerdict(trades, "unknown", 1_000_000_000);
    expect(state()).toBe("live");
  });

  test("that has a limit is stale if the venue does not say", () => {
    const { watch, trades, happen, state } = create({ doubtMs: SILENCE_MS });
    for (const event of ["requested", "acknowledged", "doubted"] as const) happen(event);
    expect(state()).toBe("doubted");
    watch.onVerdict(trades, "unknown", 1_100_000_000);
    expect(state()).toBe("stale");
  });
});
