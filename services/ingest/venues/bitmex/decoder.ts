import type { Channel, Instrument } from "#core/instrument.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { FeedDecoderContext, RestPurpose } from "../../feed/feed-adapter.ts";
import { bookEvent } from "../../reading/book-event.ts";
import { doubtEach, fieldFinder, rejectDamaged } from "../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf, type TakeTick } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { FrameReader } from "../../reading/frame-decoder.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { stateOfWord } from "../../reading/instrument-words.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { PONG } from "../../reading/text-pongs.ts";
import { readAnswer } from "./answers.ts";
import { BitmexLevels, type LevelAction } from "./book.ts";
import { BITMEX_CHANGES } from "./instruments.ts";
import {
  type InstrumentState,
  readCandle,
  readFunding,
  readInstrument,
  readLiquidation,
  readQuote,
  readTrade,
  type RowSubject,
} from "./readings.ts";
import { channelsOfTable } from "./requests.ts";
import { readTradesAnswer } from "./rest.ts";
import { BitmexScanner, type ScannedBitmex } from "./scanner.ts";

/** Tables that nothing is published of: they are news or figures, or repeat what others say. */
const OTHER_TABLES: ReadonlySet<string> = new Set([
  ..."announcement chat connected insurance publicNotifications settlement orderBook10".split(" "),
  ..."quoteBin1m quoteBin5m quoteBin1h quoteBin1d tradeBin5m tradeBin1h tradeBin1d".split(" "),
]);

/** The tables whose every row is an event, by what they are published as. */
const ROW_READERS: ReadonlyMap<Channel, typeof readTrade> = new Map<Channel, typeof readTrade>([
  ["trades", readTrade],
  ["quotes", readQuote],
  ["candles", readCandle],
  ["funding", readFunding],
  ["liquidations", readLiquidation],
]);

/** What is kept of one instrument on one connection. */
type Kept = ScannedBitmex & {
  /** Undefined before the whole row has come: changes before that are of no use. */
  fields: InstrumentState | undefined;
};

/** Rows of one instrument, and what the message does to them. */
type Rows = {
  readonly channel: Channel;
  readonly action: LevelAction;
  readonly rows: readonly TextRecord[];
};

const tableIn = fieldFinder("table");
const symbolIn = fieldFinder("symbol");

/**
 * Reads the tables of BitMEX. Each begins with a `partial`, the whole of it; everything before is
 * left over from elsewhere and ignored. Rows are inserted, updated by what changed, and deleted.
 */
