import type { Channel, Instrument } from "#core/instrument.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import {
  asJsonArray,
  asJsonObject,
  asText,
  parseJsonText,
  type JsonText,
} from "#core/json-text.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  FeedEvent,
  RejectReason,
  RestResponse,
} from "../../feed/feed-adapter.ts";
import { BitmexLevels, type LevelAction } from "./book.ts";
import {
  type InstrumentState,
  readCandle,
  readFunding,
  readInstrument,
  readLiquidation,
  readQuote,
  readTrade,
  type Row,
  type RowSubject,
} from "./readings.ts";
import { textOfFrame } from "../../reading/frame-text.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";

type Emit = (event: FeedEvent) => void;

/** What is published of each of the venue's tables. */
export const BITMEX_TABLES: Readonly<Record<string, readonly Channel[]>> = {
  trade: ["trades"],
  quote: ["quotes"],
  orderBookL2: ["book"],
  orderBookL2_25: ["book"],
  instrument: ["ticker", "mark-price", "funding", "open-interest"],
  liquidation: ["liquidations"],
  tradeBin1m: ["candles"],
  // What was paid; never asked for, since the table of instruments has what will be.
  funding: ["funding"],
};

/** Tables that nothing is published of: they are news or figures, or repeat what others say. */
const OTHER_TABLES = new Set([
  "announcement",
  "chat",
  "connected",
  "insurance",
  "publicNotifications",
  "settlement",
  "orderBook10",
  "quoteBin1m",
  "quoteBin5m",
  "quoteBin1h",
  "quoteBin1d",
  "tradeBin5m",
  "tradeBin1h",
  "tradeBin1d",
]);

/** The tables whose every row is an event. */
const ROW_READERS = {
  trades: readTrade,
  quotes: (row: Row, subject: RowSubject, _is: { readonly historical: boolean }, emit: Emit) =>
    readQuote(row, subject, emit),
  candles: (row: Row, subject: RowSubject, _is: { readonly historical: boolean }, emit: Emit) =>
    readCandle(row, subject, emit),
  funding: (row: Row, subject: RowSubject, _is: { readonly historical: boolean }, emit: Emit) =>
    readFunding(row, subject, emit),
  liquidations: (
    row: Row,
    subject: RowSubject,
    _is: { readonly historical: boolean },
    emit: Emit,
  ) => readLiquidation(row, subject, emit),
} as const;
type RowChannel = keyof typeof ROW_READERS;

