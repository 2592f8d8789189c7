import type { Instrument } from "#core/instrument.ts";
import {
  asJsonArray,
  asJsonObject,
  asText,
  parseJsonText,
  type JsonText,
} from "#core/json-text.ts";
import type { Candle } from "#core/market-event.ts";
import type {
  CandleHistory,
  CandleSubject,
  FeedEndpoints,
  RestRequest,
} from "../feed/feed-adapter.ts";
import { candlePages } from "./candle-pages.ts";
import { readCandleValues } from "./candle-values.ts";
import { intervalsNamed } from "./interval-names.ts";
import { decimalText } from "./text-fields.ts";
import { epochTimeUs, isBadTime, parseIsoTimeUs } from "./venue-time.ts";
import { wholeNumber } from "./whole-numbers.ts";

/** Where a value stands in a row: its place in an array, or its name in an object. */
type Column = number | string;

/** The columns of a venue's rows. */
type CandleColumns = {
  readonly openTime: Column;
  readonly open: Column;
  readonly high: Column;
  readonly low: Column;
  readonly close: Column;
  /** In the unit of the sizes. */
  readonly volume: Column;
  readonly quoteVolume?: Column | undefined;
  readonly tradeCount?: Column;
  /** Where a row says whether it is over, and the word for it. */
  readonly closed?: { readonly column: Column; readonly word: string };
};

/** What a request asks for, in the venue's words. */
type CandleQuestion = {
  readonly instrument: Instrument;
  /** The venue's name for the length. */
  readonly name: string;
  readonly intervalMs: number;
  /** Beginning of the first candle. */
  readonly fromMs: number;
  /** Beginning of the last candle. */
  readonly lastMs: number;
  /** Candles from the first to the last. */
  readonly rows: number;
};

type CandleHistoryForm = Pick<CandleHistory, "rowsMax" | "spanMsMax" | "isLatestOnly"> & {
  /** The venue's names of the lengths that it has. */
  readonly intervals: ReadonlyMap<number, string>;
  request(question: CandleQuestion, endpoints: FeedEndpoints): RestRequest | undefined;
  /** The rows of an answer; undefined if it has none. */
  rowsOf(body: JsonText): readonly JsonText[] | undefined;
  columnsOf(instrument: Instrument): CandleColumns;
  /** The time in a row is when its candle ends. */
  readonly isEndTime?: boolean;
};

/** The names of lengths that are a count and a unit, such as `5m`, by their milliseconds. */
export function namedIntervals(names: string): ReadonlyMap<number, string> {
  return new Map(Array.from(intervalsNamed(names.split(" ")), ([name, ms]) => [ms, name]));
}

/** The names of lengths, each written as the venue's name and ours: `60min=1h`. */
export function renamedIntervals(names: string): ReadonlyMap<number, string> {
  const pairs = names.split(" ").map((pair) => pair.split("="));
  const ours = intervalsNamed(pairs.map(([, name = ""]) => name));
  return new Map(pairs.map(([theirs = "", name = ""]) => [ours.get(name) ?? 0, theirs]));
}

/** Follows keys through the objects of an answer to the list of its rows. */
export function rowsAt(...keys: readonly string[]): CandleHistoryForm["rowsOf"] {
  return (body) => {
    let value: JsonText | undefined = body;
    for (const key of keys) value = asJsonObject(value)?.[key];
    return asJsonArray(value);
  };
}

/** The part of an adapter that asks for candles of the past, out of what a venue calls things. */
export function candleHistory(form: CandleHistoryForm): CandleHistory {
  const { rowsMax, spanMsMax, isLatestOnly, intervals } = form;
  return {
    intervalsMs: [...intervals.keys()].toSorted((a, b) => a - b),
    rowsMax,
    ...(spanMsMax === undefined ? {} : { spanMsMax }),
    ...(isLatestOnly === undefined ? {} : { isLatestOnly }),
    pages: (range, pagesMax) => candlePages(form, range, pagesMax),
    request(instrument, { intervalMs, fromMs, toMs }, endpoints) {
      const name = intervals.get(intervalMs);
      if (name === undefined || toMs <= fromMs) return undefined;
      const lastMs = toMs - intervalMs;
      const rows = Math.min(rowsMax, Math.ceil((toMs - fromMs) / intervalMs));
      const question = { instrument, name, intervalMs, fromMs, lastMs, rows };
      return form.request(question, endpoints);
    },
    parse: (body, subject) => parseCandles(form, body, subject),
  };
}

function parseCandles(
  form: CandleHistoryForm,
  body: string,
  subject: CandleSubject,
): ReturnType<CandleHistory["parse"]> {
  const answer = parseJsonText(body);
  const rows = answer === undefined ? undefined : form.rowsOf(answer);
  if (rows === undefined) return undefined;
  const byOpenTime = new Map<number, Candle>();
  let skipped = 0;
  for (const row of rows) {
    const candle = readRow(row, form, subject);
    if (candle === undefined) skipped += 1;
    else byOpenTime.set(candle.openTimeUs, candle);
  }
  const candles = [...byOpenTime.values()].toSorted((a, b) => a.openTimeUs - b.openTimeUs);
  return { candles, skipped };
}

function readRow(
  row: JsonText,
  form: CandleHistoryForm,
  { instrument, intervalMs, receivedTimeUs }: CandleSubject,
): Candle | undefined {
  const columns = form.columnsOf(instrument);
  const at = (column: Column | undefined): JsonText | undefined => valueAt(row, column);
  const timeUs = timeOf(asText(at(columns.openTime)));
  if (timeUs === undefined || isBadTime(timeUs)) return undefined;
  const values = readCandleValues({
    open: at(columns.open),
    high: at(columns.high),
    low: at(columns.low),
    close: at(columns.close),
    volume: at(columns.volume),
  });
  if (typeof values === "string") return undefined;
  const openTimeUs = form.isEndTime === true ? timeUs - intervalMs * 1000 : timeUs;
  const said = columns.closed;
  return {
    kind: "candle",
    instrument,
    venueTimeUs: undefined,
    receivedTimeUs,
    intervalMs,
    openTimeUs,
    ...values,
    quoteVolume: decimalText(at(columns.quoteVolume)),
    tradeCount: wholeNumber(at(columns.tradeCount)),
    closed:
      said === undefined
        ? openTimeUs + intervalMs * 1000 <= receivedTimeUs
        : wordAt(row, said.column) === said.word,
  };
}

function valueAt(row: JsonText, column: Column | undefined): JsonText | undefined {
  if (column === undefined) return undefined;
  return typeof column === "number" ? asJsonArray(row)?.[column] : asJsonObject(row)?.[column];
}

/** Venues write a truth as a word of JSON or as a text. */
function wordAt(row: JsonText, column: Column): string | undefined {
  const value = valueAt(row, column);
  return typeof value === "boolean" ? String(value) : asText(value);
}

function timeOf(text: string | undefined): number | undefined {
  return text?.includes("-") === true ? parseIsoTimeUs(text) : epochTimeUs(text);
}
