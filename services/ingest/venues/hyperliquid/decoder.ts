// https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/websocket/subscriptions
// https://hyperliquid.gitbook.io/hyperliquid-docs/for-developers/api/notation
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import type { FeedDecoderContext, RestPurpose } from "../../feed/feed-adapter.ts";
import { CandleCloser } from "../../reading/candle-closer.ts";
import { fieldFinder, rejectDamaged } from "../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { FrameForm, FrameReader } from "../../reading/frame-decoder.ts";
import { tapeObjects } from "../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import { InstrumentStates } from "../../reading/instrument-states.ts";
import { oldestFirst, type TradeOrder } from "../../reading/oldest-first.ts";
import { ScaleTracker } from "../../reading/scale-tracker.ts";
import { elementsOf, epochTimeUsAt } from "../../reading/tape-fields.ts";
import { readAcknowledgement, readRefusal } from "./answers.ts";
import { readBook, readCandle, readContext, readQuote, readTrade } from "./readings.ts";
import { channelsOfType } from "./requests.ts";

/** Said once in plain text to whoever connects. */
const GREETING = "Websocket connection established.";

const typeIn = fieldFinder("channel");
const symbolIn = fieldFinder("coin|s");

/** The greeting, and objects on the tape. */
export function hyperliquidFrames(tape: JsonTape): FrameForm<JsonTape | typeof GREETING, JsonTape> {
  const objects = tapeObjects(tape);
  return {
    ...objects,
    message: (text) => (text === GREETING ? GREETING : objects.message(text)),
  };
}

/** Reads one connection. Numbers are strings; times and ids are integers, read by their text. */
export class HyperliquidReader implements FrameReader<JsonTape | typeof GREETING, JsonTape> {
  readonly #catalog: InstrumentCatalog;
  readonly #tape: JsonTape;
  readonly #scales = new InstrumentStates(() => new ScaleTracker());
  readonly #candles = new CandleCloser();
  /** Instruments whose first message of trades, which are old ones, has been. */
  readonly #begun = new Set<Instrument>();

  constructor(tape: JsonTape, context: FeedDecoderContext) {
    this.#tape = tape;
    this.#catalog = context.catalog;
  }

  message(message: JsonTape | typeof GREETING, receivedTimeUs: number, emit: Emit): void {
    if (message === GREETING) return heartbeat(emit);
    const tape = this.#tape;
    const data = tape.get(0, "data");
    const type = tape.text(tape.get(0, "channel")) ?? "";
    switch (type) {
      case "trades":
        if (!tape.isArray(data)) return reject(emit, "missing-field");
        return this.#trades(data, { isLive: true, receivedTimeUs }, emit);
      case "candle":
        // Candles are documented as a list and come one by one.
        if (!tape.isArray(data)) return this.#data(type, data, receivedTimeUs, emit);
        for (let item = tape.first(data); item !== MISSING; item = tape.next(item)) {
          this.#data(type, item, receivedTimeUs, emit);
        }
        return undefined;
      case "l2Book":
      case "bbo":
      case "activeAssetCtx":
      case "activeSpotAssetCtx":
        return this.#data(type, data, receivedTimeUs, emit);
      case "pong":
      case "allMids":
        return heartbeat(emit);
      case "subscriptionResponse":
        return this.#acknowledged(data, emit);
      case "error":
        return readRefusal(tape.text(data) ?? "refused", emit);
      default:
        reject(emit, "unknown-message");
    }
  }

  /** A book is whole again with the next message; of anything else it matters what was lost. */
  damaged(text: string, emit: Emit): void {
    const type = typeIn(text);
    const [channel] = type === "l2Book" ? [] : channelsOfType(type);
    const coin = symbolIn(text);
    rejectDamaged(
      emit,
      coin === undefined ? undefined : this.#catalog.byVenueSymbol(coin),
      channel,
    );
  }

  /** Recent trades, each of which names its instrument. */
  answer(tape: JsonTape, { kind }: RestPurpose, receivedTimeUs: number, emit: Emit): Fault {
    if (kind !== "trades" || !tape.isArray(0)) return "unknown-message";
    this.#trades(0, { isLive: false, receivedTimeUs }, emit);
    return undefined;
  }

  #data(type: string, item: number, receivedTimeUs: number, emit: Emit): void {
    const symbol = this.#tape.get(item, type === "candle" ? "s" : "coin");
    const instrument = lookUpInstrument(this.#catalog, this.#tape.text(symbol), emit);
    if (instrument === undefined) return;
    const reason = this.#read(type, item, instrument, receivedTimeUs, emit);
    if (reason === undefined) return;
    const [channel] = channelsOfType(type);
    // The next message is a whole book again: nothing has to begin anew.
    if (type === "l2Book" || channel === undefined) emit({ kind: "rejected", reason, instrument });
    else rejectOf(emit, reason, instrument, channel);
  }

  #read(
    type: string,
    item: number,
    instrument: Instrument,
    receivedTimeUs: number,
    emit: Emit,
  ): Fault {
    const tape = this.#tape;
    if (type === "candle") {
      const candle = readCandle(tape, item, { instrument, venueTimeUs: undefined, receivedTimeUs });
      if (typeof candle === "string") return candle;
      this.#candles.take(candle, emit);
      return undefined;
    }
    const venueTimeUs = epochTimeUsAt(tape, tape.get(item, "time"));
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    if (type === "l2Book") return readBook(tape, item, subject, this.#scales.of(instrument), emit);
    if (type === "bbo") return readQuote(tape, item, subject, this.#scales.of(instrument), emit);
    return readContext(tape, tape.get(item, "ctx"), subject, emit);
  }

  /**
   * Old trades begin with the newest; what leaves here begins with the oldest. Those of the first
   * message after subscribing are history.
   */
  #trades(
    list: number,
    { isLive, receivedTimeUs }: { readonly isLive: boolean; readonly receivedTimeUs: number },
    emit: Emit,
  ): void {
    const tape = this.#tape;
    const timeOf = (item: number): TradeOrder => ({
      time: epochTimeUsAt(tape, tape.get(item, "time")),
    });
    const beginning: Instrument[] = [];
    for (const item of oldestFirst(elementsOf(tape, list), "either", timeOf)) {
      const coin = tape.text(tape.get(item, "coin"));
      const instrument = lookUpInstrument(this.#catalog, coin, emit);
      if (instrument === undefined) continue;
      if (isLive && !this.#begun.has(instrument)) {
        this.#begun.add(instrument);
        beginning.push(instrument);
      }
      const venueTimeUs = epochTimeUsAt(tape, tape.get(item, "time"));
      const subject = { instrument, venueTimeUs, receivedTimeUs };
      const historical = beginning.includes(instrument);
      const scales = this.#scales.of(instrument);
      const reason = readTrade(tape, item, subject, { scales, historical }, emit);
      if (reason !== undefined) rejectOf(emit, reason, instrument, "trades");
    }
  }

  #acknowledged(data: number, emit: Emit): void {
    const confirmed = readAcknowledgement(this.#tape, data, emit);
    if (confirmed?.channels.includes("trades") !== true) return;
    const instrument = this.#catalog.byVenueSymbol(confirmed.venueSymbol);
    if (instrument !== undefined) this.#begun.delete(instrument);
  }
}