/** The address of recent trades. */
export const BITMEX_TRADES_PATH = /\/api\/v1\/trade\?(?:.*&)?symbol=([^&#]+)/;

/** What is kept of one instrument on one connection. */
type Kept = {
  readonly tracker: ScaleTracker;
  readonly levels: BitmexLevels;
  /** Undefined before the whole row has come: changes before that are of no use. */
  fields: InstrumentState | undefined;
};

/**
 * Decodes the tables of BitMEX. Each begins with a `partial`, the whole of it; everything before is
 * left over from elsewhere and ignored. Rows are inserted, updated by what changed, and deleted.
 */
export class BitmexDecoder implements FeedDecoder {
  readonly #catalog: InstrumentCatalog;
  /** Made as instruments turn up, so limited by the catalog. */
  readonly #kept = new Map<Instrument, Kept>();
  /** Books of this connection: a frame that cannot be read may have been of any of them. */
  readonly #books = new Set<Instrument>();
  /** The same of trades. */
  readonly #trades = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    if (text === "pong") return emit({ kind: "heartbeat" });
    const parsed = parseJsonText(text);
    if (parsed === undefined) return this.#rejectDamaged(text, emit);
    const message = asJsonObject(parsed);
    if (message === undefined) return reject(emit, "unknown-message");
    if (message["table"] !== undefined) return this.#table(message, receivedTimeUs, emit);
    if (message["error"] !== undefined) return refuse(message, emit);
    if (message["subscribe"] !== undefined) return this.#subscribed(message, emit);
    // The greeting, the end of a subscription, and whatever else was asked for and granted.
    const isAnswer = ["info", "unsubscribe", "request"].some((key) => message[key] !== undefined);
    if (isAnswer) return emit({ kind: "heartbeat" });
    reject(emit, "unknown-message");
  }

  /** Recent trades, newest first. */
  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const body = parseJsonText(response.body);
    if (body === undefined) return reject(emit, "bad-json");
    const venueSymbol = BITMEX_TRADES_PATH.exec(response.url)?.[1];
    if (venueSymbol === undefined) return reject(emit, "unknown-message");
    const instrument = this.#catalog.byVenueSymbol(decodedUri(venueSymbol));
    if (instrument === undefined) return reject(emit, "unknown-instrument");
    const rows = asJsonArray(body);
    if (rows === undefined) return spoilt(emit, "missing-field", instrument, "trades");
    const subject = this.#subject(instrument, receivedTimeUs);
    for (const item of rows.toReversed()) {
      const reason = readTrade(asJsonObject(item) ?? {}, subject, { historical: false }, emit);
      if (reason !== undefined) spoilt(emit, reason, instrument, "trades");
    }
  }

  #table(message: Row, receivedTimeUs: number, emit: Emit): void {
    const table = asText(message["table"]) ?? "";
    const action = asText(message["action"]) ?? "";
    const data = asJsonArray(message["data"]);
    const [channel] = channelsOf(table);
    if (OTHER_TABLES.has(table)) return emit({ kind: "heartbeat" });
    if (channel === undefined) return reject(emit, "unknown-message");
    const groups = data === undefined ? undefined : groupBySymbol(data);
    if (!isAction(action) || groups === undefined) {
      reject(emit, "missing-field");
      return this.#suspect(channel, emit);
    }
    // The whole of an empty table names its instrument by the filter alone.
    const filter = asText(asJsonObject(message["filter"])?.["symbol"]);
    if (groups.size === 0 && filter !== undefined) groups.set(filter, []);
    if (groups.size === 0) return emit({ kind: "heartbeat" });
    for (const [venueSymbol, rows] of groups) {
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      if (instrument === undefined) {
        reject(emit, "unknown-instrument");
        continue;
      }
      const subject = this.#subject(instrument, receivedTimeUs);
      if (channel === "book") this.#book(rows, action, subject, emit);
      else if (isRowChannel(channel)) this.#rows(rows, { channel, action }, subject, emit);
      else this.#instrument(rows, action, subject, emit);
    }
  }

  #book(rows: readonly Row[], action: LevelAction, subject: RowSubject, emit: Emit): void {
    const { instrument, tracker, receivedTimeUs } = subject;
    // Before, there is nothing of it that could be lost.
    if (action === "partial") this.#books.add(instrument);
    const levels = this.#keptOf(instrument).levels.apply(action, rows);
    if (typeof levels === "string") return spoilt(emit, levels, instrument, "book");
    const columns = tracker.book(levels.bids, levels.asks);
    if (typeof columns === "string") return spoilt(emit, columns, instrument, "book");
    emit({
      kind: "raw-book",
      instrument,
      venueTimeUs: levels.venueTimeUs,
      receivedTimeUs,
      snapshot: action === "partial",
      source: "in-band",
      firstUpdateId: undefined,
      lastUpdateId: undefined,
      previousUpdateId: undefined,
      checksum: undefined,
      priceScale: tracker.priceScale,
      sizeScale: tracker.sizeScale,
      bids: columns.bids,
      asks: columns.asks,
    });
  }

  #instrument(rows: readonly Row[], action: LevelAction, subject: RowSubject, emit: Emit): void {
    const kept = this.#keptOf(subject.instrument);
    if (action === "partial" || action === "insert") kept.fields = new Map();
    const { fields } = kept;
    if (fields === undefined || action === "delete") return emit({ kind: "heartbeat" });
    for (const row of rows) {
      const reason = readInstrument(row, subject, fields, emit);
      if (reason !== undefined) spoilt(emit, reason, subject.instrument, "ticker");
    }
  }

  #rows(
    rows: readonly Row[],
    { channel, action }: { readonly channel: RowChannel; readonly action: LevelAction },
    subject: RowSubject,
    emit: Emit,
  ): void {
    const historical = action === "partial";
    // These tables only grow; a liquidation is updated and deleted as it is filled.
    const isNews = action === "insert" || (historical && channel !== "liquidations");
    if (channel === "trades") this.#trades.add(subject.instrument);
    if (!isNews || rows.length === 0) return emit({ kind: "heartbeat" });
    for (const row of rows) {
      const reason = ROW_READERS[channel](row, subject, { historical }, emit);
      if (reason !== undefined) spoilt(emit, reason, subject.instrument, channel);
    }
  }

  #subscribed(message: Row, emit: Emit): void {
    const { table, venueSymbol } = splitTopic(asText(message["subscribe"]) ?? "");
    const published = channelsOf(table);
    if (published.length === 0 || venueSymbol === undefined) return emit({ kind: "heartbeat" });
    for (const channel of published) emit({ kind: "subscribed", venueSymbol, channel });
    const instrument = this.#catalog.byVenueSymbol(venueSymbol);
    if (instrument === undefined) return;
    if (published.includes("book")) this.#books.add(instrument);
    if (published.includes("trades")) this.#trades.add(instrument);
  }

  #subject(instrument: Instrument, receivedTimeUs: number): RowSubject {
    return { instrument, tracker: this.#keptOf(instrument).tracker, receivedTimeUs };
  }

  #keptOf(instrument: Instrument): Kept {
    let kept = this.#kept.get(instrument);
    if (kept === undefined) {
      kept = { tracker: new ScaleTracker(), levels: new BitmexLevels(), fields: undefined };
      this.#kept.set(instrument, kept);
    }
    return kept;
  }

  /** Nothing numbers messages here, so what a damaged frame was about is read from what is left. */
  #rejectDamaged(text: string, emit: Emit): void {
    const table = /"table"\s*:\s*"([A-Za-z0-9_]+)"/.exec(text)?.[1];
    const venueSymbol = /"symbol"\s*:\s*"([^"\\]+)"/.exec(text.slice(text.indexOf('"data"')))?.[1];
    const [channel] = channelsOf(table ?? "");
    const instrument =
      venueSymbol === undefined ? undefined : this.#catalog.byVenueSymbol(venueSymbol);
    if (channel !== undefined && instrument !== undefined) {
      spoilt(emit, "bad-json", instrument, channel);
      if (channel === "trades") spoilt(emit, "missing-data", instrument, channel);
      return;
    }
    reject(emit, "bad-json");
    if (!/^\s*\{\s*"(?:success|info|status)"/.test(text)) this.#suspect(channel, emit);
  }

  /** What a message that does not say what it was about may have cost. */
  #suspect(channel: Channel | undefined, emit: Emit): void {
    if (channel === undefined || channel === "book") {
      for (const each of this.#books) spoilt(emit, "missing-data", each, "book");
    }
    if (channel === undefined || channel === "trades") {
      for (const each of this.#trades) spoilt(emit, "missing-data", each, "trades");
    }
  }
}

