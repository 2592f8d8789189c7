import { tickwire } from "@tickwire/proto/protobufjs";
import { encodeBatch, readBatch, readBatchHeader, rowsOf } from "@tickwire/proto/codec";
import type { BatchRows, BookRow, QuoteRow, TradeRow } from "@tickwire/proto/codec";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { bookRows, headers, quoteRows, scales, tradeRows } from "./codec-arbitraries.ts";
import {
  big,
  oracleBookBatch,
  oracleEvents,
  oracleTradeBatch,
  plainBook,
  plainQuote,
  plainTrade,
} from "./codec-oracle.ts";

const HEADER = { epoch: 1, firstSequence: 1, publishedTimeUs: 1 };

function plain(rows: BatchRows): unknown[] {
  switch (rows.kind) {
    case "trades":
      return rows.rows.map(plainTrade);
    case "quotes":
      return rows.rows.map(plainQuote);
    case "books":
      return rows.rows.map(plainBook);
    case "candles":
    case "tickers":
    case "fundings":
    case "markPrices":
    case "openInterests":
    case "liquidations":
    case "statuses":
      return [...rows.rows];
  }
}

describe("what our writer writes, protobufjs reads", () => {
  test("trades", () => {
    fc.assert(
      fc.property(headers, tradeRows, (header, rows) => {
        const bytes = encodeBatch(header, { kind: "trades", rows });
        expect(oracleEvents(bytes)).toEqual(rows.map(plainTrade));
      }),
      { numRuns: 400 },
    );
  });

  test("quotes", () => {
    fc.assert(
      fc.property(headers, quoteRows, (header, rows) => {
        const bytes = encodeBatch(header, { kind: "quotes", rows });
        expect(oracleEvents(bytes)).toEqual(rows.map(plainQuote));
      }),
      { numRuns: 400 },
    );
  });

  test("books", () => {
    fc.assert(
      fc.property(headers, bookRows, (header, rows) => {
        const bytes = encodeBatch(header, { kind: "books", rows });
        expect(oracleEvents(bytes)).toEqual(rows.map(plainBook));
      }),
      { numRuns: 400 },
    );
  });

  test("headers", () => {
    fc.assert(
      fc.property(headers, tradeRows, (header, rows) => {
        const bytes = encodeBatch(header, { kind: "trades", rows });
        const batch = tickwire.v1.Batch.decode(bytes);
        expect(Number(big(batch.epoch))).toBe(header.epoch);
        expect(Number(big(batch.firstSequence))).toBe(header.firstSequence);
        expect(Number(big(batch.previousSequence))).toBe(header.previousSequence ?? 0);
        expect(Number(big(batch.publishedTimeUs))).toBe(header.publishedTimeUs);
        expect(batch.snapshot).toBe(header.snapshot);
        expect(batch.count).toBe(rows.length);
        expect(readBatchHeader(bytes)).toMatchObject({
          ...header,
          previousSequence: header.previousSequence ?? 0,
          topicId: 0,
          count: rows.length,
          kind: "trades",
        });
      }),
    );
  });

  test("canonically: protobufjs would have written the same bytes", () => {
    fc.assert(
      fc.property(headers, bookRows, (header, rows) => {
        const bytes = encodeBatch(header, { kind: "books", rows });
        const again = tickwire.v1.Batch.encode(tickwire.v1.Batch.decode(bytes)).finish();
        expect(Buffer.from(again).toString("hex")).toBe(Buffer.from(bytes).toString("hex"));
      }),
    );
  });
});

describe("what protobufjs writes, our reader reads", () => {
  test("trades at any batch scale", () => {
    fc.assert(
      fc.property(tradeRows, scales, scales, (rows, priceScale, sizeScale) => {
        const bytes = oracleTradeBatch(HEADER, rows, { priceScale, sizeScale });
        expect(plain(rowsOf(readBatch(bytes)))).toEqual(rows.map(plainTrade));
      }),
      { numRuns: 400 },
    );
  });

  test("books at any batch scale", () => {
    fc.assert(
      fc.property(bookRows, scales, scales, (rows, priceScale, sizeScale) => {
        const bytes = oracleBookBatch(HEADER, rows, { priceScale, sizeScale });
        expect(plain(rowsOf(readBatch(bytes)))).toEqual(rows.map(plainBook));
      }),
      { numRuns: 400 },
    );
  });
});

describe("what our writer writes, our reader reads", () => {
  const kinds = {
    trades: tradeRows as fc.Arbitrary<TradeRow[]>,
    quotes: quoteRows as fc.Arbitrary<QuoteRow[]>,
    books: bookRows as fc.Arbitrary<BookRow[]>,
  } as const;

  test.each(Object.keys(kinds) as (keyof typeof kinds)[])("%s", (kind) => {
    fc.assert(
      fc.property(headers, kinds[kind] as fc.Arbitrary<never[]>, (header, rows) => {
        const batch = { kind, rows } as BatchRows;
        const decoded = readBatch(encodeBatch(header, batch));
        expect(plain(rowsOf(decoded))).toEqual(plain(batch));
      }),
      { numRuns: 400 },
    );
  });

  test("mantissas are numbers exactly where they are safe integers", () => {
    fc.assert(
      fc.property(tradeRows, (rows) => {
        const decoded = readBatch(encodeBatch(HEADER, { kind: "trades", rows }));
        if (decoded.kind !== "trades") throw new Error("not trades");
        for (const value of [...decoded.columns.prices, ...decoded.columns.sizes]) {
          expect(typeof value === "number").toBe(Number.isSafeInteger(Number(value)));
        }
      }),
    );
  });
});
