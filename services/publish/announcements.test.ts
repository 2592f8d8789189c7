import { expect, test } from "vitest";
import { BusError } from "#bus/bus.ts";
import type { Bus } from "#bus/bus.ts";
import { ANNOUNCE_SUBJECT, DISCOVER_SUBJECT } from "#bus/subject.ts";
import { InvariantError } from "#core/assert.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { decodeAnnouncement } from "#wire/bus-codec.ts";
import { Announcements } from "./announcements.ts";

function create(
  options: { readonly announceIntervalMs?: number; readonly publisherId?: string } = {},
) {
  const { announceIntervalMs = 500, publisherId = "p-1" } = options;
  const clock = new ManualClock();
  const published: string[] = [];
  const handlers = new Map<string, () => void>();
  let failure: Error | undefined;
  const bus = {
    publish: (subject: string, payload: Uint8Array) => {
      if (failure !== undefined) throw failure;
      expect(subject).toBe(ANNOUNCE_SUBJECT);
      const { ingestorId, venue, catalogVersion, ...rest } = decodeAnnouncement(payload);
      const { announceIntervalMs: intervalMs, epoch } = rest;
      published.push(`${ingestorId} ${venue} ${catalogVersion} ${intervalMs} ${epoch}`);
    },
    subscribe: (pattern: string, handler: () => void) => {
      handlers.set(pattern, handler);
      return { pattern, unsubscribe: () => handlers.delete(pattern) };
    },
  } as unknown as Bus;
  const logged: string[] = [];
  const log = (_fields: object, message: string): void => void logged.push(message);
  const venues = [
    { venue: "a", streamed: { version: 1 } },
    { venue: "b", streamed: { version: 7 } },
  ];
  const announcements = new Announcements({
    bus,
    clock,
    logger: { debug: log, info: log, warn: log, error: log },
    identity: { publisherId, epoch: 42 },
    announceIntervalMs,
    venues,
  });
  const fail = (error: Error | undefined): void => {
    failure = error;
  };
  return { announcements, clock, published, handlers, logged, venues, fail };
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
  venues[0] = { venue: "a", streamed: { version: 2 } };
  handlers.get(DISCOVER_SUBJECT)?.();
  expect(published.slice(2)).toEqual(["p-1 a 2 500 42", "p-1 b 7 500 42"]);
});

test("a bus that is down is logged, and the next announcement is tried all the same", () => {
  const { announcements, clock, published, logged, fail } = create();
  fail(new BusError("publish-buffer-full", "full"));
  announcements.start();
  expect(logged).toEqual(["the bus did not take an announcement"]);
  fail(undefined);
  clock.advance(500);
  expect(published).toHaveLength(2);
});

test("a bug in the bus is not taken for a bus that is down", () => {
  const { announcements, fail } = create();
  fail(new TypeError("not a function"));
  expect(() => announcements.start()).toThrow(TypeError);
});

test("after the end there is silence, and no timer is left", () => {
  const { announcements, clock, published, handlers } = create();
  announcements.start();
  announcements.close();
  announcements.close();
  clock.advance(10_000);
  expect(published).toHaveLength(2);
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
