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
import { textOfFrame } from "../../reading/event-values.ts";
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
import {
  gateTimeUs,
  type Json,
  partsOf,
  venueSymbolOfCandle,
  venueSymbolOfStream,
  venueSymbolsOfPayload,
} from "./fields.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isBadTime } from "../../reading/venue-time.ts";

type Emit = (event: FeedEvent) => void;

/** In what the two Gate venues differ. */
export type GateDialect = {
  /** Before the point in every channel. */
  readonly prefix: "spot" | "futures";
  /** What is published of each of the venue's channels, by its name behind the point. */
  readonly channels: Readonly<Record<string, readonly Channel[]>>;
  snapshotVenueSymbol(url: string): string | undefined;
  tradesVenueSymbol(url: string): string | undefined;
};

/** Requests whose answers have not come; beyond it the oldest is forgotten. */
export const GATE_PENDING_MAX = 1024;

type Pending = { readonly id: string; readonly name: string; readonly payload: JsonText };

/** Decodes the feed of Gate, v4, spot or futures. Sizes are numbers here and texts there. */
export class GateDecoder implements FeedDecoder {
  readonly #dialect: GateDialect;
  readonly #catalog: InstrumentCatalog;
  /** Made as instruments turn up, so limited by the catalog. */
  readonly #trackers = new Map<Instrument, ScaleTracker>();
  readonly #pending: Pending[] = [];
  /** Books that begin in-band and whose first, whole message has not come. */
  readonly #awaited = new Set<Instrument>();
  /** What has trades on this connection. */
  readonly #trades = new Set<Instrument>();

  constructor(dialect: GateDialect, context: FeedDecoderContext) {
    this.#dialect = dialect;
    this.#catalog = context.catalog;
  }

