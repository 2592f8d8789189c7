import type { Channel, Instrument } from "#core/instrument.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { FeedDecoderContext, RejectReason, RestPurpose } from "../../feed/feed-adapter.ts";
import { doubtEach, fieldFinder, rejectDamaged } from "../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf, type TakeTick } from "../../reading/emit.ts";
import type { FrameReader } from "../../reading/frame-decoder.ts";
import type { TextRecord } from "../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { SymbolTable } from "../../reading/symbol-table.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { GateAnswers } from "./answers.ts";
import {
  partsOf,
  venueSymbolOfCandle,
  venueSymbolOfStream,
  venueSymbolsOfPayload,
} from "./fields.ts";
import {
  type GateSubject,
  readBook,
  readCandle,
  readContractStats,
  readLiquidation,
  readQuote,
  readTicker,
  readTrade,
} from "./readings.ts";
import { readBookAnswer, readTradesAnswer } from "./rest.ts";
import { GateScanner, type ScannedPair } from "./scanner.ts";

/** In what the two Gate venues differ. */
export type GateDialect = {
  /** Before the point in every channel. */
  readonly prefix: "spot" | "futures";
  /** What is published of each of the venue's channels, by its name behind the point. */
  readonly channels: ReadonlyMap<string, readonly Channel[]>;
};

const NONE: readonly never[] = [];

const channelIn = fieldFinder("channel");
const symbolIn = fieldFinder("s|currency_pair|contract");

