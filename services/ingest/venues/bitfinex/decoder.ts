// https://docs.bitfinex.com/docs/ws-general
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import { type JsonTape, MISSING } from "#core/json-tape.ts";
import type { FeedDecoderContext, FeedSubscription, RestPurpose } from "../../feed/feed-adapter.ts";
import { ConnectionSequence } from "../../reading/connection-sequence.ts";
import { rejectDamaged } from "../../reading/damage.ts";
import { type Emit, heartbeat, reject, rejectOf, type TakeTick } from "../../reading/emit.ts";
import type { Fault } from "../../reading/fault.ts";
import type { FrameForm, FrameReader } from "../../reading/frame-decoder.ts";
import { tapeObjects } from "../../reading/frame-forms.ts";
import { lookUpInstrument } from "../../reading/instrument-lookup.ts";
import type { StateWords } from "../../reading/instrument-words.ts";
import { emitVenueState } from "../../reading/state-events.ts";
import { epochTimeUsAt } from "../../reading/tape-fields.ts";
import { type BitfinexChannel, BitfinexChannels, CHANNEL_IDS_MAX } from "./answers.ts";
import { BitfinexReadings } from "./readings.ts";
import { BITFINEX_CHANNELS_OF as CHANNELS_OF } from "./requests.ts";
import { BitfinexScanner } from "./scanner.ts";

const FLAG_TIMESTAMP = 32_768;
const FLAG_SEQUENCE = 65_536;
const FLAG_CHECKSUM = 131_072;

/** Numbers every message, adds the venue's time, and tells a checksum after each change. */
export const FLAGS = FLAG_TIMESTAMP | FLAG_SEQUENCE | FLAG_CHECKSUM;

/** The status in the greeting, and the code of maintenance that begins. */
const PLATFORM_STATES: StateWords = {
  "0": "maintenance",
  "1": "trading",
  "20060": "maintenance",
};

const RESTART_CODES: ReadonlySet<string> = new Set(["20051", "20061"]);

/** Objects for what is about a connection, arrays for data. */
export function tapeContainers(tape: JsonTape): FrameForm<JsonTape, JsonTape> {
  return {
    ...tapeObjects(tape),
    message: (text) => {
      if (!tape.scan(text)) return "bad-json";
      return tape.isContainer(0) ? tape : "unknown-message";
    },
  };
}

/** Reads one connection of Bitfinex, whose numbers are JSON numbers and are read as text. */
export class BitfinexReader implements FrameReader<JsonTape, JsonTape> {
  readonly #catalog: InstrumentCatalog;
  readonly #tape: JsonTape;
  readonly #readings: BitfinexReadings;
  readonly #channels: BitfinexChannels;
  /** Ids that had data and were not announced. */
  readonly #strangers = new Set<string>();
  readonly #sequence = new ConnectionSequence();
  readonly #scanner: BitfinexScanner;
  #flags = 0;

