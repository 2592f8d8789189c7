import { describe, expect, test } from "vitest";
import type { MarketEvent } from "#core/market-event.ts";
import {
  bookFrame,
  createFakeAdapter,
  FakeDialer,
  FakeRest,
  tradeFrame,
} from "#test/support/fake-feed.ts";
import type { FakeAdapterOptions } from "#test/support/fake-feed.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { createPublisherCounters, Publisher } from "#publish/publisher.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { ingestConfig } from "../config.ts";
import type { FeedAdapter } from "../feed/feed-adapter.ts";
import { FEED_POLICY_DEFAULTS } from "../feed/feed-policy.ts";
import type { FeedPolicy } from "../feed/feed-policy.ts";
import { INGEST_LIMITS_DEFAULTS } from "../limits.ts";
import { VenueIngest } from "./venue-ingest.ts";

function start(
  options: FakeAdapterOptions & {
    readonly adapter?: (adapter: FeedAdapter) => FeedAdapter;
    readonly policy?: Partial<FeedPolicy>;
    readonly instruments?: string[];
    readonly endpoints?: Record<string, string>;
    readonly instrumentsIntervalMs?: number;
  } = {},
) {
  const clock = new ManualClock();
  const dialer = new FakeDialer();
  const rest = new FakeRest();
  const events: MarketEvent[] = [];
  const errors: unknown[] = [];
  const { instruments = [], endpoints = {}, instrumentsIntervalMs } = options;
  const ended: string[] = [];
  const { venues } = ingestConfig({
    venues: [{ id: "kraken", instruments, endpoints, instrumentsIntervalMs }],
  });
  const [config] = venues;
  const made = createFakeAdapter(options);
  if (config === undefined) throw new Error("no configuration");
  const venue = new VenueIngest({
    config,
    adapter: options.adapter?.(made) ?? made,
    limits: INGEST_LIMITS_DEFAULTS,
    policy: { ...FEED_POLICY_DEFAULTS, reconnectBackoffBaseMs: 100, ...options.policy },
    clock,
    random: () => 0.5,
    network: { dialer, restClient: rest },
    logger: { debug() {}, info() {}, warn() {}, error: (fields) => errors.push(fields) },
    publisher: new Publisher({
      clock,
      epoch: 1,
      limits: PUBLISH_LIMITS_DEFAULTS,
      schedule: () => {},
      counters: createPublisherCounters(),
      logger: { debug() {}, info() {}, warn() {}, error() {} },
    }),
    emit: (event) => events.push(event),
    onEnded: ({ symbol }) => ended.push(symbol),
    onChange: () => {},
  });
  venue.start();
  const streamed = () =>
    venue.view.streamed.page("", 100).instruments.map(({ instrument, channels }) => {
      const names = channels.filter((channel) => channel !== "status");
      return `${instrument.symbol} ${names.join(",")}`;
    });
  return { clock, dialer, rest, events, errors, venue, streamed, ended };
}

