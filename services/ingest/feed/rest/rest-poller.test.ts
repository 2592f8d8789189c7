import { describe, expect, test } from "vitest";
import {
  createFakeAdapter,
  fakeSubscriptions,
  openInterestFrame,
} from "#test/support/fake-feed.ts";
import { startFakeSession } from "#test/support/fake-session.ts";
import type { FakeSessionOptions } from "#test/support/fake-session.ts";
import { RestPoller } from "./rest-poller.ts";
import type { RestPoll } from "../feed-adapter.ts";
import { VenueRest } from "./venue-rest.ts";

/** One request for each instrument. */
const EACH: RestPoll = {
  channel: "open-interest",
  intervalMs: 10_000,
  requests: (instruments, { rest }) =>
    instruments.map(({ symbol }) => ({ url: `${rest}/oi/${symbol}`, weight: 1 })),
};
/** One request for all. */
const ALL: RestPoll = { ...EACH, requests: (_, { rest }) => [{ url: `${rest}/oi`, weight: 1 }] };

function start(
  symbols: readonly string[],
  poll: RestPoll = EACH,
  options: Partial<FakeSessionOptions> = {},
) {
  const names = symbols.map((symbol) => `${symbol}/open-interest`);
  const started = startFakeSession({ topics: names, ...options });
  // It lends its surroundings, no more.
  started.session.close();
  const { rest, snapshots, counters, driver, catalog, context } = started;
  const adapter = createFakeAdapter();
  const { endpoints } = adapter;
  const poller = new RestPoller({
    ...context,
    adapter,
    rest: new VenueRest({ endpoints, restClient: rest, snapshots }),
    decoder: adapter.createDecoder(context),
    counters,
    sink: driver,
  });
  poller.add(poll, fakeSubscriptions(catalog, names));
  const values = () => started.ofKind("open-interest").map((event) => event.openInterest);
  return { ...started, poller, values };
}

describe("a polled channel", () => {
  test("is live from its first data on", () => {
    const { rest, statuses, values, counters } = start(["A"]);
    expect(rest.urls).toEqual(["fake://rest/oi/A"]);
    rest.answer(200, openInterestFrame("A", "5"));
    expect(values()).toEqual(["5"]);
    expect(statuses()).toEqual(["A/open-interest syncing connecting", "A/open-interest live data"]);
    expect(counters).toMatchObject({ polls: 1, pollsFailed: 0 });
  });

  test.each([
    { random: 0, intervalMs: 7_500 },
    { random: 0.5, intervalMs: 10_000 },
    { random: 0.9, intervalMs: 12_000 },
  ])("is asked for again after an interval that jitters: $intervalMs ms", (row) => {
    const { rest, clock } = start(["A"], EACH, { random: row.random });
    rest.answer(200, openInterestFrame("A"));
    clock.advance(row.intervalMs - 1);
    expect(rest.urls).toHaveLength(1);
    clock.advance(1);
    expect(rest.urls).toHaveLength(2);
  });

  test("has the next round wait for a slow one, and a little more", () => {
    const { rest, clock } = start(["A"]);
    clock.advance(60_000);
    expect(rest.urls).toHaveLength(1);
    rest.answer(200, openInterestFrame("A"));
    clock.advance(2_499);
    expect(rest.urls).toHaveLength(1);
    clock.advance(1);
    expect(rest.urls).toHaveLength(2);
  });

  test.each([
    { inFlightMax: 1, asked: 1 },
    { inFlightMax: 3, asked: 3 },
    { inFlightMax: 4, asked: 3 },
  ])("of 3 instruments has $asked requests under way, where $inFlightMax may be", (row) => {
    const policy = { pollsInFlightMax: row.inFlightMax };
    const { rest } = start(["A", "B", "C"], EACH, { policy });
    expect(rest.waiting).toHaveLength(row.asked);
    for (let answered = 0; answered < 3; answered += 1) rest.answer(200, "");
    expect(rest.urls).toHaveLength(3);
  });

  test("takes out of an answer about everything what was wanted, and counts what it cannot use", () => {
    const { rest, values, counters } = start(["A"], ALL);
    const damaged = '{"kind":"rejected","reason":"bad-decimal","channel":"open-interest"}';
    rest.answer(200, [openInterestFrame("B"), openInterestFrame("A", "7"), damaged].join("\n"));
    expect(values()).toEqual(["7"]);
    expect(counters.rejected).toEqual({ "bad-decimal": 1 });
    expect(counters.unrequested).toBe(0);
  });

  test("waits for what else is asked of the venue, and uses half of the budget at most", () => {
    const { rest, clock } = start(["A", "B", "C", "D"], EACH, {
      limits: { restWeight: { count: 4, intervalMs: 1_000 } },
    });
    expect(rest.urls).toHaveLength(2);
    clock.advance(1_000);
    expect(rest.urls).toHaveLength(4);
  });

  test("is left alone during a pause that the venue wished", () => {
    const { rest, clock, counters } = start(["A"]);
    rest.answer(429, "", 30_000);
    clock.advance(29_999);
    expect(rest.urls).toHaveLength(1);
    clock.advance(1);
    expect(rest.urls).toHaveLength(2);
    expect(counters).toMatchObject({ rateLimited: 1, pollsFailed: 1 });
  });

  test("is not asked for once it is closed", () => {
    const { rest, clock, poller, snapshots, values } = start(["A"]);
    snapshots.close();
    poller.close();
    rest.answer(200, openInterestFrame("A"));
    clock.advance(60_000);
    expect(values()).toEqual([]);
    expect(clock.pending).toBe(0);
  });
});

