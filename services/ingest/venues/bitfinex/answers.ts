// https://docs.bitfinex.com/docs/ws-general
import type { InstrumentCatalog } from "#core/instrument-catalog.ts";
import type { Instrument } from "#core/instrument.ts";
import type { JsonTape } from "#core/json-tape.ts";
import type { FeedSubscription, RefusalRules } from "../../feed/feed-adapter.ts";
import { type Emit, heartbeat, reject } from "../../reading/emit.ts";
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
  /** How long a candle is; 0 for other kinds. */
  readonly intervalMs: number;
};

/** The channels of one connection, as the venue announces them. */
export class BitfinexChannels {
  readonly #catalog: InstrumentCatalog;
  /** By the id that the venue gave them. */
  readonly byId = new Map<string, BitfinexChannel>();

  constructor(catalog: InstrumentCatalog) {
    this.#catalog = catalog;
  }

  /** Frames that end subscriptions, by the ids of what was announced. */
  unsubscribeFrames(subscriptions: readonly FeedSubscription[]): readonly string[] {
    const ids = [...this.byId].filter(([, { kind, instrument }]) =>
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
    if (this.byId.size >= CHANNEL_IDS_MAX) return reject(emit, "catalog-full");
    const instrument =
      venueSymbol === undefined ? undefined : this.#catalog.byVenueSymbol(venueSymbol);
    const isUsed = kind !== undefined && (kind === "liq" || instrument !== undefined);
    this.byId.set(id, { kind: isUsed ? kind : "ignored", instrument, intervalMs });
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

  #isAnnounced(wanted: BitfinexKind | undefined, venueSymbol: string): boolean {
    for (const { kind, instrument } of this.byId.values()) {
      if (kind === wanted && instrument?.venueSymbol === venueSymbol) return true;
    }
    return false;
  }
}

/** What an answer to a subscription is about. */
function subjectOf(tape: JsonTape): BitfinexSubject {
  return bitfinexSubjectOf((field) => tape.text(tape.get(0, field)));
}
