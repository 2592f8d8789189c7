import { OrderBook } from "@tickwire/proto/model";
import { expect, test } from "vitest";
import type { Instrument } from "#core/instrument.ts";
import type { BookEvent, MarketEvent } from "#core/market-event.ts";
import { ManualClock } from "#test/support/manual-clock.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "../publish-limits.ts";
import { createPublisherCounters, Publisher } from "../publisher.ts";
import { BOOK_WAIT_MS_MAX, Handover } from "./handover.ts";
import { OwnFeed } from "./own-feed.ts";

const instrument = { venue: "fake", symbol: "A-USD" } as Instrument;
const EMPTY = { prices: [], sizes: [] };

function change(venueTimeUs: number, snapshot = false): BookEvent {
  const scales = { priceScale: 0, sizeScale: 0 };
  const rest = { instrument, venueTimeUs, receivedTimeUs: 1, snapshot, ...scales };
  return { kind: "book", ...rest, bids: EMPTY, asks: EMPTY };
}

/** The one who led has published a book of this time; ours is of another. */
function create(publishedUs: number, ownUs: number) {
  const clock = new ManualClock();
  const published: string[] = [];
  const publisher = new Publisher({
    clock,
    epoch: 0,
    limits: PUBLISH_LIMITS_DEFAULTS,
    schedule: () => {},
    counters: createPublisherCounters(),
    logger: { debug() {}, info() {}, warn() {}, error() {} },
    onEvent: (event: MarketEvent, sequence) => {
      const kind = event.kind === "book" && event.snapshot ? "whole" : "change";
      published.push(`${sequence} ${kind} ${event.venueTimeUs}`);
    },
  });
  const topic = publisher.ensureTopic(instrument, "book", 7);
  topic.seed(change(publishedUs));
  publisher.beginTerm(5);
  const own = new OwnFeed(() => 0);
  own.led();
  own.take(change(ownUs, true));
  const book = new OrderBook();
  const liveBookOf = () => book;
  const state = { isKnown: () => true, isResume: false, repeats: new Map(), late: new Map() };
  const common = { clock, publisher, own, liveBookOf, state };
  const handover = new Handover(common);
  handover.start();
  return { clock, published, handover };
}

test("a book that is as far as the one that was published is published whole at once", () => {
  const { published, handover } = create(10, 10);
  expect(published).toEqual(["8 whole 10"]);
  expect(handover.isDone).toBe(true);
});

test("one that is behind waits until it has caught up, and is whole then", () => {
  const { published, handover } = create(10, 8);
  handover.take(change(9));
  expect(published).toEqual([]);
  handover.take(change(10));
  handover.take(change(11));
  expect(published).toEqual(["8 whole 10", "9 change 11"]);
  expect(handover.isDone).toBe(true);
});

test("one that does not catch up is published as it is when it has waited long enough", () => {
  const { clock, published, handover } = create(10, 8);
  clock.advance(BOOK_WAIT_MS_MAX - 1);
  expect(published).toEqual([]);
  clock.advance(1);
  expect(published).toEqual(["8 whole 10"]);
  expect(handover.isDone).toBe(true);
});

test("nothing comes of it after its end", () => {
  const { clock, published, handover } = create(10, 8);
  handover.close();
  clock.advance(BOOK_WAIT_MS_MAX);
  expect(published).toEqual([]);
});
