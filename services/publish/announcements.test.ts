import { expect, test } from "vitest";
import { BusError } from "#bus/bus.ts";
import type { Bus } from "#bus/bus.ts";
import { announceSubject, DISCOVER_SUBJECT } from "#bus/subject.ts";
import { InvariantError } from "#core/assert.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { decodeAnnouncement } from "#wire/bus-codec.ts";
import { Announcements, PROGRESS_ROWS_MAX } from "./announcements.ts";
import type { TopicProgress } from "./publisher.ts";

function create(
  options: { readonly announceIntervalMs?: number; readonly publisherId?: string } = {},
) {
  const { announceIntervalMs = 500, publisherId = "p-1" } = options;
  const clock = new ManualClock();
  const published: string[] = [];
  /** What is taken with the next round. */
  const progress: TopicProgress[] = [];
  const handlers = new Map<string, () => void>();
  let failure: Error | undefined;
  const bus = {
    publish: (subject: string, payload: Uint8Array) => {
      if (failure !== undefined) throw failure;
      const { ingestorId, venue, catalogVersion, ...rest } = decodeAnnouncement(payload);
      expect(subject).toBe(announceSubject(venue));
      const { announceIntervalMs: intervalMs, epoch } = rest;
      const rows = rest.progress.map(({ symbol, channel, sequence }) => {
        return ` ${symbol}/${channel}=${sequence}`;
      });
      const end = rest.leaving ? " leaves" : "";
      const head = `${ingestorId} ${venue} ${catalogVersion} ${intervalMs} ${epoch}`;
      published.push(
        rows.length > 3 ? `${head} ${rows.length} topics` : head + rows.join("") + end,
      );
    },
    subscribe: (pattern: string, handler: () => void) => {
      handlers.set(pattern, handler);
      return { pattern, unsubscribe: () => handlers.delete(pattern) };
    },
  } as unknown as Bus;
  const logged: string[] = [];
  const log = (_fields: object, message: string): void => void logged.push(message);
  const publisherOf = (venue: string) => ({
    epoch: 42,
    continuedEpoch: undefined,
    takeProgress: () => {
      const rows = progress.filter((row) => row.venue === venue);
      progress.splice(0, progress.length, ...progress.filter((row) => row.venue !== venue));
      return rows;
    },
  });
  const venues = [
    { venue: "a", streamed: { version: 1 }, publisher: publisherOf("a") },
    { venue: "b", streamed: { version: 7 }, publisher: publisherOf("b") },
  ];
  const announcements = new Announcements({
    bus,
    clock,
    logger: { debug: log, info: log, warn: log, error: log },
    publisherId,
    announceIntervalMs,
    venues,
  });
  const fail = (error: Error | undefined): void => {
    failure = error;
  };
  return { announcements, clock, published, progress, handlers, logged, venues, fail };
}

test("each venue is announced with who publishes it, its version, the interval and the epoch", () => {
  const { announcements, published } = create();
  announcements.start();
  expect(published).toEqual(["p-1 a 1 500 42", "p-1 b 7 500 42"]);
});

test("they are repeated at the interval, neither before nor less often", () => {
  const { announcements, clock, published } = create();
  announcements.start();
  clock.advance(499.999);
  expect(published).toHaveLength(2);
  clock.advance(0.001);
  expect(published).toHaveLength(4);
  clock.advance(5_000);
  expect(published).toHaveLength(24);
});

test("who asks is answered at once, with what is streamed now", () => {
  const { announcements, published, handlers, venues } = create();
  announcements.start();
  venues[0] = { ...venues[0]!, streamed: { version: 2 } };
  handlers.get(DISCOVER_SUBJECT)?.();
  expect(published.slice(2)).toEqual(["p-1 a 2 500 42", "p-1 b 7 500 42"]);
});

test("a bus that is down is logged, and the next announcement is tried all the same", () => {
  const { announcements, clock, published, logged, fail } = create();
  fail(new BusError("publish-buffer-full", "full"));
  announcements.start();
  // Once for each venue.
  expect(new Set(logged)).toEqual(new Set(["the bus did not take an announcement"]));
  fail(undefined);
  clock.advance(500);
  expect(published).toHaveLength(2);
});

test("a bug in the bus is not taken for a bus that is down", () => {
  const { announcements, fail } = create();
  fail(new TypeError("not a function"));
  expect(() => announcements.start()).toThrow(TypeError);
});

test("topics that moved are named at the interval, and not when somebody asks", () => {
  const { announcements, clock, published, progress, handlers } = create();
  announcements.start();
  const topic = { venue: "b", symbol: "A-USD", channel: "mark-price" } as const;
  progress.push({ ...topic, sequence: 7 });
  handlers.get(DISCOVER_SUBJECT)?.();
  expect(published.slice(2)).toEqual(["p-1 a 1 500 42", "p-1 b 7 500 42"]);
  clock.advance(500);
  expect(published.slice(6)).toEqual(["p-1 b 7 500 42 A-USD/CHANNEL_MARK_PRICE=7"]);
});

test.each([
  [PROGRESS_ROWS_MAX - 1, [PROGRESS_ROWS_MAX - 1]],
  [PROGRESS_ROWS_MAX, [PROGRESS_ROWS_MAX]],
  [PROGRESS_ROWS_MAX + 4, [PROGRESS_ROWS_MAX, 4]],
])("%i topics are named in announcements of %j", (count, pages) => {
  const { announcements, clock, published, progress } = create();
  announcements.start();
  for (let sequence = 1; sequence <= count; sequence += 1) {
    progress.push({ venue: "a", symbol: `S${sequence}`, channel: "trades", sequence });
  }
  clock.advance(500);
  expect(published.slice(4)).toEqual([`p-1 a 1 500 42 ${pages[0]} topics`]);
  clock.advance(100);
  expect(published.slice(4)).toEqual(pages.map((rows) => `p-1 a 1 500 42 ${rows} topics`));
});

test("the last words are where everything stands, then that the publisher leaves", () => {
  const { announcements, published, progress } = create();
  announcements.start();
  progress.push({ venue: "a", symbol: "A-USD", channel: "trades", sequence: 9 });
  announcements.close();
  expect(published.slice(2)).toEqual([
    "p-1 a 1 500 42 A-USD/CHANNEL_TRADES=9",
    "p-1 a 1 500 42 leaves",
    "p-1 b 7 500 42 leaves",
  ]);
});

test("after the end there is silence, and no timer is left", () => {
  const { announcements, clock, published, handlers } = create();
  announcements.start();
  announcements.close();
  announcements.close();
  clock.advance(10_000);
  // The two at the end say that the publisher leaves.
  expect(published).toHaveLength(4);
  expect(handlers.size).toBe(0);
  expect(clock.pending).toBe(0);
});

test("a publisher without an identity or an interval is a bug", () => {
  expect(() => create({ publisherId: "" })).toThrow(InvariantError);
  expect(() => create({ announceIntervalMs: 0 })).toThrow(InvariantError);
  const { announcements } = create();
  announcements.start();
  expect(() => announcements.start()).toThrow(InvariantError);
});
