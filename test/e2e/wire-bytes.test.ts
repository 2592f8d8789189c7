// What an event takes on the wire, in recorded captures. With TICKWIRE_WIRE_TABLE=1 it prints the
// new figures of the table in docs/adr/0014-chain-and-base.md; TICKWIRE_WIRE_CAPTURES names other
// captures.
import { isDeepStrictEqual } from "node:util";
import { BatchReader, BatchWriter, rowsOf } from "@tickwire/proto/codec";
import { describe, expect, test } from "vitest";
import { capturePath } from "#test/support/captures.ts";
import { measureBytes, newsOf, topicsOfCapture, windowsOf } from "#test/support/wire-bytes.ts";
import type { TopicRows } from "#test/support/wire-bytes.ts";
import { batchInFrame } from "#test/support/wire-client.ts";
import { plainEvent } from "#test/support/wire-events.ts";

const MODES = {
  alone: { windowUs: 0, conflated: false },
  "10 ms": { windowUs: 10_000, conflated: false },
  "100 ms": { windowUs: 100_000, conflated: false },
  "conflated 100 ms": { windowUs: 100_000, conflated: true },
} as const;

/** Bytes of all events by mode. */
const EXPECTED: Readonly<Record<string, readonly number[]>> = {
  "coinbase-10-pairs": [218360, 152707, 101347, 68789],
  "kraken-v2-ethusd": [30886, 20744, 18432, 9430],
  "okx-3-instruments": [30594, 29669, 29319, 29209],
};

const names = process.env["TICKWIRE_WIRE_CAPTURES"]?.split(",") ?? [
  "coinbase-10-pairs",
  "kraken-v2-ethusd",
  "okx-3-instruments",
];

function cellsOf(topics: readonly TopicRows[]): string {
  const cells = Object.values(MODES).map((mode) => measureBytes(topics, mode).perEvent.toFixed(2));
  return cells.join(" | ");
}

/** Sequences of the events that do not come back as they were, alone, joined or in windows. */
function lostIn({ rows, topic }: TopicRows): string[] {
  const lost: string[] = [];
  for (const mode of [MODES.alone, MODES["100 ms"]]) {
    const writer = new BatchWriter({ kind: rows.kind, epoch: 9 });
    const reader = new BatchReader();
    for (const [index, part] of windowsOf(rows, mode).entries()) {
      const batches = writer.write(part.rows, { publishedTimeUs: 0 });
      const readers = index % 50 === 0 ? [reader, new BatchReader()] : [reader];
      const expected = part.rows.rows.map(plainEvent);
      for (const one of readers) {
        const events = batches.flatMap((batch) => {
          const withBase = batch.rebase || !one.isChained;
          const reading = one.read(batchInFrame(batch, withBase));
          return reading.outcome === "read" ? rowsOf(reading.batch).rows.map(plainEvent) : [];
        });
        if (!isDeepStrictEqual(events, expected)) lost.push(`${topic} ${writer.sequence}`);
      }
    }
  }
  return lost;
}

describe.each(names)("%s", (name) => {
  const path = capturePath(name);

  test.skipIf(path === undefined)("comes back event by event", async () => {
    const topics = await topicsOfCapture(path ?? "");
    expect(topics.length).toBeGreaterThan(0);
    expect(topics.flatMap(lostIn)).toEqual([]);
  });

  test.skipIf(path === undefined)("takes as many bytes as it did", async () => {
    const topics = await topicsOfCapture(path ?? "");
    const news = newsOf(topics);
    const figures = Object.values(MODES).map((mode) => measureBytes(news, mode).bytes);
    if (process.env["TICKWIRE_WIRE_TABLE"] !== undefined) {
      const channels = [undefined, ...new Set(news.map(({ channel }) => channel))];
      for (const channel of channels) {
        const some = newsOf(topics, channel);
        const { events } = measureBytes(some, MODES.alone);
        process.stdout.write(`| ${name}, ${channel ?? "all"} (${events}) | ${cellsOf(some)} |\n`);
      }
    }
    expect(figures).toEqual(EXPECTED[name] ?? figures);
  });
});

test("an event of Coinbase takes no more than was set as the goal", () => {
  const [alone, , window, conflated] = EXPECTED["coinbase-10-pairs"] ?? [];
  expect((alone ?? Infinity) / 9_933).toBeLessThanOrEqual(24);
  expect((window ?? Infinity) / 9_933).toBeLessThanOrEqual(10.5);
  expect((conflated ?? Infinity) / 9_933).toBeLessThanOrEqual(8);
});