/** Reads the feed of Gate, v4, spot or futures. Sizes are numbers here and texts there. */
export class GateReader implements FrameReader<TextRecord, JsonText> {
  readonly #dialect: GateDialect;
  readonly #catalog: InstrumentCatalog;
  readonly #answers: GateAnswers;
  readonly #pairs: SymbolTable<ScannedPair>;
  readonly #scanner: GateScanner;
  readonly #states = new InstrumentStates((instrument) => {
    const pair = { instrument, scales: new ScaleTracker() };
    this.#pairs.add(instrument, pair);
    return pair;
  });
  /** Books that begin in-band and whose first, whole message has not come. */
  readonly #awaited = new Set<Instrument>();
  /** What has trades on this connection. */
  readonly #trades = new Set<Instrument>();

  constructor(dialect: GateDialect, context: FeedDecoderContext) {
    this.#dialect = dialect;
    this.#catalog = context.catalog;
    this.#answers = new GateAnswers((name) => this.#channelsOf(this.#kindOf(name)));
    this.#pairs = new SymbolTable(context.catalog);
    this.#scanner = this.#newScanner(dialect.prefix);
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick);
  }

  sent(frame: string): void {
    const asked = this.#answers.sent(frame);
    if (asked?.name.endsWith(".obu") !== true) return;
    for (const venueSymbol of venueSymbolsOfPayload(asked.name, asked.payload)) {
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      if (instrument !== undefined) this.#awaited.add(instrument);
    }
  }

  message(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const name = asText(message["channel"]);
    if (name === undefined) return reject(emit, "unknown-message");
    const { prefix } = this.#dialect;
    const { event, error } = message;
    if (event === "subscribe") return this.#subscribed(name, message, emit);
    if (event === "unsubscribe" || name === `${prefix}.pong`) return heartbeat(emit);
    if (name === `${prefix}.system`) return readNotice(message, emit);
    if (error !== undefined && error !== null) return this.#answers.refused(name, message, emit);
    // The first notices of `futures.obu` in the documentation have no event.
    const isUpdate = event === "update" || event === "all";
    if (isUpdate || (event === undefined && name.endsWith(".obu"))) {
      return this.#update(this.#kindOf(name), message, receivedTimeUs, emit);
    }
    reject(emit, "unknown-message");
  }

  /**
   * A lost change shows in the numbers of the next, a lost trade or a book's lost first message in
   * nothing: they are traced by the name that is left, or all that it may have been is in doubt.
   */
  damaged(text: string, emit: Emit): void {
    const name = channelIn(text);
    const kind = name === undefined ? "" : this.#kindOf(name);
    const [channel] = this.#channelsOf(kind);
    const symbol = symbolIn(text);
    const venueSymbol = kind === "obu" ? venueSymbolOfStream(symbol) : symbol;
    const instrument =
      venueSymbol === undefined ? undefined : this.#catalog.byVenueSymbol(venueSymbol);
    if (rejectDamaged(emit, instrument, channel)) {
      if (instrument !== undefined && channel === "trades") doubtEach([instrument], channel, emit);
      return;
    }
    if (name === undefined || kind === "obu") doubtEach(this.#awaited, "book", emit);
    if (name === undefined || kind === "trades") doubtEach(this.#trades, "trades", emit);
  }

  answer(
    body: JsonText,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): RejectReason | undefined {
    if (kind === "poll") return "unknown-message";
    const subject = this.#subject(instrument, undefined, receivedTimeUs);
    return kind === "trades"
      ? readTradesAnswer(body, subject, emit)
      : readBookAnswer(body, subject, emit);
  }

  #update(kind: string, message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const [channel] = this.#channelsOf(kind);
    if (channel === undefined) return reject(emit, "unknown-message");
    // Whole seconds until 2021, when `time_ms` was added.
    const venueTimeUs = epochTimeUs(message["time_ms"] ?? message["time"]);
    if (message["result"] === undefined) return reject(emit, "missing-field");
    for (const part of partsOf(message["result"])) {
      this.#result(kind, asJsonObject(part) ?? {}, venueTimeUs, receivedTimeUs, emit);
    }
  }

  #newScanner(prefix: GateDialect["prefix"]): GateScanner {
    return new GateScanner(
      prefix,
      this.#pairs,
      (instrument) => this.#states.of(instrument),
      (kind, result, venueTimeUs, receivedTimeUs, emit) =>
        this.#result(kind, result, venueTimeUs, receivedTimeUs, emit),
    );
  }

  /** One result of a channel of which something is published. */
  #result(
    kind: string,
    result: TextRecord,
    venueTimeUs: number | undefined,
    receivedTimeUs: number,
    emit: Emit,
  ): void {
    const instrument = lookUpInstrument(this.#catalog, venueSymbolOf(kind, result), emit);
    if (instrument === undefined) return;
    const subject = this.#subject(instrument, venueTimeUs, receivedTimeUs);
    const reason = this.#read(kind, result, subject, emit);
    const [channel] = this.#channelsOf(kind);
    if (reason !== undefined && channel !== undefined) rejectOf(emit, reason, instrument, channel);
  }

  #read(
    kind: string,
    result: TextRecord,
    subject: GateSubject,
    emit: Emit,
  ): RejectReason | undefined {
    switch (kind) {
      case "trades":
        this.#trades.add(subject.instrument);
        return readTrade(result, subject, emit);
      case "book_ticker":
        return readQuote(result, subject, emit);
      case "order_book_update":
        // Since 2025 some are the whole book, which replaces what was there.
        return readBook(result, subject, result["full"] === true ? "full" : "update", emit);
      case "obu":
        if (result["full"] !== true) return readBook(result, subject, "update", emit);
        this.#awaited.delete(subject.instrument);
        return readBook(result, subject, "full", emit);
      case "tickers":
        return readTicker(result, subject, emit);
      case "candlesticks":
        return readCandle(result, subject, emit);
      case "public_liquidates":
        return readLiquidation(result, subject, emit);
      case "contract_stats":
        return readContractStats(result, subject, emit);
      default:
        return "unknown-message";
    }
  }

  #subscribed(name: string, message: TextRecord, emit: Emit): void {
    for (const { venueSymbol, channels } of this.#answers.read(name, message, emit)) {
      if (!channels.includes("trades")) continue;
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      if (instrument !== undefined) this.#trades.add(instrument);
    }
  }

  #subject(
    instrument: Instrument,
    venueTimeUs: number | undefined,
    receivedTimeUs: number,
  ): GateSubject {
    return { instrument, scales: this.#states.of(instrument).scales, venueTimeUs, receivedTimeUs };
  }

  /** The name of a channel behind the point; an empty text for one of another venue. */
  #kindOf(name: string): string {
    const { prefix } = this.#dialect;
    return name.startsWith(`${prefix}.`) ? name.slice(prefix.length + 1) : "";
  }

  #channelsOf(kind: string): readonly Channel[] {
    return this.#dialect.channels.get(kind) ?? NONE;
  }
}

function venueSymbolOf(kind: string, result: TextRecord): string | undefined {
  switch (kind) {
    case "obu":
      return venueSymbolOfStream(result["s"]);
    case "candlesticks":
      return venueSymbolOfCandle(result["n"]);
    case "order_book_update":
    case "book_ticker":
      return asText(result["s"]);
    default:
      return asText(result["currency_pair"] ?? result["contract"]);
  }
}

/** `upgrade` comes before the venue closes the connection. */
function readNotice(message: TextRecord, emit: Emit): void {
  const type = asText(asJsonObject(message["result"])?.["type"]);
  if (type === "upgrade") emit({ kind: "reconnect-requested", reason: "venue-upgrade" });
  else heartbeat(emit);
}
