import { readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { BusBatch, StatusRow } from "@tickwire/proto/codec";
import type { Instrument } from "@tickwire/proto/service";
import { describe, expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import type { TopicFeed } from "./topic-feed.ts";
import { VenueTroubles } from "./venue-trouble.ts";
import type { Trouble } from "./venue-trouble.ts";

const LOST: Trouble = { state: "down", reason: "ingestor-lost", sinceTimeUs: 5_000 };
const INSTRUMENT = {
  channels: ["CHANNEL_TRADES", "CHANNEL_BOOK", "CHANNEL_STATUS"],
} as unknown as Instrument;

function feed(symbol: string, channel: string, sequence = 8) {
  const announced: BusBatch[] = [];
  const position = { epoch: 3, sequence };
  const announce = (state: readonly BusBatch[]): void => void announced.push(...state);
  return { name: { venue: "fake", symbol, channel }, position, announce, announced };
}

function create() {
  const clock = new ManualClock();
  const catalog = {
    instrument: (_: string, symbol: string) => (symbol === "NO-USD" ? undefined : INSTRUMENT),
  };
  const troubles = new VenueTroubles({ clock, catalog });
  const tell = (feeds: readonly ReturnType<typeof feed>[], trouble = LOST): void => {
    troubles.tell("fake", feeds as unknown as TopicFeed[], trouble);
  };
  return { clock, troubles, tell };
}

test("who follows the status hears of every channel, at the position that it has", () => {
  const { clock, tell } = create();
  const status = feed("A-USD", "status");
  tell([status]);
  expect(status.announced).toHaveLength(1);
  const decoded = readBusEvents(status.announced[0]!);
  const nowUs = clock.nowUs();
  const head = { epoch: 3, firstSequence: 8, snapshot: true, publishedTimeUs: nowUs };
  expect(decoded).toMatchObject(head);
  const down = { ...LOST, receivedTimeUs: nowUs };
  expect(rowsOf(decoded)).toMatchObject({
    kind: "statuses",
    rows: [
      { channel: "trades", ...down },
      { channel: "book", ...down },
    ],
  });
});

test.each([
  ["a topic of another channel", feed("A-USD", "trades")],
  ["the status of an instrument that is not listed", feed("NO-USD", "status")],
  ["a status that nothing was received of", feed("A-USD", "status", 0)],
])("%s hears nothing", (_, silent) => {
  const { tell, clock } = create();
  tell([silent]);
  clock.advance(1);
  expect(silent.announced).toEqual([]);
});

describe("many topics", () => {
  const many = (count: number) => Array.from({ length: count }, () => feed("A-USD", "status"));
  const told = (feeds: readonly ReturnType<typeof feed>[]): number =>
    feeds.filter(({ announced }) => announced.length > 0).length;

  test.each([249, 250, 251, 600])("(%i) are told in turns of 250 at most", (count) => {
    const { clock, tell } = create();
    const feeds = many(count);
    tell(feeds);
    expect(told(feeds)).toBe(Math.min(250, count));
    clock.advance(1);
    expect(told(feeds)).toBe(count);
    expect(clock.pending).toBe(0);
  });

  test("are not told any more of what is over", () => {
    const { clock, tell, troubles } = create();
    const feeds = many(300);
    tell(feeds);
    troubles.cancel("fake");
    clock.advance(1);
    expect(told(feeds)).toBe(250);
  });

  test("hear the newer of two troubles last", () => {
    const { clock, tell } = create();
    const feeds = many(300);
    tell(feeds);
    tell(feeds, { ...LOST, reason: "bus-down" });
    clock.advance(1);
    const reasons = feeds.map(({ announced }) => {
      const rows = rowsOf(readBusEvents(announced.at(-1)!)).rows as readonly StatusRow[];
      return rows[0]?.reason;
    });
    expect(new Set(reasons)).toEqual(new Set(["bus-down"]));
    expect(feeds.at(-1)?.announced).toHaveLength(1);
  });

  test("that are left when everything closes hear nothing", () => {
    const { clock, tell, troubles } = create();
    tell(many(300));
    troubles.close();
    troubles.close();
    expect(clock.pending).toBe(0);
  });
});
