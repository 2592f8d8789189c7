import type { Channel, Instrument, InstrumentState } from "#core/instrument.ts";
import type { Status, TopicState } from "#core/market-event.ts";
import type { StatusReason } from "#core/status-reason.ts";

/** Reasons that are news although the state is the same: they mark what is delivered. */
const MARKS: ReadonlySet<string> = new Set(["crossed", "uncrossed"]);

type StatusChange = {
  readonly instrument: Instrument;
  readonly channel: Channel;
  readonly state: TopicState;
  readonly reason: StatusReason;
  readonly nowUs: number;
};

/**
 * The state of every channel of every instrument of a venue. Says only changes: the same state
 * again, whatever its reason, keeps the first reason and the first time, unless the reason is a
 * mark.
 */
export class StatusBoard {
  readonly #emit: (status: Status) => void;
  readonly #states = new Map<Instrument, Partial<Record<Channel, Status>>>();

  constructor(emit: (status: Status) => void) {
    this.#emit = emit;
  }

  set(change: StatusChange): void {
    const { instrument, channel, state, reason } = change;
    const known = this.#channelsOf(instrument)[channel];
    if (known?.state === state && (known.reason === reason || !MARKS.has(reason))) return;
    this.#tell(change);
  }

  /** What can be done with the instrument has become this; told also if it is what was told. */
  setInstrument(change: {
    readonly instrument: Instrument;
    readonly state: InstrumentState | undefined;
    readonly word: string | undefined;
    readonly nowUs: number;
  }): void {
    const { instrument, state, word, nowUs } = change;
    const about = { instrument, channel: "status", nowUs } as const;
    this.#tell({ ...about, state: "live", reason: INSTRUMENT_STATE }, state, word);
  }

  /** All that anything was said of, in that order. */
  instruments(): Iterable<Instrument> {
    return this.#states.keys();
  }

  /** Nothing more comes of the instrument: its channels are down for good, and it is forgotten. */
  end(instrument: Instrument, reason: StatusReason, nowUs: number): void {
    for (const channel of Object.keys(this.#channelsOf(instrument)) as Channel[]) {
      const about = { instrument, channel, nowUs } as const;
      // Why it is down now is news, whatever it was down for before.
      if (channel !== "status") this.#tell({ ...about, state: "down", reason });
    }
    const about = { instrument, channel: "status", nowUs } as const;
    this.#tell({ ...about, state: "down", reason }, "delisted");
    this.#states.delete(instrument);
  }

  #channelsOf(instrument: Instrument): Partial<Record<Channel, Status>> {
    let channels = this.#states.get(instrument);
    if (channels === undefined) {
      channels = {};
      this.#states.set(instrument, channels);
    }
    return channels;
  }

  #tell(
    { instrument, channel, state, reason, nowUs }: StatusChange,
    instrumentState?: InstrumentState,
    stateWord?: string,
  ): void {
    const status: Status = {
      kind: "status",
      instrument,
      venueTimeUs: undefined,
      receivedTimeUs: nowUs,
      channel,
      state,
      reason,
      sinceTimeUs: nowUs,
      ...(instrumentState === undefined ? {} : { instrumentState }),
      ...(stateWord === undefined ? {} : { stateWord }),
    };
    this.#channelsOf(instrument)[channel] = status;
    this.#emit(status);
  }
}

/** Why the status of an instrument itself is told. */
const INSTRUMENT_STATE = "instrument-state";