describe("lists of instruments", () => {
  test("are fetched one after the other before anything is streamed", () => {
    const { rest, dialer, streamed } = start({ lists: ["/spot", "/perp"] });
    expect(rest.urls).toEqual(["fake://rest/instruments/spot"]);
    rest.answer(200, '["A"]');
    expect(dialer.sockets).toHaveLength(0);
    rest.answer(200, '["B"]');
    expect(dialer.sockets).toHaveLength(1);
    expect(streamed()).toEqual(["A trades,quotes,book", "B trades,quotes,book"]);
  });

  test.each([
    { pagesMax: 2, asked: 2, errors: 1 },
    { pagesMax: 3, asked: 3, errors: 0 },
    { pagesMax: 4, asked: 3, errors: 0 },
  ])("of 3 pages are read up to $pagesMax; what is left out is logged", (row) => {
    const policy = { instrumentsPagesMax: row.pagesMax };
    const { rest, dialer, errors } = start({ paged: true, policy });
    rest.answer(200, '["A"] next');
    rest.answer(200, '["B"] next');
    if (rest.waiting.length > 0) rest.answer(200, '["C"]');
    expect(rest.urls).toHaveLength(row.asked);
    expect(rest.urls.at(-1)).toBe(`fake://rest/instruments${"+".repeat(row.asked - 1)}`);
    expect(errors).toHaveLength(row.errors);
    expect(dialer.sockets).toHaveLength(1);
  });

  test.each([
    { failures: 2, dialled: 0 },
    { failures: 3, dialled: 1 },
    { failures: 4, dialled: 1 },
  ])("of which one failed $failures times, with 3 allowed, start $dialled connections", (row) => {
    const policy = { instrumentsAttemptsMax: 3 };
    const { rest, clock, dialer, streamed } = start({ lists: ["/spot", "/perp"], policy });
    const failures = { left: row.failures };
    for (let step = 0; step < 200 && failures.left > 0; step += 1) {
      if (rest.waiting.length === 0) clock.advance(50);
      else if (rest.waiting[0]?.request.url.endsWith("/perp")) rest.answer(200, '["B"]');
      else {
        rest.answer(503);
        failures.left -= 1;
      }
    }
    if (rest.waiting[0]?.request.url.endsWith("/perp") === true) rest.answer(200, '["B"]');
    expect(dialer.sockets).toHaveLength(row.dialled);
    expect(streamed()).toEqual(row.dialled === 0 ? [] : ["B trades,quotes,book"]);
  });

  test("that come late get connections of their own, and leave the others alone", () => {
    const policy = { instrumentsAttemptsMax: 1 };
    const { rest, clock, dialer, streamed } = start({ lists: ["/spot", "/perp"], policy });
    rest.answer(503);
    rest.answer(200, '["B"]');
    const first = dialer.last.open();
    while (rest.waiting.length === 0) clock.advance(10);
    rest.answer(200, '["A","B"]');
    expect(dialer.sockets).toHaveLength(2);
    dialer.last.open();
    expect(dialer.last.sent).toEqual([
      "subscribe A/trades",
      "subscribe A/quotes",
      "subscribe A/book",
    ]);
    expect(first.sent).toHaveLength(3);
    expect(first.ended).toBeUndefined();
    expect(streamed()).toHaveLength(2);
    clock.advance(600_000);
    expect(rest.urls.filter((url) => url.endsWith("/spot"))).toHaveLength(2);
  });

  test("none of which can be had are asked for on and on, with growing waits", () => {
    const { rest, clock, dialer } = start({ policy: { reconnectBackoffMsMax: 1_000 } });
    const waitsMs: number[] = [];
    for (let failures = 0; failures < 8; failures += 1) {
      const startUs = clock.nowUs();
      rest.answer(503);
      while (rest.waiting.length === 0) clock.advance(1);
      waitsMs.push((clock.nowUs() - startUs) / 1000);
    }
    expect(waitsMs.slice(0, 4)).toEqual([50, 100, 200, 400]);
    expect(Math.max(...waitsMs)).toBe(500);
    rest.answer(200, '["A"]');
    expect(dialer.sockets).toHaveLength(1);
  });

  test("that lack a wanted instrument say so once all of them are there", () => {
    const policy = { instrumentsAttemptsMax: 1 };
    const lists = ["/spot", "/perp"];
    const { rest, clock, errors } = start({ lists, policy, instruments: ["A", "B", "X"] });
    rest.answer(503);
    rest.answer(200, '["B"]');
    expect(errors).toEqual([]);
    while (rest.waiting.length === 0) clock.advance(10);
    rest.answer(200, '["A"]');
    expect(errors).toEqual([{ venue: "fake", instrument: "X" }]);
  });
});

describe("what no connection carries", () => {
  const polling = {
    adapter: (adapter: FeedAdapter): FeedAdapter => ({
      ...adapter,
      channels: ["trades", "ticker", "open-interest"],
      // The fake venue has spot only, which has no open interest: so a ticker stands in.
      polls: [
        {
          channel: "ticker",
          intervalMs: 10_000,
          requests: (instruments, { rest }) =>
            instruments.map(({ symbol }) => ({ url: `${rest}/ticker/${symbol}`, weight: 1 })),
        },
      ],
      planConnections: (subscriptions, { webSocket }) => [
        {
          url: webSocket,
          subscriptions: subscriptions.filter(
            ({ instrument, channel }) => channel !== "ticker" || instrument.symbol === "B",
          ),
        },
      ],
    }),
  };

  test("is polled where the venue has it by REST, and streamed like the rest", () => {
    const { rest, dialer, events, streamed, venue } = start(polling);
    rest.answer(200, '["A","B"]');
    expect(rest.urls.slice(1)).toEqual(["fake://rest/ticker/A"]);
    expect(streamed()).toEqual(["A trades,ticker", "B trades,ticker"]);
    dialer.last.open();
    expect(dialer.last.sent).toEqual([
      "subscribe A/trades",
      "subscribe B/trades",
      "subscribe B/ticker",
    ]);
    rest.answer(200, '{"kind":"ticker","symbol":"A"}');
    expect(events.filter(({ kind }) => kind === "ticker")).toHaveLength(1);
    expect(venue.counters.polls).toBe(1);
    venue.close();
  });

  test("and is not polled either is not announced", () => {
    const { rest, streamed } = start({
      adapter: (adapter) => ({
        ...adapter,
        planConnections: (subscriptions, { webSocket }) => [
          {
            url: webSocket,
            subscriptions: subscriptions.filter(({ channel }) => channel === "trades"),
          },
        ],
      }),
    });
    rest.answer(200, '["A"]');
    expect(streamed()).toEqual(["A trades"]);
  });
});

