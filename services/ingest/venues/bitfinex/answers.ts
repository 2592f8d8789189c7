// https://docs.bitfinex.com/docs/ws-general
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type { JsonTape } from "#core/json-tape.ts";
import type { FeedSubscription, RefusalRules } from "../../feed/feed-adapter.ts";
import { type Emit, heartbeat, reject } from "../../reading/emit.ts";
import type { ScaleTracker } from "../../reading/scale-tracker.ts";
import {
  BITFINEX_CHANNELS_OF as CHANNELS_OF,
  type BitfinexKind,
  bitfinexSubjectOf,
  type BitfinexSubject,
} from "./requests.ts";

/** Channels that are remembered; the venue allows 25 on a connection. */
export const CHANNEL_IDS_MAX = 1024;

/** `subscribe: invalid` with its own words, where the code says only that it failed. */
export const BITFINEX_REFUSALS: RefusalRules = {
  harmless: { codes: ["10301"] },
  tooFast: { codes: ["11010"], words: /rate ?limit|too many/i },
  passing: { codes: ["10011", "20051", "20060"], words: /temporar|maintenance|try again/i },
  // 10305: the connection has as many channels as it may, and asking again changes nothing.
  final: { codes: ["10000", "10001", "10302", "10305"], words: /invalid|unknown|unsupported/i },
};

const ALREADY_SUBSCRIBED = "10301";

/** One of the connection's channels. */
export type BitfinexChannel = {
  readonly kind: BitfinexKind;
  /** Undefined for liquidations, which are of all instruments. */
  readonly instrument: Instrument | undefined;
  /** Of its numbers; undefined without an instrument. */
  readonly scales: ScaleTracker | undefined;
  /** How long a candle is; 0 for other kinds. */
  readonly intervalMs: number;
};

/** The channels of one connection, as the venue announces them. */
export class BitfinexChannels {
  readonly #catalog: InstrumentCatalog;
  readonly #scalesOf: (instrument: Instrument) => ScaleTracker;
  /** By the id that the venue gave them. */
  readonly #byId = new Map<string, BitfinexChannel>();
  /** The same by the number that the id is, for a scanner. */
  readonly #byNumber = new Map<number, BitfinexChannel>();

  constructor(catalog: InstrumentCatalog, scalesOf: (instrument: Instrument) => ScaleTracker) {
    this.#catalog = catalog;
    this.#scalesOf = scalesOf;
  }

  get(id: string): BitfinexChannel | undefined {
    return this.#byId.get(id);
  }

  /** The same for an id that was read as a number. */
  ofNumber(id: number): BitfinexChannel | undefined {
    return this.#byNumber.get(id);
  }

  all(): Iterable<BitfinexChannel> {
    return this.#byId.values();
  }

  /** The channel has ended. */
  delete(id: string): void {
    this.#byId.delete(id);
    this.#byNumber.delete(Number(id));
  }

  /** Frames that end subscriptions, by the ids of what was announced. */
  unsubscribeFrames(subscriptions: readonly FeedSubscription[]): readonly string[] {
    const ids = [...this.#byId].filter(([, { kind, instrument }]) =>
      subscriptions.some(
        (wanted) => wanted.instrument === instrument && CHANNELS_OF[kind].includes(wanted.channel),
      ),
    );
    return ids.map(([id]) => JSON.stringify({ event: "unsubscribe", chanId: Number(id) }));
  }

  /** Reads the announcement of a channel. */
  announced(tape: JsonTape, emit: Emit): void {
    const { kind, venueSymbol, intervalMs } = subjectOf(tape);
    const id = tape.text(tape.get(0, "chanId"));
    if (id === undefined) return reject(emit, "unknown-message");
    if (this.#byId.size >= CHANNEL_IDS_MAX) return reject(emit, "catalog-full");
    const instrument =
      venueSymbol === undefined ? undefined : this.#catalog.byVenueSymbol(venueSymbol);
    const isUsed = kind !== undefined && (kind === "liq" || instrument !== undefined);
    this.#put(id, { kind: isUsed ? kind : "ignored", instrument, intervalMs });
    if (isUsed && venueSymbol !== undefined) {
      for (const channel of CHANNELS_OF[kind]) emit({ kind: "subscribed", venueSymbol, channel });
    } else if (isUsed || kind === undefined || kind === "ignored") {
      heartbeat(emit);
    } else {
      reject(emit, "unknown-instrument");
    }
  }

  /** Reads an error. */
  refused(tape: JsonTape, emit: Emit): void {
    const code = tape.text(tape.get(0, "code")) ?? "";
    const reason = `${code} ${tape.text(tape.get(0, "msg")) ?? "refused"}`.trim();
    const { kind, venueSymbol } = subjectOf(tape);
    if (code === ALREADY_SUBSCRIBED) {
      if (kind === undefined || venueSymbol === undefined) return heartbeat(emit);
      if (this.#isAnnounced(kind, venueSymbol)) {
        for (const channel of CHANNELS_OF[kind]) emit({ kind: "subscribed", venueSymbol, channel });
        return;
      }
      // Its announcement was lost, and with it the id that its data comes under.
      return emit({ kind: "reconnect-requested", reason });
    }
    const channels = kind === undefined ? [undefined] : CHANNELS_OF[kind];
    for (const channel of channels) emit({ kind: "refused", venueSymbol, channel, reason, code });
  }

  #put(id: string, channel: Omit<BitfinexChannel, "scales">): void {
    const { instrument } = channel;
    const scales = instrument === undefined ? undefined : this.#scalesOf(instrument);
    const known = { ...channel, scales };
    this.#byId.set(id, known);
    // An id that is written in another way than numbers are is none that a scanner meets.
    if (String(Number(id)) === id) this.#byNumber.set(Number(id), known);
  }

  #isAnnounced(wanted: BitfinexKind | undefined, venueSymbol: string): boolean {
    for (const { kind, instrument } of this.#byId.values()) {
      if (kind === wanted && instrument?.venueSymbol === venueSymbol) return true;
    }
    return false;
  }
}

/** What an answer to a subscription is about. */
function subjectOf(tape: JsonTape): BitfinexSubject {
  return bitfinexSubjectOf((field) => tape.text(tape.get(0, field)));
}
