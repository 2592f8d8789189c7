// What an event takes on the wire, in recorded captures. With TICKWIRE_WIRE_TABLE=1 it prints the table
// of docs/adr/0013-chain-and-base.md; TICKWIRE_WIRE_CAPTURES names other captures, by commas.
import { describe, expect, test } from "vitest";
import { capturePath } from "#test/support/captures.ts";
import {
  chainMeter,
  measureBytes,
  newsOf,
  topicsOfCapture,
  wholeMeter,
} from "#test/support/wire-bytes.ts";
import type { TopicRows } from "#test/support/wire-bytes.ts";

const MODES = {
  alone: { windowUs: 0, conflated: false },
  "10 ms": { windowUs: 10_000, conflated: false },
  "100 ms": { windowUs: 100_000, conflated: false },
  "conflated 100 ms": { windowUs: 100_000, conflated: true },
} as const;

/** Bytes of all events by mode: chains, and whole batches. */
const EXPECTED: Readonly<Record<string, readonly (readonly [number, number])[]>> = {};

const names = process.env["TICKWIRE_WIRE_CAPTURES"]?.split(",") ?? [
  "coinbase-10-pairs",
  "kraken-v2-ethusd",
  "okx-3-instruments",
];

function cellsOf(topics: readonly TopicRows[]): string {
  const cells = Object.values(MODES).map((mode) => {
    const whole = measureBytes(topics, mode, wholeMeter);
    const chain = measureBytes(topics, mode, chainMeter);
    return `${whole.perEvent.toFixed(1)} → ${chain.perEvent.toFixed(2)}`;
  });
  return cells.join(" | ");
}

describe.each(names)("%s", (name) => {
  const path = capturePath(name);

  test.skipIf(path === undefined)("takes as many bytes as it did", async () => {
    const topics = await topicsOfCapture(path ?? "");
    const news = newsOf(topics);
    const figures = Object.values(MODES).map((mode) => [
      measureBytes(news, mode, chainMeter).bytes,
      measureBytes(news, mode, wholeMeter).bytes,
    ]);
    if (process.env["TICKWIRE_WIRE_TABLE"] !== undefined) {
      const channels = [undefined, ...new Set(news.map(({ channel }) => channel))];
      for (const channel of channels) {
        const some = newsOf(topics, channel);
        const { events } = measureBytes(some, MODES.alone, chainMeter);
        process.stdout.write(`| ${name}, ${channel ?? "all"} (${events}) | ${cellsOf(some)} |\n`);
      }
    }
    expect(figures).toEqual(EXPECTED[name] ?? figures);
  });
});

test("an event of Coinbase takes no more than was set as the goal", () => {
  const [alone, , window, conflated] = EXPECTED["coinbase-10-pairs"] ?? [];
  expect((alone?.[0] ?? Infinity) / 9_933).toBeLessThanOrEqual(24);
  expect((window?.[0] ?? Infinity) / 9_933).toBeLessThanOrEqual(10.5);
  expect((conflated?.[0] ?? Infinity) / 9_933).toBeLessThanOrEqual(8);
});
