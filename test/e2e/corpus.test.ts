import { readdirSync } from "node:fs";
import { join } from "node:path";
import { OrderBook } from "@tickwire/proto/model";
import { describe, expect, test } from "vitest";
import type { CaptureLine } from "#ingest/capture/capture-format.ts";
import { readCapture } from "#ingest/capture/capture-reader.ts";
import type { ReplayedEvent, ReplaySummary } from "#ingest/capture/replay-options.ts";
import { replayCapture } from "#ingest/capture/replay.ts";
import { SystemClock } from "#runtime/system-clock.ts";

const FOLDER = join(import.meta.dirname, "../fixtures/corpus");

/**
 * What each piece holds: whole books and changes that are published, checksums of the venue that
 * were right, and how a change that is left out shows itself: by `numbers` that every change has,
 * by the `checksums` of later changes, or not at all.
 */
const PIECES = {
  binance: { snapshots: 1, changes: 31, checksums: 0, proof: "numbers" },
  "binance-usdm": { snapshots: 1, changes: 35, checksums: 0, proof: "numbers" },
  bitfinex: { snapshots: 5, changes: 30, checksums: 0, proof: "numbers" },
  "bitget-v1": { snapshots: 1, changes: 13, checksums: 14, proof: "checksums" },
  bitstamp: { snapshots: 1, changes: 25, checksums: 0, proof: "none" },
  deribit: { snapshots: 1, changes: 3, checksums: 0, proof: "numbers" },
  gateio: { snapshots: 1, changes: 4, checksums: 0, proof: "numbers" },
  "kraken-v1": { snapshots: 1, changes: 35, checksums: 35, proof: "checksums" },
  "kraken-v2": { snapshots: 1, changes: 42, checksums: 43, proof: "checksums" },
  kucoin: { snapshots: 1, changes: 29, checksums: 0, proof: "numbers" },
  okx: { snapshots: 1, changes: 21, checksums: 22, proof: "numbers" },
} as const;

type Replayed = {
  readonly summary: ReplaySummary;
  readonly events: readonly ReplayedEvent[];
  /** Of the lines after which a change of a book was published. */
  readonly changeLines: readonly number[];
};

async function replay(lines: readonly CaptureLine[]): Promise<Replayed> {
  const events: ReplayedEvent[] = [];
  const changeLines: number[] = [];
  let index = -1;
  async function* source(): AsyncGenerator<CaptureLine> {
    for (const line of lines) {
      index += 1;
      yield line;
    }
  }
  const summary = await replayCapture({
    source: source(),
    speed: "max",
    clock: new SystemClock(),
    onEvent: (replayed) => {
      events.push(replayed);
      const { event } = replayed;
      if (event.kind === "book" && !event.snapshot) changeLines.push(index);
    },
  });
  return { summary, events, changeLines };
}

async function linesOf(name: string): Promise<CaptureLine[]> {
  const lines: CaptureLine[] = [];
  for await (const line of readCapture(join(FOLDER, `${name}.ndjson`))) lines.push(line);
  return lines;
}

/** Books that were crossed after some message. */
function crossedBooks(events: readonly ReplayedEvent[]): string[] {
  const books = new Map<string, OrderBook>();
  const crossed = new Set<string>();
  for (const { event } of events) {
    if (event.kind !== "book") continue;
    const { symbol } = event.instrument;
    const book = books.get(symbol) ?? new OrderBook();
    books.set(symbol, book);
    if (event.snapshot) book.applySnapshot(event);
    else book.applyDelta(event);
    if (book.isCrossed()) crossed.add(symbol);
  }
  return [...crossed];
}

test("every piece of the corpus is listed", () => {
  const names = readdirSync(FOLDER).filter((name) => name.endsWith(".ndjson"));
  expect(names.map((name) => name.replace(".ndjson", "")).toSorted()).toEqual(
    Object.keys(PIECES).toSorted(),
  );
});

describe.each(Object.entries(PIECES))("%s", (name, { snapshots, changes, checksums }) => {
  test("its books are complete, and proven where the venue gives a proof", async () => {
    const { summary, events } = await replay(await linesOf(name));
    expect(summary).toMatchObject({
      damagedLines: 0,
      rejected: {},
      gaps: 0,
      resyncs: 0,
      checksumsPassed: checksums,
      checksumsFailed: 0,
    });
    const books = events.flatMap(({ event }) => (event.kind === "book" ? [event.snapshot] : []));
    expect(books.filter(Boolean)).toHaveLength(snapshots);
    expect(books).toHaveLength(snapshots + changes);
    expect(crossedBooks(events)).toEqual([]);
  });
});

const PROVEN = Object.entries(PIECES).filter(([, { proof }]) => proof !== "none");

describe.each(PROVEN)("%s", (name, { proof }) => {
  test("a change that is left out is noticed", async () => {
    const lines = await linesOf(name);
    const { changeLines } = await replay(lines);
    const noticed = async (omitted: number | undefined): Promise<boolean> => {
      const { summary } = await replay(lines.filter((_, index) => index !== omitted));
      return summary.gaps > 0 || summary.checksumsFailed > 0;
    };
    // A checksum covers the best levels only, so that changes far from them show later or never.
    const middle = Math.floor(changeLines.length / 2);
    const omitted =
      proof === "numbers" ? changeLines.slice(middle, middle + 1) : changeLines.slice(0, 10);
    const found = await Promise.all(omitted.map(noticed));
    const missed = found.filter((isNoticed) => !isNoticed).length;
    expect(missed).toBeLessThanOrEqual(proof === "numbers" ? 0 : omitted.length - 1);
  });
});
