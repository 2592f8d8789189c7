import type { Channel, Instrument } from "#core/instrument.ts";
import type { Status, TopicState } from "#core/market-event.ts";

/**
 * The state of every channel of every instrument of a venue. Says only changes: the same state
 * again, whatever its reason, keeps the first reason and the first time.
 */
export class StatusBoard {
  readonly #emit: (status: Status) => void;
  readonly #states = new Map<Instrument, Partial<Record<Channel, Status>>>();

  constructor(emit: (status: Status) => void) {
    this.#emit = emit;
  }

  set(change: {
    readonly instrument: Instrument;
    readonly channel: Channel;
    readonly state: TopicState;
    readonly reason: string;
    readonly nowUs: number;
  }): void {
    const { instrument, channel, state, reason, nowUs } = change;
    let channels = this.#states.get(instrument);
    if (channels === undefined) {
      channels = {};
      this.#states.set(instrument, channels);
    }
    if (channels[channel]?.state === state) return;
    const status: Status = {
      kind: "status",
      instrument,
      venueTimeUs: undefined,
      receivedTimeUs: nowUs,
      channel,
      state,
      reason,
      sinceTimeUs: nowUs,
    };
    channels[channel] = status;
    this.#emit(status);
  }
}