function decodedUri(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    // Damaged, and so the name of nothing.
    return text;
  }
}

/** Rows by instrument, in their order; undefined if any names none. */
function groupBySymbol(data: readonly JsonText[]): Map<string, Row[]> | undefined {
  const groups = new Map<string, Row[]>();
  for (const item of data) {
    const row = asJsonObject(item);
    const symbol = asText(row?.["symbol"]);
    if (row === undefined || symbol === undefined) return undefined;
    const rows = groups.get(symbol);
    if (rows === undefined) groups.set(symbol, [row]);
    else rows.push(row);
  }
  return groups;
}

function channelsOf(table: string): readonly Channel[] {
  return Object.hasOwn(BITMEX_TABLES, table) ? (BITMEX_TABLES[table] ?? []) : [];
}

function isRowChannel(channel: Channel): channel is RowChannel {
  return Object.hasOwn(ROW_READERS, channel);
}

function isAction(action: string): action is LevelAction {
  return ["partial", "insert", "update", "delete"].includes(action);
}

/** `trade:XBTUSD` in its parts; without a symbol it is all of them. */
function splitTopic(topic: string): {
  readonly table: string;
  readonly venueSymbol: string | undefined;
} {
  const cut = topic.indexOf(":");
  return cut < 0
    ? { table: topic, venueSymbol: undefined }
    : { table: topic.slice(0, cut), venueSymbol: topic.slice(cut + 1) };
}

/** An error repeats the request that it answers; ours each name one topic. */
function refuse(message: Row, emit: Emit): void {
  const reason = asText(message["error"]) ?? "refused";
  const args = asJsonObject(message["request"])?.["args"];
  const topics = typeof args === "string" ? [args] : (asJsonArray(args) ?? []);
  let named = false;
  for (const topic of topics) {
    const { table, venueSymbol } = splitTopic(asText(topic) ?? "");
    if (venueSymbol === undefined) continue;
    for (const channel of channelsOf(table)) {
      named = true;
      emit({ kind: "refused", venueSymbol, channel, reason });
    }
  }
  if (!named) emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
}

function reject(emit: Emit, reason: RejectReason): void {
  emit({ kind: "rejected", reason });
}

/** Says also what was lost, so that a book can be started anew. */
function spoilt(emit: Emit, reason: RejectReason, instrument: Instrument, channel: Channel): void {
  emit({ kind: "rejected", reason, instrument, channel });
}
