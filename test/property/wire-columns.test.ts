// Events that are columns already are written as their rows are, byte for byte, and protobufjs
// reads in them what was written.
import {
  BATCH_EVENTS_MAX,
  BatchWriter,
  PendingQuotes,
  PendingTrades,
  SCALE_MAX,
  rowsOfPending,
} from "@tickwire/proto/codec";
import type { BatchRows, BusBatch, PendingColumns } from "@tickwire/proto/codec";
import { tickwire } from "@tickwire/proto/protobufjs";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { columnHistories } from "#test/support/column-arbitraries.ts";
import type { PendingBatch } from "#test/support/column-arbitraries.ts";

const EPOCH = 1_767_225_600_000_001;
const SAFE = Number.MAX_SAFE_INTEGER;
const PUBLISHED_US = 1_767_225_600_000_900;

/** With numbers that are bigints, which are never written the fast way. */
function slowRowsOf(columns: PendingColumns): BatchRows {
  const slowly = (value: unknown): unknown => {
    if (Array.isArray(value)) return value.map((entry) => BigInt(entry as number));
    return typeof value === "number" ? BigInt(value) : value;
  };
  const { kind, rows } = rowsOfPending(columns);
  const slow = rows.map((row) =>
    Object.fromEntries(
      Object.entries(row).map(([name, value]) => {
        if (name.endsWith("Mantissa")) return [name, slowly(value)];
        if (name !== "bids" && name !== "asks") return [name, value];
        const { prices, sizes } = value as { readonly prices: number[]; readonly sizes: number[] };
        // A removed level has the size 0, as a number.
        return [name, { prices: slowly(prices), sizes: sizes.map((size) => size && BigInt(size)) }];
      }),
    ),
  );
  return { kind, rows: slow } as unknown as BatchRows;
}

function init({ skipped }: PendingBatch) {
  return { publishedTimeUs: PUBLISHED_US, skipped };
}

function written(history: readonly PendingBatch[], isSlow: boolean): BusBatch[] {
  const kind = (history[0] as PendingBatch).columns.kind;
  const writer = new BatchWriter({ kind, epoch: EPOCH });
  return history.flatMap((batch) =>
    isSlow
      ? writer.write(slowRowsOf(batch.columns), init(batch))
      : [writer.writeColumns(batch.columns, init(batch))],
  );
}

/** The whole of a batch but for its bytes, and these as text. */
function shown({ bytes, ...said }: BusBatch): unknown {
  return { ...said, hex: Buffer.from(bytes).toString("hex") };
}

/** Prices as protobufjs reads them; each goes on from the one before it. */
function pricesRead({ bytes, coreStart, coreEnd }: BusBatch, before: number): number[] {
  const { prices } = tickwire.v1.Batch.decode(bytes.subarray(coreStart, coreEnd));
  let price = BigInt(before);
  return prices.map((code) => {
    const zigzag = BigInt(String(code)) >> 2n;
    price += zigzag & 1n ? -(zigzag >> 1n) - 1n : zigzag >> 1n;
    return Number(price);
  });
}

function chain(): BatchWriter {
  return new BatchWriter({ kind: "quotes", epoch: EPOCH });
}

function quotesOf(count: number, startUs: number): PendingQuotes {
  const quotes = new PendingQuotes();
  for (let index = 0; index < count; index += 1) {
    quotes.reserve();
    quotes.receivedTimesUs[index] = startUs + index;
    quotes.venueTimesUs[index] = NaN;
    quotes.bidPrices[index] = 1_000 + (index % 7);
    quotes.askPrices[index] = 1_001 + (index % 5);
    quotes.bidSizes[index] = index;
    quotes.askSizes[index] = 3;
    quotes.count = index + 1;
  }
  return quotes;
}

function tradeWithId(id: string): PendingTrades {
  const trades = new PendingTrades();
  trades.reserve();
  trades.receivedTimesUs[0] = EPOCH;
  trades.venueTimesUs[0] = EPOCH - 1;
  trades.prices[0] = 17;
  trades.sizes[0] = 4;
  trades.ids[0] = NaN;
  trades.idTexts[0] = id;
  trades.count = 1;
  return trades;
}