export class BitmexReader implements FrameReader<TextRecord | typeof PONG, JsonText> {
  readonly #catalog: InstrumentCatalog;
  readonly #symbols: SymbolTable<ScannedBitmex>;
  readonly #scanner: BitmexScanner;
  readonly #kept = new InstrumentStates<Kept>((instrument) => {
    const kept: Kept = {
      instrument,
      scales: new ScaleTracker(),
      levels: new BitmexLevels(),
      hasTrades: false,
      fields: undefined,
    };
    this.#symbols.add(instrument, kept);
    return kept;
  });
  /** Books of this connection: a frame that cannot be read may have been of any of them. */
  readonly #books = new Set<Instrument>();
  /** The same of trades. */
  readonly #trades = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#symbols = new SymbolTable(context.catalog);
    this.#scanner = new BitmexScanner(this.#symbols);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  message(message: TextRecord | typeof PONG, receivedTimeUs: number, emit: Emit): void {
    if (message === PONG) return heartbeat(emit);
    if (message["table"] !== undefined) return this.#table(message, receivedTimeUs, emit);
    for (const { venueSymbol, channels } of readAnswer(message, emit)) {
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      if (instrument === undefined) continue;
      if (channels.includes("book")) this.#books.add(instrument);
      if (channels.includes("trades")) this.#trades.add(instrument);
    }
  }

  /** Nothing numbers messages here, so what a damaged frame was about is read from what is left. */
  damaged(text: string, emit: Emit): void {
    const [channel] = channelsOfTable(tableIn(text) ?? "");
    const venueSymbol = symbolIn(text.slice(text.indexOf('"data"')));
    const instrument = this.#catalog.byVenueSymbol(venueSymbol ?? "");
    if (rejectDamaged(emit, instrument, channel)) {
      if (instrument !== undefined && channel === "trades") doubtEach([instrument], channel, emit);
    } else if (!/^\s*\{\s*"(?:success|info|status)"/.test(text)) {
      this.#suspect(channel, emit);
    }
  }

  answer(
    body: JsonText,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): Fault {
    if (kind !== "trades") return "unknown-message";
    return readTradesAnswer(body, this.#subject(instrument, false, receivedTimeUs), emit);
  }

  #table(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const table = asText(message["table"]) ?? "";
    const action = asText(message["action"]) ?? "";
    const data = asJsonArray(message["data"]);
    const [channel] = channelsOfTable(table);
    if (OTHER_TABLES.has(table)) return heartbeat(emit);
    if (channel === undefined) return reject(emit, "unknown-message");
    const groups = data === undefined ? undefined : groupBySymbol(data);
    if (!isAction(action) || groups === undefined) {
      reject(emit, "missing-field");
      return this.#suspect(channel, emit);
    }
    // The whole of an empty table names its instrument by the filter alone.
    const filter = asText(asJsonObject(message["filter"])?.["symbol"]);
    if (groups.size === 0 && filter !== undefined) groups.set(filter, []);
    if (groups.size === 0) return heartbeat(emit);
    for (const [venueSymbol, rows] of groups) {
      const instrument = lookUpInstrument(this.#catalog, venueSymbol, emit);
      if (instrument === undefined) continue;
      const subject = this.#subject(instrument, action === "partial", receivedTimeUs);
      this.#rows({ channel, action, rows }, subject, emit);
    }
  }

  #rows(told: Rows, subject: RowSubject, emit: Emit): void {
    const { channel } = told;
    const read = ROW_READERS.get(channel);
    if (channel === "trades") {
      this.#trades.add(subject.instrument);
      this.#kept.of(subject.instrument).hasTrades = true;
    }
    if (read !== undefined) {
      this.#events(told, subject, read, emit);
    } else if (channel === "book") {
      const fault = this.#book(told, subject, emit);
      if (fault !== undefined) rejectOf(emit, fault, subject.instrument, channel);
    } else {
      this.#instrument(told, subject, emit);
    }
  }

  /** These tables only grow; a liquidation is updated and deleted as it is filled. */
  #events(told: Rows, subject: RowSubject, read: typeof readTrade, emit: Emit): void {
    const { channel, action, rows } = told;
    const isNews = action === "insert" || (action === "partial" && channel !== "liquidations");
    if (!isNews || rows.length === 0) return heartbeat(emit);
    for (const row of rows) {
      const fault = read(row, subject, emit);
      if (fault !== undefined) rejectOf(emit, fault, subject.instrument, channel);
    }
  }

  #book({ action, rows }: Rows, subject: RowSubject, emit: Emit): Fault {
    const { instrument, scales, receivedTimeUs } = subject;
    // Before, there is nothing of it that could be lost.
    if (action === "partial") this.#books.add(instrument);
    const levels = this.#kept.of(instrument).levels.apply(action, rows);
    if (typeof levels === "string") return levels;
    const columns = scales.book(levels.bids, levels.asks);
    if (typeof columns === "string") return columns;
    const about = { instrument, venueTimeUs: levels.venueTimeUs, receivedTimeUs };
    emit(bookEvent(about, scales, columns, { snapshot: action === "partial" }));
    return undefined;
  }

  #instrument({ action, rows }: Rows, subject: RowSubject, emit: Emit): void {
    const kept = this.#kept.of(subject.instrument);
    if (action === "partial" || action === "insert") kept.fields = new Map();
    const { fields } = kept;
    if (fields === undefined || action === "delete") return heartbeat(emit);
    for (const row of rows) {
      const { instrument } = subject;
      const { state, stateWord: word = "" } = stateOfWord(BITMEX_CHANGES, asText(row["state"]));
      const isNews = state !== undefined && state !== (instrument.state ?? "trading");
      if (isNews) emit({ kind: "instrument-state", instrument, state, word });
      const fault = readInstrument(row, subject, fields, emit);
      if (fault !== undefined) rejectOf(emit, fault, subject.instrument, "ticker");
    }
  }

  #subject(instrument: Instrument, historical: boolean, receivedTimeUs: number): RowSubject {
    const { scales } = this.#kept.of(instrument);
    return { instrument, scales, historical, receivedTimeUs };
  }

  /** What a message that does not say what it was about may have cost. */
  #suspect(channel: Channel | undefined, emit: Emit): void {
    if (channel === undefined || channel === "book") doubtEach(this.#books, "book", emit);
    if (channel === undefined || channel === "trades") doubtEach(this.#trades, "trades", emit);
  }
}

/** Rows by instrument, in their order; undefined if any names none. */
function groupBySymbol(data: readonly JsonText[]): Map<string, TextRecord[]> | undefined {
  const groups = new Map<string, TextRecord[]>();
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

function isAction(action: string): action is LevelAction {
  return ["partial", "insert", "update", "delete"].includes(action);
}
