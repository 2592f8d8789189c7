import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { ANALYSIS_PYTHON, runAnalysis } from "#test/support/analysis-python.ts";
import {
  bookRow,
  news,
  quoteRow,
  RecordedMarket,
  topicOf,
  tradeRow,
} from "#test/support/recorded-market.ts";
import type { RecordingWriter } from "../writing/recording-writer.ts";
import { DecimalRange } from "./decimal-range.ts";
import { columnsOf, type TableName } from "./table.ts";
import { DecimalRanges, TableExport, type TableFormat } from "./table-export.ts";

const READER = join(import.meta.dirname, "../../../test/support/read-parquet.py");

let market: RecordedMarket;
let folder: string;
beforeEach(() => {
  market = new RecordedMarket();
  folder = mkdtempSync(join(tmpdir(), "tickwire-tables-"));
});
afterEach(async () => {
  await market.remove();
  rmSync(folder, { recursive: true, force: true });
});

/** Records and exports; returns the rows of each table. */
async function exported(
  record: (writer: RecordingWriter) => void,
  format: TableFormat,
  decimals = true,
): Promise<Record<string, number>> {
  const writer = await market.open();
  record(writer);
  await writer.close();
  const { entries } = await market.read();
  const ranges = new DecimalRanges();
  for (const entry of entries) ranges.add(entry);
  const tables = new TableExport(folder, format, decimals ? ranges : undefined);
  for (const entry of entries) tables.add(entry);
  return Object.fromEntries(tables.finish().map(({ table, rows }) => [table, rows]));
}

function csvLines(table: TableName): string[] {
  return readFileSync(join(folder, `${table}.csv`), "utf8")
    .trimEnd()
    .split("\n");
}

describe("a CSV file", () => {
  test("has a line for each trade, exactly", async () => {
    const rows = await exported((writer) => {
      writer.event(topicOf("trades"), news(tradeRow(10_150), 4));
      const odd = { ...tradeRow(7), tradeId: 'a "b", c', venueTimeUs: undefined };
      writer.event(topicOf("trades"), news({ ...odd, priceMantissa: -7n * 10n ** 30n }, 5));
    }, "csv");
    expect(rows).toEqual({ trades: 2 });
    const at = (us: number): string => `2023-11-14T22:13:20.${String(us).padStart(6, "0")}Z`;
    expect(csvLines("trades")).toEqual([
      "venue,symbol,venue_symbol,epoch,sequence,initial,venue_time,received_time,published_time," +
        "recorded_time,price,size,aggressor_side,trade_id,historical",
      `simulated,BTC-USD,BTCUSD,5,4,false,${at(10_150)},${at(10_650)},${at(1_000)},${at(0)},` +
        "101.5,1.5,buyer,t10150,false",
      `simulated,BTC-USD,BTCUSD,5,5,false,,${at(507)},${at(1_000)},${at(0)},` +
        `-70000000000000000000000000000,1.5,buyer,"a ""b"", c",false`,
    ]);
  });

  test("has a line for each level of a book, and one for a change without levels", async () => {
    const levels = [
      [99, 1],
      [98, 2],
    ] as const;
    await exported((writer) => {
      writer.event(topicOf("book"), news(bookRow(true, levels), 7, { initial: true }));
      writer.event(topicOf("book"), news(bookRow(false, []), 8));
    }, "csv");
    const cells = csvLines("book")
      .slice(1)
      .map((line) => line.split(","));
    expect(cells.map((row) => [row[4], row[5], ...row.slice(10)])).toEqual([
      ["7", "true", "true", "bid", "0", "0.99", "1"],
      ["7", "true", "true", "bid", "1", "0.98", "2"],
      ["7", "true", "true", "ask", "0", "1000", "1"],
      ["8", "false", "false", "", "", "", ""],
    ]);
  });

  test("has what is said of the streams in a table of its own", async () => {
    await exported((writer) => {
      const gap = { kind: "gap", epoch: 5, missingFirst: 2, reason: "server-dropped" } as const;
      writer.notice(topicOf("trades"), gap);
    }, "csv");
    expect(csvLines("notices")[1]).toBe(
      "simulated,BTC-USD,trades,2023-11-14T22:13:20.000000Z,gap,,,server-dropped,5,,2,",
    );
  });

  test("repeats no state that a later file begins with", async () => {
    const writer = await market.open({ fileBytesMax: 1 });
    for (const sequence of [1, 2, 3, 4]) {
      writer.event(topicOf("quotes"), news(quoteRow(sequence), sequence));
      await writer.flush();
    }
    await writer.close();
    const { entries, recording } = await market.read();
    expect(recording.files.length).toBeGreaterThan(1);
    const tables = new TableExport(folder, "csv");
    for (const entry of entries) tables.add(entry);
    expect(tables.finish()).toMatchObject([{ table: "quotes", rows: 4 }]);
  });

  test("is not there before it is complete, and never replaces another", async () => {
    const { entries } = await (async () => {
      const writer = await market.open();
      writer.event(topicOf("trades"), news(tradeRow(1), 1));
      await writer.close();
      return market.read();
    })();
    const tables = new TableExport(folder, "csv");
    for (const entry of entries) tables.add(entry);
    expect(readdirSync(folder)).toEqual(["trades.csv.part"]);
    tables.discard();
    expect(readdirSync(folder)).toEqual([]);
    mkdirSync(join(folder, "trades.csv.part"));
    const second = new TableExport(folder, "csv");
    expect(() => entries.forEach((entry) => second.add(entry))).toThrow(/EEXIST/);
  });
});