test("only books that start with REST snapshots are refreshed by them", () => {
  const { rest, dialer, clock } = start({ snapshotBySymbol: { B: "request", C: "in-band" } });
  rest.answer(200, '["A","B","C"]');
  const snapshot = (symbol: string) =>
    bookFrame(symbol, { last: 1, snapshot: true, source: "rest" });
  dialer.last
    .open()
    .receive(
      bookFrame("A", { first: 1, last: 1 }),
      bookFrame("B", { first: 1, last: 1 }),
      snapshot("B"),
      bookFrame("C", { snapshot: true }),
    );
  rest.answer(200, snapshot("A"));
  clock.advance(INGEST_LIMITS_DEFAULTS.bookRefreshIntervalMs * 2);
  expect(new Set(rest.urls.slice(1))).toEqual(new Set(["fake://rest/book/A"]));
  expect(rest.urls.length).toBeGreaterThan(2);
});

test("the configuration's addresses stand in for the venue's, those for derivatives too", () => {
  const seen: unknown[] = [];
  const given = {
    webSocket: "fake://other",
    derivativesWebSocket: "fake://derivatives",
    derivativesRest: "fake://derivatives-rest",
  };
  const { rest } = start({
    endpoints: given,
    adapter: (adapter) => ({
      ...adapter,
      planConnections: (subscriptions, endpoints) => {
        seen.push(endpoints);
        return [{ url: endpoints.webSocket, subscriptions }];
      },
    }),
  });
  rest.answer(200, '["A"]');
  expect(seen).toEqual([{ ...given, rest: "fake://rest" }]);
});