describe("columns of events", () => {
  test("give the bytes of the same events as rows, batch after batch", () => {
    const alike = fc.property(columnHistories, (history) => {
      expect(written(history, false).map(shown)).toEqual(written(history, true).map(shown));
    });
    fc.assert(alike);
  });

  test("give the bytes of their rows, whose numbers are numbers", () => {
    const alike = fc.property(columnHistories, (history) => {
      const kind = (history[0] as PendingBatch).columns.kind;
      const writer = new BatchWriter({ kind, epoch: EPOCH });
      const ofRows = history.flatMap((batch) =>
        writer.write(rowsOfPending(batch.columns), init(batch)),
      );
      expect(ofRows.map(shown)).toEqual(written(history, true).map(shown));
    });
    fc.assert(alike);
  });

  test("are read by protobufjs", () => {
    const alike = fc.property(columnHistories, (history) => {
      const trades = history.filter(({ columns }) => columns.kind === "trades");
      const scale = trades[0]?.columns.priceScale;
      let before: number | undefined;
      for (const [index, batch] of trades.length > 0 ? written(trades, false).entries() : []) {
        const { columns } = trades[index] as PendingBatch;
        if (columns.kind !== "trades" || columns.priceScale !== scale) return;
        const prices = [...columns.prices.subarray(0, columns.count)];
        expect(pricesRead(batch, before ?? (prices[0] as number))).toEqual(prices);
        before = prices.at(-1);
      }
    });
    fc.assert(alike);
  });

  test.each([1, 63, 64, 65, 128])("of %i events give the bytes of their rows", (count) => {
    const [writer, slow] = [chain(), chain()];
    for (let batch = 0; batch < 2; batch += 1) {
      const quotes = quotesOf(count, EPOCH + batch * count);
      const made = writer.writeColumns(quotes, { publishedTimeUs: PUBLISHED_US });
      const [expected] = slow.write(slowRowsOf(quotes), { publishedTimeUs: PUBLISHED_US });
      expect(shown(made)).toEqual(shown(expected as BusBatch));
    }
  });

  test.each([63, 64, 65, 200])("with ids of %i letters give the bytes of their rows", (length) => {
    const [writer, slow] = ["", ""].map(() => new BatchWriter({ kind: "trades", epoch: EPOCH }));
    for (const letter of ["x", "y", "é", "z"]) {
      const trades = tradeWithId(letter.repeat(length));
      const made = writer?.writeColumns(trades, { publishedTimeUs: PUBLISHED_US });
      const [expected] = slow?.write(slowRowsOf(trades), { publishedTimeUs: PUBLISHED_US }) ?? [];
      expect(shown(made as BusBatch)).toEqual(shown(expected as BusBatch));
    }
  });

  test.each([
    { epoch: 0, publishedTimeUs: 0, startUs: 0 },
    { epoch: 1, publishedTimeUs: -1, startUs: -5 },
    { epoch: 127, publishedTimeUs: 2 ** 49 - 1, startUs: 2 ** 49 - 2 },
    { epoch: 2 ** 49, publishedTimeUs: 2 ** 49, startUs: 2 ** 49 },
    { epoch: SAFE, publishedTimeUs: SAFE, startUs: SAFE - 9 },
  ])(
    "of any time give the bytes of their rows: $startUs",
    ({ epoch, publishedTimeUs, startUs }) => {
      const [writer, slow] = ["", ""].map(() => new BatchWriter({ kind: "quotes", epoch }));
      for (const step of [0, 1]) {
        const quotes = quotesOf(2, startUs + 2 * step);
        const made = writer?.writeColumns(quotes, { publishedTimeUs });
        const [expected] = slow?.write(slowRowsOf(quotes), { publishedTimeUs }) ?? [];
        expect(shown(made as BusBatch)).toEqual(shown(expected as BusBatch));
      }
    },
  );

  test("are as many as a batch may have, at the most", () => {
    const writer = chain();
    for (let batch = 0; batch < 2; batch += 1) {
      const quotes = quotesOf(BATCH_EVENTS_MAX, EPOCH + batch * BATCH_EVENTS_MAX);
      const made = writer.writeColumns(quotes, { publishedTimeUs: PUBLISHED_US });
      expect(made.count).toBe(BATCH_EVENTS_MAX);
      expect(writer.sequence).toBe((batch + 1) * BATCH_EVENTS_MAX);
    }
  });

  test.each([127, 128, SCALE_MAX])("may have %i decimals", (scale) => {
    const quotes = quotesOf(1, EPOCH);
    quotes.priceScale = scale;
    const { bytes, baseStart, baseEnd } = chain().writeColumns(quotes, { publishedTimeUs: EPOCH });
    const { base } = tickwire.v1.Batch.decode(bytes.subarray(baseStart, baseEnd));
    expect(base?.scales).toEqual([scale, 0, scale, 0]);
  });

  test("of another channel are refused", () => {
    const writer = new BatchWriter({ kind: "trades", epoch: EPOCH });
    const quotes = new PendingQuotes();
    quotes.reserve();
    quotes.count = 1;
    expect(() => writer.writeColumns(quotes, { publishedTimeUs: 1 })).toThrow(
      "quotes in a chain of trades",
    );
  });
});