describe("the names of columns", () => {
  test.each(["trades", "quotes", "candles", "ticker", "funding", "status", "listings"] as const)(
    "are different in %s",
    (table) => {
      const names = columnsOf(table).map(({ name }) => name);
      expect(new Set(names).size).toBe(names.length);
    },
  );
});

describe("the range of decimals", () => {
  test.each([
    [["1.5", "0.0001"], 4, true],
    [["-123456.7", "1"], 1, true],
    [["1".repeat(37), "0.1"], 1, true],
    [["1".repeat(38), "0.1"], 1, false],
    [[`0.${"0".repeat(36)}1`], 37, true],
    [[`0.${"0".repeat(37)}1`], 38, false],
  ])("of %j has scale %i, and fits: %s", (texts, scale, fits) => {
    const range = new DecimalRange();
    for (const text of texts) range.add(text);
    expect({ scale: range.scale, fits: range.fits }).toEqual({ scale, fits });
  });
});

/** Without a Python that has DuckDB nothing here can run; `.ci/run` makes one. */
const READERS = [ANALYSIS_PYTHON].filter((python) => {
  if (python === undefined) process.stderr.write("DuckDB is not there: Parquet is not read back\n");
  return python !== undefined;
});

describe.each(READERS)("a Parquet file that %s reads", () => {
  function rowsOf(table: TableName): { columns: unknown[][]; rows: unknown[][] } {
    const [head = "[]", ...lines] = runAnalysis([READER, join(folder, `${table}.parquet`)]);
    return {
      columns: JSON.parse(head) as unknown[][],
      rows: lines.map((line) => JSON.parse(line) as unknown[]),
    };
  }

  test("has the trades that were recorded, to the row", async () => {
    const count = 1_200;
    const trades = Array.from({ length: count }, (_, index) => tradeRow(3 + index * 7));
    await exported((writer) => {
      for (const [index, row] of trades.entries()) {
        writer.event(topicOf("trades"), news(row, index + 1));
      }
    }, "parquet");
    const { columns, rows } = rowsOf("trades");
    expect(columns.slice(10, 12)).toEqual([
      ["price", "DECIMAL(38,2)"],
      ["size", "DECIMAL(38,1)"],
    ]);
    expect(rows).toEqual(
      trades.map((trade, index) => [
        "simulated",
        "BTC-USD",
        "BTCUSD",
        5,
        index + 1,
        false,
        trade.venueTimeUs,
        trade.receivedTimeUs,
        1_700_000_000_001_000,
        1_700_000_000_000_000,
        // Cents as a decimal without the zeros at its end.
        String(Number(trade.priceMantissa) / 100),
        "1.5",
        "buyer",
        trade.tradeId,
        false,
      ]),
    );
  });

  test("is exact where doubles are not, and has nulls where nothing was said", async () => {
    const wide = 12_345_678_901_234_567_890_123_456_789n;
    await exported((writer) => {
      const row = { ...quoteRow(100), askPriceMantissa: wide, bidPriceMantissa: -1 };
      writer.event(topicOf("quotes"), news({ ...row, priceScale: 9 }, 3));
    }, "parquet");
    const { rows } = rowsOf("quotes");
    expect(rows[0]?.slice(10)).toEqual([
      "-0.000000001",
      "3",
      "12345678901234567890.123456789",
      "4",
    ]);
    expect(rows[0]?.[6]).toBeNull();
  });

  test.each([
    ["what no 128 bits hold", true],
    ["everything, if one wants it so", false],
  ])("has text for %s", async (_, decimals) => {
    const price = 10n ** 40n + 1n;
    await exported(
      (writer) => {
        writer.event(topicOf("trades"), news({ ...tradeRow(1), priceMantissa: price }, 1));
        writer.event(topicOf("trades"), news(tradeRow(250), 2));
      },
      "parquet",
      decimals,
    );
    const { columns, rows } = rowsOf("trades");
    expect(columns[10]).toEqual(["price", "VARCHAR"]);
    expect(rows.map((row) => row[10])).toEqual([`1${"0".repeat(37)}0.01`, "2.5"]);
  });
});