describe("a poll that fails", () => {
  const rounds = (count: number, status: number, before: readonly string[] = []) => {
    const started = start(["A"], EACH, { policy: { pollRoundsFailedMax: 3 } });
    for (const body of before) {
      started.rest.answer(200, body);
      started.clock.advance(10_000);
    }
    for (let round = 0; round < count; round += 1) {
      started.rest.answer(status);
      started.clock.advance(10_000);
    }
    return started;
  };

  test.each([
    { count: 2, status: 503, state: "live data" },
    { count: 3, status: 503, state: "stale poll-failed" },
    { count: 4, status: 503, state: "stale poll-failed" },
    { count: 3, status: 200, state: "stale poll-empty" },
  ])("$count times with $status after data is $state", ({ count, status, state }) => {
    const { statuses } = rounds(count, status, [openInterestFrame("A")]);
    expect(statuses().at(-1)).toBe(`A/open-interest ${state}`);
  });

  test("from the start on makes the channel down, and the next data live", () => {
    const { statuses, rest, counters } = rounds(3, 503);
    expect(statuses().at(-1)).toBe("A/open-interest down poll-failed");
    expect(counters.pollsFailed).toBe(3);
    rest.answer(200, openInterestFrame("A"));
    expect(statuses().at(-1)).toBe("A/open-interest live data");
  });

  test("for one instrument does not touch the others", () => {
    const { rest, clock, statuses } = start(["A", "B"]);
    for (let round = 0; round < 4; round += 1) {
      rest.answer(400);
      rest.answer(200, openInterestFrame("B"));
      clock.advance(10_000);
    }
    expect(statuses().slice(-2)).toEqual([
      "B/open-interest live data",
      "A/open-interest down poll-failed",
    ]);
  });

  test.each([
    { unansweredMax: 2, asked: 2 },
    { unansweredMax: 3, asked: 3 },
    { unansweredMax: 4, asked: 3 },
  ])("without any answer, $unansweredMax times, ends the round of 3 after $asked", (row) => {
    const policy = { pollsInFlightMax: 1, pollsUnansweredMax: row.unansweredMax };
    const { rest } = start(["A", "B", "C"], EACH, { policy });
    while (rest.waiting.length > 0) rest.waiting.shift()?.fail("timeout");
    expect(rest.urls).toHaveLength(row.asked);
  });
});
