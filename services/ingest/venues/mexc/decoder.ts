// https://www.mexc.com/api-docs/spot-v3/websocket-market-streams
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { Quote } from "#core/market-event.ts";
import type {
  FeedDecoder,
  FeedDecoderContext,
  RestPurpose,
  RestReply,
} from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { doubtEach } from "../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import { FrameDecoder, type FrameReader } from "../../reading/frame-decoder.ts";
import { JSON_RECORDS } from "../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { ProtobufFields, ProtobufKind } from "../../reading/protobuf-fields.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { isRecord, type JsonRecord } from "../../reading/text-fields.ts";
import { epochTimeUs } from "../../reading/venue-time.ts";
import { readAnswer } from "./answers.ts";
import { BODIES_FROM, BODIES_TO, BODY, type MexcBody, parseStream, WRAPPER } from "./fields.ts";
import {
  isSameQuote,
  type MexcSubject,
  readBook,
  readCandle,
  readQuote,
  readTrades,
} from "./readings.ts";
import { readBookAnswer, readTickerAnswer } from "./rest.ts";

const OPEN_BRACE = 0x7b;

type MexcChannel = Extract<Channel, "book" | "trades" | "quotes" | "candles">;

/** What is published of each body. */
const CHANNEL_OF_BODY: ReadonlyMap<number, MexcChannel> = new Map<number, MexcChannel>([
  [BODY.book, "book"],
  [BODY.trades, "trades"],
  [BODY.quote, "quotes"],
  [BODY.candle, "candles"],
]);

const EMPTY = new Uint8Array(0);

/** Reads data frames, which are protobuf, and leaves the others to a decoder of texts. */
export class MexcDecoder implements FeedDecoder {
  readonly #data: MexcReader;
  readonly #texts: FrameDecoder<JsonRecord, unknown>;

  constructor(context: FeedDecoderContext) {
    this.#data = new MexcReader(context);
    this.#texts = new FrameDecoder(JSON_RECORDS, this.#data);
  }

  decode(frame: string | Uint8Array, receivedTimeUs: number, emit: Emit): void {
    // No protobuf message begins so: it would be the start of a group.
    const isText = typeof frame === "string" || frame[0] === OPEN_BRACE;
    if (isText) this.#texts.decode(frame, receivedTimeUs, emit);
    else this.#data.binary(frame, receivedTimeUs, emit);
  }

  decodeRest(reply: RestReply, receivedTimeUs: number, emit: Emit): void {
    this.#texts.decodeRest(reply, receivedTimeUs, emit);
  }
}

/** Reads one connection. Changes of books are numbered, trades are not. */
class MexcReader implements FrameReader<JsonRecord, unknown> {
  readonly #catalog: InstrumentCatalog;
  readonly #scales = new InstrumentStates(() => new ScaleTracker());
  /** The last quotes, since what says the same again is no news. */
  readonly #quotes = new Map<Instrument, Quote>();
  readonly #candles = new CandleCloser();
  /** What has trades on this connection. */
  readonly #trades = new Set<Instrument>();
  readonly #fields = new ProtobufFields();
  #symbol: string | undefined;
  #timeMs = 0;
  #bodyField = 0;
  #body: MexcBody = { bytes: EMPTY, start: 0, end: 0 };

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  message(message: JsonRecord, _receivedTimeUs: number, emit: Emit): void {
    // A subscription that was renewed waits for a quote, whatever it says.
    this.#quotes.clear();
    readAnswer(message, emit);
  }

  /** Only answers are texts, and an answer that is lost is asked for again. */
  damaged(_text: string, emit: Emit): void {
    reject(emit, "bad-json");
  }

  answer(body: unknown, purpose: RestPurpose, receivedTimeUs: number, emit: Emit): Fault {
    const { kind, channel, instrument } = purpose;
    if (kind === "poll") {
      if (channel !== "ticker") return "unknown-message";
      return this.#tickers(body, instrument, receivedTimeUs, emit);
    }
    if (kind !== "book-snapshot") return "unknown-message";
    if (!isRecord(body)) return "missing-field";
    const scales = this.#scales.of(instrument);
    return readBookAnswer(body, { instrument, receivedTimeUs }, scales, emit);
  }