describe("lists that are read again", () => {
  const INTERVAL_MS = 1_000;
  const DOUBT_MS = FEED_POLICY_DEFAULTS.listDoubtMs;
  const again = { instrumentsIntervalMs: INTERVAL_MS, policy: { instrumentsBudgetPart: 1 } };
  /** `trades down delisted` of one instrument. */
  const statesOf = (events: readonly MarketEvent[], symbol: string) =>
    events.flatMap((event) =>
      event.kind === "status" && event.instrument.symbol === symbol
        ? [`${event.channel} ${event.state} ${event.reason}`]
        : [],
    );

  test("bring what is new, on the connection that is there", () => {
    const { rest, dialer, clock, streamed } = start(again);
    rest.answer(200, '["A"]');
    const socket = dialer.last.open();
    clock.advance(INTERVAL_MS * 1.25);
    rest.answer(200, '["A","B"]');
    expect(streamed()).toEqual(["A trades,quotes,book", "B trades,quotes,book"]);
    expect(dialer.sockets).toHaveLength(1);
    expect(socket.sent.slice(3)).toEqual([
      "subscribe B/trades",
      "subscribe B/quotes",
      "subscribe B/book",
    ]);
  });

  test("are read once where the interval is 0", () => {
    const { rest, clock } = start({ instrumentsIntervalMs: 0 });
    rest.answer(200, '["A"]');
    clock.advance(86_400_000);
    expect(rest.urls).toHaveLength(1);
  });

  test("take no more of the venue's budget than they may, and none from others", () => {
    const { rest, clock } = start({
      instrumentsIntervalMs: 1,
      limits: { restWeight: { count: 10, intervalMs: 1_000 } },
    });
    rest.answer(200, '["A"]');
    clock.advance(3_700);
    expect(rest.urls).toHaveLength(1);
    clock.advance(3_000);
    expect(rest.urls).toHaveLength(2);
  });

  test("end what they lack twice: its channels are down for good, its place is free", () => {
    const { rest, dialer, clock, events, venue, streamed, ended } = start(again);
    rest.answer(200, '["A","B","C"]');
    const socket = dialer.last.open();
    clock.advance(INTERVAL_MS * 1.25);
    rest.answer(200, '["A","B"]');
    expect(streamed()).toHaveLength(3);
    clock.advance(DOUBT_MS);
    rest.answer(200, '["A","B"]');
    expect(streamed()).toEqual(["A trades,quotes,book", "B trades,quotes,book"]);
    expect(statesOf(events, "C").slice(-4)).toEqual([
      "trades down delisted",
      "quotes down delisted",
      "book down delisted",
      "status down delisted",
    ]);
    expect(socket.sent.slice(-3)).toEqual([
      "unsubscribe C/trades",
      "unsubscribe C/quotes",
      "unsubscribe C/book",
    ]);
    expect(ended).toEqual(["C"]);
    const count = events.length;
    socket.receive(tradeFrame("C", "1"));
    expect(events).toHaveLength(count);
    expect(venue.view.streamed.bySymbol("C")).toBeUndefined();
  });

  test("are not believed while they are empty, until they are so three times", () => {
    const { rest, dialer, clock, streamed, events } = start(again);
    rest.answer(200, '["A","B"]');
    const socket = dialer.last.open();
    clock.advance(INTERVAL_MS * 1.25);
    for (const left of [2, 2, 0]) {
      rest.answer(200, "[]");
      expect(streamed()).toHaveLength(left);
      clock.advance(DOUBT_MS);
    }
    expect(socket.ended).toBe("closed");
    expect(statesOf(events, "A").at(-1)).toBe("status down delisted");
  });

  test("of a venue at work on its systems end nothing", () => {
    const { rest, dialer, clock, streamed } = start(again);
    rest.answer(200, '["A","B"]');
    dialer.last.open();
    clock.advance(INTERVAL_MS * 1.25);
    for (const body of ["[]", "[]", '["A","B"]', "[]"]) {
      rest.answer(200, body);
      clock.advance(DOUBT_MS);
      expect(streamed()).toHaveLength(2);
    }
  });

  test("that are empty at first are not taken for all that there is", () => {
    const { rest, clock, venue, streamed } = start(again);
    rest.answer(200, "[]");
    expect(venue.view.streamed.complete).toBe(false);
    clock.advance(DOUBT_MS);
    rest.answer(200, '["A"]');
    expect([venue.view.streamed.complete, streamed().length]).toEqual([true, 1]);
  });

  test("that fail leave everything as it is", () => {
    const { rest, clock, streamed } = start({ ...again, lists: ["/a", "/b"] });
    rest.answer(200, '["A"]');
    rest.answer(200, '["B"]');
    clock.advance(INTERVAL_MS * 1.25);
    for (let failures = 0; failures < FEED_POLICY_DEFAULTS.instrumentsAttemptsMax; failures += 1) {
      rest.answer(503);
      clock.advance(30_000);
    }
    rest.answer(200, '["B","C"]');
    expect(streamed().map((each) => each.slice(0, 1))).toEqual(["A", "B", "C"]);
  });

  test("say by themselves what has ended, where the venue tells of its market", () => {
    const { rest, dialer, clock, events } = start({ ...again, instrumentsIntervalMs: 3_600_000 });
    rest.answer(200, '["A","B"]');
    const socket = dialer.last.open();
    socket.receive('{"kind":"instrument-state","symbol":"A","state":"halted","word":"stop"}');
    expect(statesOf(events, "A").at(-1)).toBe("status live instrument-state");
    socket.receive('{"kind":"instrument-state","symbol":"A","state":"delisted","word":"end"}');
    expect(statesOf(events, "A").at(-1)).toBe("status down delisted");
    socket.receive('{"kind":"list-changed"}', '{"kind":"list-changed"}');
    clock.advance(FEED_POLICY_DEFAULTS.instrumentsHintMs);
    expect(rest.urls.filter((url) => url.endsWith("/instruments"))).toHaveLength(2);
  });

  test("tell of maintenance on all that is followed, and of its end", () => {
    const { rest, dialer, clock, events } = start();
    rest.answer(200, '["A","B"]');
    const socket = dialer.last.open();
    const told = () =>
      events.flatMap((event) =>
        event.kind === "status" && event.channel === "status"
          ? [`${event.instrument.symbol} ${event.instrumentState} ${event.stateWord ?? "-"}`]
          : [],
      );
    socket.receive('{"kind":"venue-state","state":"maintenance","word":"maintenance"}');
    clock.advance(1);
    expect(told()).toEqual(["A maintenance maintenance", "B maintenance maintenance"]);
    socket.receive('{"kind":"venue-state","state":"trading","word":"online"}');
    clock.advance(1);
    expect(told().slice(2)).toEqual(["A trading -", "B trading -"]);
  });
});

test("what a venue takes from one address is asked for, and the rest is told", () => {
  const { rest, dialer, events } = start({
    limits: { address: { subscriptionsMax: 4 } },
  });
  rest.answer(200, '["A","B"]');
  dialer.last.open();
  expect(dialer.last.sent).toHaveLength(4);
  const told = events.flatMap((event) =>
    event.kind === "status" && event.reason === "address-limit"
      ? [`${event.instrument.symbol}/${event.channel} ${event.state}`]
      : [],
  );
  expect(told).toEqual(["B/quotes down", "B/book down"]);
});
