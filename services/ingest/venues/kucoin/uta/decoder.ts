// https://www.kucoin.com/docs-new/3470221w0
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { FeedDecoderContext, RestPurpose } from "../../../feed/feed-adapter.ts";
import { CandleCloser } from "../../../reading/candle-closer.ts";
import { doubtEach, fieldFinder, rejectDamaged } from "../../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf } from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import type { FrameReader } from "../../../reading/frame-decoder.ts";
import type { TextRecord } from "../../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../../reading/instrument-states.ts";
import { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { epochTimeUs } from "../../../reading/venue-time.ts";
import type { KucoinSubject } from "../readings.ts";
import { readTradesAnswer } from "../rest.ts";
import { KucoinUtaAnswers } from "./answers.ts";
import { readUtaBook, readUtaCandle, readUtaTicker, readUtaTrade } from "./readings.ts";
import { publishedOfUta } from "./requests.ts";

/** Behind the name of each channel. */
const MARKET = ".SPOT";

const typeIn = fieldFinder("T");
const symbolIn = fieldFinder("s");

/** Reads one connection. `T` says what a message is, `d` is what it says of one pair. */
export class KucoinUtaReader implements FrameReader<TextRecord, JsonText> {
  readonly #catalog: InstrumentCatalog;
  readonly #answers = new KucoinUtaAnswers();
  readonly #scales = new InstrumentStates(() => new ScaleTracker());
  readonly #candles = new CandleCloser();
  /** Books whose first, whole message has not come. */
  readonly #awaited = new Set<Instrument>();
  /** What has trades on this connection. */
  readonly #trades = new Set<Instrument>();

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
  }

  sent(frame: string): void {
    const asked = this.#answers.sent(frame);
    if (asked?.channels.includes("book") !== true) return;
    const instrument = this.#catalog.byVenueSymbol(asked.venueSymbol);
    if (instrument !== undefined) this.#awaited.add(instrument);
  }

  message(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const type = asText(message["T"]);
    if (type !== undefined) return this.#data(channelIn(type), message, receivedTimeUs, emit);
    if (message["result"] !== undefined) return this.#answers.read(message, emit);
    if (message["type"] === "pong" || message["message"] === "welcome") return heartbeat(emit);
    reject(emit, "unknown-message");
  }

  /**
   * A lost change shows in the numbers of the next, a lost trade or a book's lost first message in
   * nothing: they are traced by the name that is left, or all that it may have been is in doubt.
   */
  damaged(text: string, emit: Emit): void {
    const type = typeIn(text);
    const [channel] = type === undefined ? [] : publishedOfUta(channelIn(type));
    const symbol = symbolIn(text);
    const instrument = symbol === undefined ? undefined : this.#catalog.byVenueSymbol(symbol);
    if (rejectDamaged(emit, instrument, channel)) {
      if (instrument !== undefined && channel === "trades") doubtEach([instrument], channel, emit);
      return;
    }
    if (type === undefined || channel === "book") doubtEach(this.#awaited, "book", emit);
    if (type === undefined || channel === "trades") doubtEach(this.#trades, "trades", emit);
  }

  answer(
    body: JsonText,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): Fault {
    if (kind !== "trades") return "unknown-message";
    const data = asJsonObject(body)?.["data"];
    return readTradesAnswer(data, this.#subject(instrument, receivedTimeUs), emit);
  }

  #data(channel: string, message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const [published] = publishedOfUta(channel);
    if (published === undefined) return reject(emit, "unknown-message");
    const data = asJsonObject(message["d"]);
    const instrument = lookUpInstrument(this.#catalog, asText(data?.["s"]), emit);
    if (data === undefined || instrument === undefined) return;
    const subject = this.#subject(instrument, receivedTimeUs);
    const fault = this.#read(channel, message, data, subject, emit);
    if (fault !== undefined) rejectOf(emit, fault, instrument, published);
  }

  #read(
    channel: string,
    message: TextRecord,
    data: TextRecord,
    subject: KucoinSubject,
    emit: Emit,
  ): Fault {
    switch (channel) {
      case "obu": {
        const isWhole = message["t"] === "snapshot";
        if (isWhole) this.#awaited.delete(subject.instrument);
        return readUtaBook(data, isWhole, subject, emit);
      }
      case "trade":
        this.#trades.add(subject.instrument);
        return readUtaTrade(data, subject, emit);
      case "kline": {
        const candle = readUtaCandle(data, epochTimeUs(message["P"]), subject);
        if (typeof candle === "string") return candle;
        this.#candles.take(candle, emit);
        return undefined;
      }
      default:
        return readUtaTicker(data, subject, emit);
    }
  }

  #subject(instrument: Instrument, receivedTimeUs: number): KucoinSubject {
    return { instrument, scales: this.#scales.of(instrument), receivedTimeUs };
  }
}

/** The channel in `obu.SPOT`; empty for those of another market. */
function channelIn(type: string): string {
  return type.endsWith(MARKET) ? type.slice(0, -MARKET.length) : "";
}
