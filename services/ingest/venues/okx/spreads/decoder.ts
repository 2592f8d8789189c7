// https://www.okx.com/docs-v5/en/#spread-trading-websocket-public-channel
import { hasSignedPrices, type Instrument } from "#core/instrument.ts";
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import { asJsonArray, asJsonObject, asText, type JsonText } from "#core/json-text.ts";
import type { FeedDecoderContext, RestPurpose } from "../../../feed/feed-adapter.ts";
import { fieldFinder, rejectDamaged } from "../../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf } from "../../../reading/emit.ts";
import type { Fault } from "../../../reading/fault.ts";
import type { FrameReader } from "../../../reading/frame-decoder.ts";
import type { TextRecord } from "../../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../../reading/instrument-states.ts";
import { LinkedNumbers } from "../../../reading/linked-numbers.ts";
import { oldestFirst } from "../../../reading/oldest-first.ts";
import { ScaleTracker } from "../../../reading/scale-tracker.ts";
import { textOf } from "../../../reading/text-fields.ts";
import { PONG } from "../../../reading/text-pongs.ts";
import { epochTimeUs } from "../../../reading/venue-time.ts";
import { OkxAnswers } from "../answers.ts";
import { readOkxTicker } from "../readings.ts";
import { channelOfOkx } from "../requests.ts";
import { asOkxAnswer, asOkxRequest, okxChannelOf } from "./fields.ts";
import { readSpreadBook, readSpreadCandle, readSpreadQuote, readSpreadTrade } from "./readings.ts";

const channelIn = fieldFinder("channel");
const sprdIdIn = fieldFinder("sprdId");

const CANDLES = "candle1m";
/** Five levels, whole each time: a book of its own that is not asked for. */
const BEST_FIVE = "books5";

/** What the items of a message are: of this channel, in the words of OKX's instruments. */
type Told = { readonly okxChannel: string; readonly action: JsonText | undefined };

/** Reads one connection. Numbers of books have 19 digits, so they are kept as texts. */
export class OkxSpreadReader implements FrameReader<TextRecord | typeof PONG, JsonText> {
  readonly #catalog: InstrumentCatalog;
  readonly #answers: OkxAnswers;
  readonly #states = new InstrumentStates((instrument) => ({
    scales: new ScaleTracker({ signedPrices: hasSignedPrices(instrument) }),
    numbers: new LinkedNumbers(),
  }));

  constructor(context: FeedDecoderContext) {
    this.#catalog = context.catalog;
    this.#answers = new OkxAnswers(context.catalog);
  }

  sent(frame: string): void {
    this.#answers.sent(asOkxRequest(frame));
  }

  message(message: TextRecord | typeof PONG, receivedTimeUs: number, emit: Emit): void {
    if (message === PONG) return heartbeat(emit);
    if (message["event"] !== undefined) return this.#answered(message, receivedTimeUs, emit);
    const { channel, sprdId } = asJsonObject(message["arg"]) ?? {};
    const okxChannel = okxChannelOf(channel);
    const items = asJsonArray(message["data"]);
    if (okxChannel === undefined || items === undefined) return reject(emit, "unknown-message");
    if (okxChannel === BEST_FIVE) return heartbeat(emit);
    const published = channelOfOkx(okxChannel);
    if (published === undefined) return reject(emit, "unknown-message");
    const told = { okxChannel, action: message["action"] };
    const instrument = lookUpInstrument(this.#catalog, sprdId, emit);
    if (instrument === undefined) return;
    for (const item of items) {
      const fault = this.#read(item, told, instrument, receivedTimeUs, emit);
      if (fault !== undefined) rejectOf(emit, fault, instrument, published);
    }
  }

  /**
   * The numbers of a book would show the hole with the next message, which may take a minute: what
   * the frame was about is looked for in what is left of it.
   */
  damaged(text: string, emit: Emit): void {
    const instrument = this.#catalog.byVenueSymbol(sprdIdIn(text) ?? "");
    rejectDamaged(emit, instrument, channelOfOkx(okxChannelOf(channelIn(text)) ?? ""));
  }

  answer(
    body: JsonText,
    { kind, instrument }: RestPurpose,
    receivedTimeUs: number,
    emit: Emit,
  ): Fault {
    const trades = asJsonArray(asJsonObject(body)?.["data"]);
    if (kind !== "trades") return "unknown-message";
    if (trades === undefined) return "missing-field";
    const told = { okxChannel: "", action: undefined };
    const idOf = (trade: JsonText) => ({ id: asText(asJsonObject(trade)?.["tradeId"]) });
    for (const trade of oldestFirst(trades, "newest", idOf)) {
      const fault = this.#trade(asJsonObject(trade) ?? {}, told, instrument, receivedTimeUs, emit);
      if (fault !== undefined) rejectOf(emit, fault, instrument, "trades");
    }
    return undefined;
  }

  /** What is refused is told in the venue's own words. */
  #answered(message: TextRecord, receivedTimeUs: number, emit: Emit): void {
    const reason = textOf(message["msg"]);
    this.#answers.read(asOkxAnswer(message), receivedTimeUs, (event) => {
      emit(event.kind === "refused" && reason !== undefined ? { ...event, reason } : event);
    });
  }

  #read(
    item: JsonText,
    told: Told,
    instrument: Instrument,
    receivedTimeUs: number,
    emit: Emit,
  ): Fault {
    const { okxChannel, action } = told;
    if (okxChannel === CANDLES) return readSpreadCandle(item, { instrument, receivedTimeUs }, emit);
    const fields = asJsonObject(item);
    if (fields === undefined) return "missing-field";
    const subject = { instrument, venueTimeUs: epochTimeUs(fields["ts"]), receivedTimeUs };
    const state = this.#states.of(instrument);
    switch (okxChannel) {
      case "trades":
        return this.#trade(fields, told, instrument, receivedTimeUs, emit);
      case "bbo-tbt":
        return readSpreadQuote(fields, subject, state.scales, emit);
      case "books-l2-tbt":
        return readSpreadBook(fields, subject, state, action, emit);
      case "tickers":
        return readOkxTicker(fields, subject, emit);
      default:
        return "unknown-message";
    }
  }

  #trade(
    fields: TextRecord,
    { okxChannel }: Told,
    instrument: Instrument,
    receivedTimeUs: number,
    emit: Emit,
  ): Fault {
    const venueTimeUs = epochTimeUs(fields["ts"]);
    const historical = this.#answers.isHistory(okxChannel, instrument, venueTimeUs);
    const { scales } = this.#states.of(instrument);
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    return readSpreadTrade(fields, subject, { scales, historical }, emit);
  }
}
