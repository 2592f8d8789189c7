import { setImmediate as nextTurn } from "node:timers/promises";
import { readBusEvents, rowsOf } from "@tickwire/proto/codec";
import type { BusBatch } from "@tickwire/proto/codec";
import type { Instrument } from "@tickwire/proto/service";
import { expect, test } from "vitest";
import { ManualClock } from "#test/support/manual-clock.ts";
import type { Catalog } from "../catalog/catalog.ts";
import type { Hub } from "./hub.ts";
import { announceLostIngestor } from "./ingestor-loss.ts";

const LOSS = { venue: "fake", sinceTimeUs: 5_000 };

function feed(symbol: string, channel: string, sequence = 8) {
  const announced: BusBatch[] = [];
  return {
    name: { venue: "fake", symbol, channel },
    position: { epoch: 3, sequence },
    announce: (state: readonly BusBatch[]) => announced.push(...state),
    announced,
  };
}

function announce(feeds: readonly ReturnType<typeof feed>[], clock = new ManualClock()): void {
  const hub = { feedsOf: (venue: string) => (venue === "fake" ? feeds : []) } as unknown as Hub;
  const channels = ["CHANNEL_TRADES", "CHANNEL_BOOK", "CHANNEL_STATUS"];
  const catalog = {
    instrument: (_venue: string, symbol: string) =>
      symbol === "A-USD" ? ({ channels } as unknown as Instrument) : undefined,
  } as unknown as Catalog;
  announceLostIngestor(hub, catalog, LOSS, clock);
}

test("who follows the status hears that every channel is down, at the position that it has", () => {
  const clock = new ManualClock();
  const status = feed("A-USD", "status");
  announce([status], clock);
  expect(status.announced).toHaveLength(1);
  const decoded = readBusEvents(status.announced[0]!);
  const nowUs = clock.nowUs();
  const head = { epoch: 3, firstSequence: 8, snapshot: true, publishedTimeUs: nowUs };
  expect(decoded).toMatchObject(head);
  const down = {
    state: "down",
    reason: "ingestor-lost",
    sinceTimeUs: 5_000,
    receivedTimeUs: nowUs,
  };
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
  ["the status of an instrument that is not listed", feed("B-USD", "status")],
  ["a status that nothing was received of", feed("A-USD", "status", 0)],
])("%s hears nothing", async (_, silent) => {
  announce([silent]);
  await nextTurn();
  expect(silent.announced).toEqual([]);
});
