import { readdirSync, readFileSync } from "node:fs";
import { join, sep } from "node:path";
import fc from "fast-check";
import { expect, test } from "vitest";
import { CHANNELS } from "#core/instrument.ts";
import { ConfigError } from "#config/config-error.ts";
import { createLogger } from "#runtime/logger.ts";
import { CommandError, describeError, explainError, UsageError } from "../process/errors.ts";
import { EventJson, type TypedRow } from "#wire/event-json.ts";
import { formatEventText } from "./event-text.ts";
import { LineOutput } from "./line-output.ts";
import { formatSummary } from "./replay-summary.ts";

/** What a terminal obeys, by Unicode's classes; new lines stand between our own lines only. */
const OBEYED = /[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\p{Bidi_Control}]/u;
const HOSTILE = [
  "\u001b[2J",
  "\u001b]0;x\u0007",
  "\u009b1m",
  "\u202e",
  "\n",
  "\r",
  "\u0085",
  "\ud800",
];

const texts = fc
  .array(fc.oneof(fc.constantFrom(...HOSTILE), fc.string({ unit: "binary", maxLength: 6 })), {
    minLength: 1,
    maxLength: 12,
  })
  .map((parts) => parts.join(""));
const times = fc.oneof(
  fc.maxSafeInteger(),
  fc.constantFrom(0, Number.MAX_SAFE_INTEGER, Number.MIN_SAFE_INTEGER, 8.64e18 + 1000, NaN, 1e300),
);

/** One row of every kind, with these texts wherever a row has text. */
function rowsOf(text: string, timeUs: number): TypedRow[] {
  const at = { venueTimeUs: timeUs, receivedTimeUs: timeUs };
  const textsOf = (...names: readonly string[]) =>
    Object.fromEntries(names.map((name) => [name, text]));
  const side = { prices: [1], sizes: [2] };
  const scales = { priceScale: 2, sizeScale: 2 };
  const aggressorSide = text as "buyer";
  const prices = {
    open: text,
    high: text,
    low: text,
    close: text,
    volume: text,
    quoteVolume: text,
  };
  const bid = { bidPriceMantissa: 1, bidSizeMantissa: 1 };
  const ask = { askPriceMantissa: 2, askSizeMantissa: 2 };
  const rows = [
    {
      type: "trade",
      row: {
        ...at,
        ...scales,
        priceMantissa: 1,
        sizeMantissa: 1,
        aggressorSide,
        tradeId: text,
        historical: false,
      },
    },
    { type: "quote", row: { ...at, ...scales, ...bid, ...ask } },
    { type: "book", row: { ...at, ...scales, snapshot: true, bids: side, asks: side } },
    {
      type: "candle",
      row: { ...at, ...prices, intervalMs: 60_000, openTimeUs: 0, tradeCount: 1, closed: true },
    },
    { type: "ticker", row: { ...at, lastPrice: text, volume: text } },
    { type: "funding", row: { ...at, rate: text, nextFundingTimeUs: 1, intervalMs: 1 } },
    { type: "mark-price", row: { ...at, markPrice: text, indexPrice: text } },
    { type: "open-interest", row: { ...at, openInterest: text, openInterestValue: text } },
    {
      type: "liquidation",
      row: { ...at, aggressorSide, size: text, price: text, liquidationId: text },
    },
    {
      type: "status",
      row: {
        ...at,
        ...textsOf("channel", "state", "reason", "instrumentState", "stateWord"),
        sinceTimeUs: timeUs,
      },
    },
    {
      type: "listing",
      row: {
        ...at,
        ...textsOf("change", "symbol", "venueSymbol", "instrumentKind", "reason"),
        ...textsOf("baseAsset", "quoteAsset", "instrumentState", "stateWord"),
      },
    },
  ];
  return rows as unknown as TypedRow[];
}

function linesOf(write: (output: LineOutput) => void): string[] {
  let written = "";
  const stream = { write: (chunk: string) => (written += chunk) !== "", once: () => undefined };
  const output = new LineOutput(stream, { eager: true });
  write(output);
  return written.split("\n").slice(0, -1);
}