  constructor(tape: JsonTape, context: FeedDecoderContext) {
    this.#tape = tape;
    this.#catalog = context.catalog;
    this.#readings = new BitfinexReadings(tape);
    this.#channels = new BitfinexChannels(context.catalog, (instrument) =>
      this.#readings.scalesOf(instrument),
    );
    this.#scanner = new BitfinexScanner({
      channels: this.#channels,
      continues: (sequence, emit) => this.#continuesAt(sequence, emit),
    });
  }

  scan(bytes: Uint8Array, receivedTimeUs: number, emit: Emit, takeTick?: TakeTick): boolean {
    if ((this.#flags & FLAG_SEQUENCE) === 0) return false;
    const isTimed = (this.#flags & FLAG_TIMESTAMP) !== 0;
    return this.#scanner.scan(bytes, receivedTimeUs, emit, takeTick, isTimed);
  }

  unsubscribeFrames(subscriptions: readonly FeedSubscription[]): readonly string[] {
    return this.#channels.unsubscribeFrames(subscriptions);
  }

  message(tape: JsonTape, receivedTimeUs: number, emit: Emit): void {
    if (tape.isObject(0)) return this.#event(tape, emit);
    const id = tape.text(tape.first(0));
    const payload = tape.at(0, 1);
    if (id === undefined || payload === MISSING) return reject(emit, "unknown-message");
    if (!this.#continues(emit)) return;
    if (tape.equals(payload, "hb")) return heartbeat(emit);
    const channel = this.#channels.get(id);
    if (channel !== undefined) return this.#data(channel, payload, receivedTimeUs, emit);
    reject(emit, "unknown-message");
    // An id that was never heard may be a damaged one: any book may lack this. One that goes on is
    // a channel whose announcement was lost: the others have ids of their own.
    if (this.#strangers.has(id)) return;
    if (this.#strangers.size < CHANNEL_IDS_MAX) this.#strangers.add(id);
    this.#doubtAll(emit);
  }

  /** What is left of the frame says whose it was; its number is counted as seen. */
  damaged(text: string, emit: Emit): void {
    const id = /^\s*\[\s*(\d+)\s*,/.exec(text)?.[1];
    const channel = id === undefined ? undefined : this.#channels.get(id);
    const [name] = channel === undefined ? [] : CHANNELS_OF[channel.kind];
    const isKnown = rejectDamaged(emit, channel?.instrument, name);
    const start = text.trimStart();
    if (!isKnown && !start.startsWith("{")) this.#doubtAll(emit);
    if (start.startsWith("[")) this.#sequence.skip();
  }

  answer(tape: JsonTape, purpose: RestPurpose, receivedTimeUs: number, emit: Emit): Fault {
    const { kind, instrument } = purpose;
    if (kind !== "trades" || !tape.isArray(0)) return "unknown-message";
    return this.#readings.history(0, { instrument, venueTimeUs: undefined, receivedTimeUs }, emit);
  }

  #event(tape: JsonTape, emit: Emit): void {
    const code = tape.text(tape.get(0, "code"));
    switch (tape.text(tape.get(0, "event")) ?? "") {
      case "subscribed":
        return this.#channels.announced(tape, emit);
      case "unsubscribed":
        this.#channels.delete(tape.text(tape.get(0, "chanId")) ?? "");
        return heartbeat(emit);
      case "conf": {
        const isTaken = tape.equals(tape.get(0, "status"), "OK");
        this.#flags = isTaken ? Number(tape.text(tape.get(0, "flags")) ?? 0) : 0;
        return heartbeat(emit);
      }
      case "info":
        if (!RESTART_CODES.has(code ?? "")) return this.#platform(code, emit);
        return emit({ kind: "reconnect-requested", reason: `info ${code}` });
      case "pong":
        return heartbeat(emit);
      case "error":
        return this.#channels.refused(tape, emit);
      default:
        reject(emit, "unknown-message");
    }
  }

  /** The greeting says whether the venue works, and a later message that it stops. */
  #platform(code: string | undefined, emit: Emit): void {
    const tape = this.#tape;
    const status = tape.text(tape.get(tape.get(0, "platform"), "status"));
    emitVenueState(PLATFORM_STATES, status ?? code, emit);
  }

  /** False for a message that was there before. A hole puts all books and trades in doubt. */
  #continues(emit: Emit): boolean {
    if ((this.#flags & FLAG_SEQUENCE) === 0) return true;
    const tape = this.#tape;
    const column = tape.length(0) - ((this.#flags & FLAG_TIMESTAMP) === 0 ? 1 : 2);
    const sequence = tape.number(tape.at(0, column));
    if (!Number.isSafeInteger(sequence) || column < 2) {
      reject(emit, "missing-field");
      this.#doubtAll(emit);
      this.#sequence.forget();
      return false;
    }
    return this.#continuesAt(sequence, emit);
  }

  #continuesAt(sequence: number, emit: Emit): boolean {
    const place = this.#sequence.place(sequence);
    if (place === "hole") this.#doubtAll(emit);
    return place === "next" || place === "hole";
  }

  #doubtAll(emit: Emit): void {
    for (const { kind, instrument } of this.#channels.all()) {
      if (instrument === undefined || (kind !== "book" && kind !== "trades")) continue;
      rejectOf(emit, "missing-data", instrument, kind);
    }
  }

  /** When the venue sent the message, if it was asked to say so. */
  #sentTimeUs(): number | undefined {
    if ((this.#flags & FLAG_TIMESTAMP) === 0) return undefined;
    return epochTimeUsAt(this.#tape, this.#tape.at(0, this.#tape.length(0) - 1));
  }

  #data(about: BitfinexChannel, payload: number, receivedTimeUs: number, emit: Emit): void {
    const { kind, instrument } = about;
    if (kind === "ignored") return heartbeat(emit);
    if (kind === "liq") return this.#liquidations(payload, receivedTimeUs, emit);
    if (instrument === undefined) return;
    const fault = this.#read(about, instrument, payload, receivedTimeUs, emit);
    const [channel] = CHANNELS_OF[kind];
    if (fault !== undefined && channel !== undefined) rejectOf(emit, fault, instrument, channel);
  }

  #read(
    { kind, intervalMs }: BitfinexChannel,
    instrument: Instrument,
    payload: number,
    receivedTimeUs: number,
    emit: Emit,
  ): Fault {
    const isTimed = kind === "book" || kind === "ticker";
    const venueTimeUs = isTimed ? this.#sentTimeUs() : undefined;
    const subject = { instrument, venueTimeUs, receivedTimeUs };
    switch (kind) {
      case "book":
        return this.#readings.book(payload, subject, emit);
      case "ticker":
        return this.#readings.ticker(payload, subject, emit);
      case "trades":
        return this.#readings.trades(payload, subject, emit);
      case "candles":
        return this.#readings.candles(payload, subject, intervalMs, emit);
      case "deriv":
        return this.#readings.derivative(payload, subject, emit);
      case "liq":
      case "ignored":
        return undefined;
    }
  }

  /** Positions that are taken over; the executions that follow are matches of them. */
  #liquidations(payload: number, receivedTimeUs: number, emit: Emit): void {
    const tape = this.#tape;
    if (!tape.isArray(payload)) return reject(emit, "missing-field");
    for (let row = tape.first(payload); row !== MISSING; row = tape.next(row)) {
      const symbol = tape.equals(tape.at(row, 0), "pos") ? tape.text(tape.at(row, 4)) : undefined;
      const isMatch = symbol !== undefined && tape.equals(tape.at(row, 8), "1");
      const instrument = isMatch ? undefined : lookUpInstrument(this.#catalog, symbol, emit);
      if (instrument === undefined) continue;
      const subject = { instrument, venueTimeUs: undefined, receivedTimeUs };
      const fault = this.#readings.liquidation(row, subject, emit);
      if (fault !== undefined) rejectOf(emit, fault, instrument, "liquidations");
    }
  }
}