  /** Reads a data frame. */
  binary(frame: Uint8Array, receivedTimeUs: number, emit: Emit): void {
    if (!this.#unwrap(frame)) return this.#damagedData(frame, emit);
    const channel = CHANNEL_OF_BODY.get(this.#bodyField);
    if (channel === undefined) {
      // Other streams are never asked for; a frame without any body is none of the venue's.
      if (this.#bodyField === 0) reject(emit, "unknown-message");
      else heartbeat(emit);
      return;
    }
    const symbol = this.#symbol ?? this.#streamOf(frame)?.venueSymbol;
    const instrument = lookUpInstrument(this.#catalog, symbol, emit);
    if (instrument === undefined) return;
    const fault = this.#read(channel, instrument, receivedTimeUs, emit);
    if (fault === undefined) return;
    rejectOf(emit, fault, instrument, channel);
    // Which trades a damaged message held cannot be known.
    if (channel === "trades") rejectOf(emit, "missing-data", instrument, channel);
  }

  /** Finds what a frame is about, and where that stands in it. False if the frame is damaged. */
  #unwrap(frame: Uint8Array): boolean {
    const fields = this.#fields;
    this.#symbol = undefined;
    this.#timeMs = 0;
    this.#bodyField = 0;
    fields.open(frame);
    while (fields.next()) {
      const { field } = fields;
      if (field === WRAPPER.symbol) this.#symbol = fields.text;
      else if (field === WRAPPER.sendTime) this.#timeMs = fields.number;
      else if (field === WRAPPER.createTime) this.#timeMs ||= fields.number;
      else if (field >= BODIES_FROM && field <= BODIES_TO && fields.kind === ProtobufKind.Bytes) {
        this.#bodyField = field;
        this.#body = { bytes: frame, start: fields.start, end: fields.end };
      }
    }
    return !fields.isDamaged;
  }

  /** What a frame says that it is of, for the rare one that does not name its symbol. */
  #streamOf(frame: Uint8Array): ReturnType<typeof parseStream> {
    const fields = this.#fields;
    fields.open(frame);
    while (fields.next()) {
      if (fields.field === WRAPPER.channel) return parseStream(fields.text);
    }
    return undefined;
  }

  #read(channel: MexcChannel, instrument: Instrument, receivedTimeUs: number, emit: Emit): Fault {
    const venueTimeUs = epochTimeUs(this.#timeMs);
    const scales = this.#scales.of(instrument);
    const subject = { instrument, venueTimeUs, receivedTimeUs, scales };
    switch (channel) {
      case "book":
        return readBook(this.#body, subject, emit);
      case "trades":
        this.#trades.add(instrument);
        return readTrades(this.#body, subject, emit, (fault) =>
          rejectOf(emit, fault, instrument, "trades"),
        );
      case "quotes":
        return this.#quote(subject, emit);
      case "candles": {
        const candle = readCandle(this.#body, subject);
        if (candle === "not-published") {
          heartbeat(emit);
          return undefined;
        }
        if (typeof candle === "string") return candle;
        this.#candles.take(candle, emit);
        return undefined;
      }
    }
  }

  /** The venue says every ten milliseconds what the best levels are, changed or not. */
  #quote(subject: MexcSubject, emit: Emit): Fault {
    const quote = readQuote(this.#body, subject);
    if (typeof quote === "string") return quote;
    const last = this.#quotes.get(subject.instrument);
    this.#quotes.set(subject.instrument, quote);
    if (isSameQuote(quote, last)) heartbeat(emit);
    else emit(quote);
    return undefined;
  }

  /** What names a frame stands at its beginning: what was cut off may be known all the same. */
  #damagedData(frame: Uint8Array, emit: Emit): void {
    const stream = this.#streamOf(frame);
    const symbol = this.#symbol ?? stream?.venueSymbol;
    const instrument = symbol === undefined ? undefined : this.#catalog.byVenueSymbol(symbol);
    if (stream === undefined || instrument === undefined) {
      reject(emit, "bad-json");
      return doubtEach(this.#trades, "trades", emit);
    }
    rejectOf(emit, "bad-json", instrument, stream.channel);
    if (stream.channel === "trades") rejectOf(emit, "missing-data", instrument, "trades");
  }

  /** Those of all pairs, or those of one. */
  #tickers(
    body: unknown,
    asked: Instrument | undefined,
    receivedTimeUs: number,
    emit: Emit,
  ): Fault {
    const rows = Array.isArray(body) ? (body as readonly unknown[]) : [body];
    for (const row of rows) {
      const fields = isRecord(row) ? row : undefined;
      if (fields === undefined) return "missing-field";
      const name = fields["symbol"];
      const named = typeof name === "string" ? this.#catalog.byVenueSymbol(name) : undefined;
      // Of all pairs, those that are not listed are of no interest.
      const instrument = asked ?? named;
      if (instrument === undefined) continue;
      if (asked !== undefined && named !== asked) return "unknown-instrument";
      const fault = readTickerAnswer(fields, { instrument, receivedTimeUs }, emit);
      if (fault !== undefined) rejectOf(emit, fault, instrument, "ticker");
    }
    return undefined;
  }
}