test("an event is one visible line, whatever its texts and times are", () => {
  expect(new Set(rowsOf("", 0).map(({ type }) => type)).size).toBe(CHANNELS.length);
  fc.assert(
    fc.property(texts, times, (text, timeUs) => {
      const source = { venue: text, symbol: text, venueSymbol: text };
      const position = { epoch: 1, sequence: 2 };
      for (const row of rowsOf(text, timeUs)) {
        const lines = linesOf((output) => output.write(formatEventText(source, position, row)));
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toMatch(OBEYED);
      }
    }),
    { numRuns: 300, seed: 3 },
  );
});

test("as JSON it is one visible line that reads back to the same texts", () => {
  fc.assert(
    fc.property(texts, (text) => {
      const source = { venue: text, symbol: text, venueSymbol: text };
      for (const row of rowsOf(text, 5)) {
        // A side is one of three words for the type that is printed; nothing else gets there.
        if (row.type === "trade" || row.type === "liquidation" || row.type === "status") continue;
        const json = new EventJson().format(source, { epoch: 1, sequence: 2 }, row);
        const lines = linesOf((output) => output.write(json));
        expect(lines).toHaveLength(1);
        expect(lines[0]).not.toMatch(OBEYED);
        expect(JSON.parse(lines[0] ?? "")).toMatchObject({ ...source, type: row.type });
      }
    }),
    { numRuns: 200, seed: 4 },
  );
});

test("errors are visible lines of bounded length", () => {
  fc.assert(
    fc.property(texts, (text) => {
      for (const error of [
        new Error(text),
        new CommandError(text),
        new UsageError(text),
        Object.assign(new Error(text), { code: text }),
        text,
      ]) {
        expect(explainError(error).line).not.toMatch(OBEYED);
      }
      const problem = { key: text, problem: text, origin: `file ${text}` };
      const lines = (explainError(new ConfigError([problem])).line ?? "").split("\n");
      expect(lines).toHaveLength(2);
      for (const line of lines) expect(line).not.toMatch(OBEYED);
    }),
    { numRuns: 300, seed: 5 },
  );
  expect(describeError(new Error("x".repeat(100_000))).length).toBeLessThan(600);
});

test("the summary of a replay has its own lines only", () => {
  const none = { frames: 0, damagedLines: 0, duplicateTrades: 0, historicalTrades: 0, gaps: 0 };
  const rest = {
    resyncs: 0,
    checksumsPassed: 0,
    checksumsFailed: 0,
    elapsedMs: 1,
    clockOffsetUs: 0,
  };
  fc.assert(
    fc.property(texts, (text) => {
      const counts = { [text]: 1 };
      const summary = { ...none, ...rest, framesPerSecond: 1, events: counts, rejected: counts };
      const lines = formatSummary({ ...summary, venue: text }).split("\n");
      expect(lines).toHaveLength(12);
      for (const line of lines) expect(line).not.toMatch(OBEYED);
    }),
    { numRuns: 300, seed: 6 },
  );
});

test("a log line is visible JSON that reads back to the same texts", () => {
  fc.assert(
    fc.property(texts, (text) => {
      let line = "";
      const write = (written: string) => void (line += written);
      const logger = createLogger({ level: "info", service: "test", write });
      logger.warn({ reason: text, error: new Error(text) }, text);
      expect(line.trimEnd()).not.toMatch(OBEYED);
      expect(Object.keys(JSON.parse(line) as object)).toContain("reason");
    }),
    { numRuns: 300, seed: 7 },
  );
});

test("nothing of the command line writes past these", () => {
  const folder = join(import.meta.dirname, "..");
  const writers = readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((file) => file.endsWith(".ts") && !file.endsWith(".test.ts"))
    .filter((file) =>
      /std(out|err)\s*\.write|console\./.test(readFileSync(join(folder, file), "utf8")),
    )
    .map((file) => file.replaceAll(sep, "/"));
  expect(writers.toSorted()).toEqual(["output/full-screen.ts", "output/terminal.ts"]);
});