  sent(frame: string): void {
    const request = asJsonObject(parseJsonText(frame));
    const name = asText(request?.["channel"]);
    const payload = request?.["payload"];
    if (request?.["event"] !== "subscribe" || name === undefined || payload === undefined) return;
    if (this.#pending.length >= GATE_PENDING_MAX) this.#pending.shift();
    this.#pending.push({ id: asText(request["id"]) ?? "", name, payload });
    if (!name.endsWith(".obu")) return;
    for (const venueSymbol of venueSymbolsOfPayload(name, payload)) {
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      if (instrument !== undefined) this.#awaited.add(instrument);
    }
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    const text = textOfFrame(frame);
    const parsed = parseJsonText(text);
    if (parsed === undefined) return this.#rejectDamaged(text, emit);
    const message = asJsonObject(parsed);
    const name = asText(message?.["channel"]);
    if (message === undefined || name === undefined) return reject(emit, "unknown-message");
    const event = message["event"];
    if (event === "subscribe") return this.#answered(name, message, emit);
    if (event === "unsubscribe" || name === `${this.#dialect.prefix}.pong`) {
      return emit({ kind: "heartbeat" });
    }
    if (name === `${this.#dialect.prefix}.system`) return system(message, emit);
    if (message["error"] !== undefined && message["error"] !== null) {
      return this.#refused(name, message, emit);
    }
    if (event === "update" || event === "all") {
      return this.#update(name, message, receivedTimeUs, emit);
    }
    // The first notices of `futures.obu` in the documentation have no event.
    if (event === undefined && name.endsWith(".obu")) {
      return this.#update(name, message, receivedTimeUs, emit);
    }
    reject(emit, "unknown-message");
  }

  decodeRest(response: RestResponse, receivedTimeUs: number, emit: Emit): void {
    const body = parseJsonText(response.body);
    if (body === undefined) return reject(emit, "bad-json");
    const bookOf = this.#dialect.snapshotVenueSymbol(response.url);
    const tradesOf = this.#dialect.tradesVenueSymbol(response.url);
    const venueSymbol = bookOf ?? tradesOf;
    if (venueSymbol === undefined) return reject(emit, "unknown-message");
    const instrument = this.#catalog.byVenueSymbol(venueSymbol);
    if (instrument === undefined) return reject(emit, "unknown-instrument");
    const subject = this.#subject(instrument, undefined, receivedTimeUs);
    const answer = asJsonObject(body);
    if (bookOf !== undefined) {
      // Gate gives the time of the answer and the time of the last change; the book is of the last.
      const venueTimeUs = gateTimeUs(answer?.["update"]);
      const book = answer === undefined ? undefined : { ...subject, venueTimeUs };
      const reason =
        book === undefined || answer === undefined
          ? "missing-field"
          : readBook(answer, book, "rest", emit);
      if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel: "book" });
      return;
    }
    const trades = asJsonArray(body);
    if (trades === undefined) {
      return emit({ kind: "rejected", reason: "missing-field", instrument, channel: "trades" });
    }
    for (const trade of trades.toSorted(byId)) {
      const reason = readTrade(asJsonObject(trade) ?? {}, subject, emit);
      if (reason !== undefined) emit({ kind: "rejected", reason, instrument, channel: "trades" });
    }
  }

  #update(name: string, message: Json, receivedTimeUs: number, emit: Emit): void {
    const kind = this.#kindOf(name);
    const published = this.#dialect.channels[kind]?.[0];
    if (published === undefined) return reject(emit, "unknown-message");
    // Whole seconds until 2021, when `time_ms` was added.
    const venueTimeUs = gateTimeUs(message["time_ms"] ?? message["time"]);
    for (const part of partsOf(message["result"])) {
      const result = asJsonObject(part);
      const venueSymbol = result === undefined ? undefined : venueSymbolOf(kind, result);
      if (result === undefined || venueSymbol === undefined) {
        reject(emit, "missing-field");
        continue;
      }
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      if (instrument === undefined) {
        reject(emit, "unknown-instrument");
        continue;
      }
      const subject = this.#subject(instrument, venueTimeUs, receivedTimeUs);
      const reason = isBadTime(venueTimeUs) ? "bad-time" : this.#read(kind, result, subject, emit);
      if (reason === undefined) continue;
      emit({ kind: "rejected", reason, instrument, channel: published });
    }
  }

  #read(kind: string, result: Json, subject: GateSubject, emit: Emit): RejectReason | undefined {
    switch (kind) {
      case "trades":
        this.#trades.add(subject.instrument);
        return readTrade(result, subject, emit);
      case "book_ticker":
        return readQuote(result, subject, emit);
      case "order_book_update":
        return readBook(result, subject, "update", emit);
      case "obu":
        if (result["full"] === true) {
          this.#awaited.delete(subject.instrument);
          return readBook(result, subject, "full", emit);
        }
        return readBook(result, subject, "update", emit);
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

  #subject(
    instrument: Instrument,
    venueTimeUs: number | undefined,
    receivedTimeUs: number,
  ): GateSubject {
    let tracker = this.#trackers.get(instrument);
    if (tracker === undefined) {
      tracker = new ScaleTracker();
      this.#trackers.set(instrument, tracker);
    }
    return { instrument, tracker, venueTimeUs, receivedTimeUs };
  }

  #answered(name: string, message: Json, emit: Emit): void {
    const error = asJsonObject(message["error"]);
    const reason = asText(error?.["message"]);
    // The venue's words for a stream that is subscribed to already.
    if (error !== undefined && reason?.startsWith("Alert sub ") !== true) {
      return this.#refused(name, message, emit);
    }
    const published = this.#dialect.channels[this.#kindOf(name)] ?? [];
    const venueSymbols = this.#takeAsked(name, message);
    if (venueSymbols.length === 0 || published.length === 0) return emit({ kind: "heartbeat" });
    for (const venueSymbol of venueSymbols) {
      for (const channel of published) emit({ kind: "subscribed", venueSymbol, channel });
      if (!published.includes("trades")) continue;
      const instrument = this.#catalog.byVenueSymbol(venueSymbol);
      if (instrument !== undefined) this.#trades.add(instrument);
    }
  }

  #refused(name: string, message: Json, emit: Emit): void {
    const error = asJsonObject(message["error"]);
    const reason = asText(error?.["message"]) ?? `code ${asText(error?.["code"]) ?? "unknown"}`;
    const published = this.#dialect.channels[this.#kindOf(name)] ?? [];
    const venueSymbols = this.#takeAsked(name, message);
    if (venueSymbols.length === 0 || published.length === 0) {
      return emit({ kind: "refused", venueSymbol: undefined, channel: undefined, reason });
    }
    for (const venueSymbol of venueSymbols) {
      for (const channel of published) emit({ kind: "refused", venueSymbol, channel, reason });
    }
  }

  /**
   * What an answer is about: it repeats the request's id and payload, or, as it did until 2023,
   * neither; then answers come in the order of the requests of a channel.
   */
  #takeAsked(name: string, message: Json): readonly string[] {
    const id = asText(message["id"]) ?? "";
    const { payload } = message;
    const asked = payload === undefined ? undefined : JSON.stringify(payload);
    const index = this.#pending.findIndex((each) => {
      if (id !== "") return each.id === id;
      return each.name === name && (asked === undefined || JSON.stringify(each.payload) === asked);
    });
    const [pending] = index < 0 ? [] : this.#pending.splice(index, 1);
    return venueSymbolsOfPayload(name, payload ?? pending?.payload);
  }

  #kindOf(name: string): string {
    const { prefix } = this.#dialect;
    return name.startsWith(`${prefix}.`) ? name.slice(prefix.length + 1) : "";
  }

  /**
   * A lost change shows in the numbers of the next, a lost trade or a book's lost first message in
   * nothing: they are traced by the name that is left, or all that it may have been is in doubt.
   */
  #rejectDamaged(text: string, emit: Emit): void {
    const reason = "missing-data";
    const name = /"channel"\s*:\s*"([a-z_]+\.[a-z_]+)"/.exec(text)?.[1];
    const kind = name === undefined ? "" : this.#kindOf(name);
    const [channel] = this.#dialect.channels[kind] ?? [];
    const symbol = /"(?:s|currency_pair|contract)"\s*:\s*"([^"\\]+)"/.exec(text)?.[1];
    const venueSymbol = kind === "obu" ? venueSymbolOfStream(symbol) : symbol;
    const instrument =
      venueSymbol === undefined ? undefined : this.#catalog.byVenueSymbol(venueSymbol);
    if (channel !== undefined && instrument !== undefined) {
      emit({ kind: "rejected", reason: "bad-json", instrument, channel });
      if (channel === "trades") emit({ kind: "rejected", reason, instrument, channel });
      return;
    }
    reject(emit, "bad-json");
    if (name === undefined || kind === "obu") {
      for (const each of this.#awaited) {
        emit({ kind: "rejected", reason, instrument: each, channel: "book" });
      }
    }
    if (name === undefined || kind === "trades") {
      for (const each of this.#trades) {
        emit({ kind: "rejected", reason, instrument: each, channel: "trades" });
      }
    }
  }
}

function venueSymbolOf(kind: string, result: Json): string | undefined {
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
function system(message: Json, emit: Emit): void {
  const type = asText(asJsonObject(message["result"])?.["type"]);
  if (type === "upgrade") emit({ kind: "reconnect-requested", reason: "venue-upgrade" });
  else emit({ kind: "heartbeat" });
}

/** Oldest first, whatever order the venue lists in; ids of one length compare as texts. */
function byId(a: JsonText, b: JsonText): number {
  const [left = "", right = ""] = [a, b].map((each) => asText(asJsonObject(each)?.["id"]));
  return left.length - right.length || (left < right ? -1 : Number(left > right));
}

function reject(emit: Emit, reason: RejectReason): void {
  emit({ kind: "rejected", reason });
}
