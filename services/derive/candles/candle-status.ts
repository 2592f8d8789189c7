import type { StatusRow } from "@tickwire/proto/model";
import type { Channel, Instrument } from "#core/instrument.ts";
import type { Status, TopicState } from "#core/market-event.ts";

/** The further behind, the worse. */
const STATES: readonly TopicState[] = ["live", "syncing", "resyncing", "stale", "gap", "down"];

type CandleStatusParts = {
  /** Of the derived venue. */
  readonly instrument: Instrument;
  /** Channels of the source that the candles are made of. */
  readonly sources: readonly Channel[];
  readonly emit: (status: Status) => void;
};

/**
 * What is said of the candles of one instrument: what its venue says of what they are made of, and
 * of several such channels the worst.
 */
export class CandleStatus {
  readonly #parts: CandleStatusParts;
  readonly #said = new Map<Channel, StatusRow>();
  #told: StatusRow | undefined;

  constructor(parts: CandleStatusParts) {
    this.#parts = parts;
  }

  /** Takes what is said of any channel of the source. */
  take(row: StatusRow): void {
    const { instrument, sources, emit } = this.#parts;
    const channel = sources.find((source) => source === row.channel);
    if (channel === undefined) return;
    this.#said.set(channel, row);
    const worst = worstOf(this.#said.values());
    if (worst === undefined || isSame(worst, this.#told)) return;
    this.#told = worst;
    const { state, reason, sinceTimeUs } = worst;
    const times = { venueTimeUs: undefined, receivedTimeUs: row.receivedTimeUs };
    emit({ kind: "status", instrument, ...times, channel: "candles", state, reason, sinceTimeUs });
  }
}

function worstOf(rows: Iterable<StatusRow>): StatusRow | undefined {
  let worst: StatusRow | undefined;
  for (const row of rows) {
    if (worst === undefined || STATES.indexOf(row.state) > STATES.indexOf(worst.state)) worst = row;
  }
  return worst;
}

function isSame(one: StatusRow, other: StatusRow | undefined): boolean {
  return (
    one.state === other?.state &&
    one.reason === other.reason &&
    one.sinceTimeUs === other.sinceTimeUs
  );
}
