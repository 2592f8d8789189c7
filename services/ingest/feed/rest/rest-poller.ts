import type { CancelTimer } from "#core/clock.ts";
import type { Channel, Instrument } from "#core/instrument.ts";
import { CHANNEL_OF_KIND } from "#core/market-event.ts";
import type {
  FeedDecoder,
  FeedEvent,
  FeedSubscription,
  PollRequest,
  RestPoll,
  RestPurpose,
} from "../feed-adapter.ts";
import type { FeedSink } from "../feed-sink.ts";
import type { VenueContext } from "../venue-context.ts";
import type { VenueRest } from "./venue-rest.ts";
import type { RestAnswer } from "./rest-client.ts";

/** Counts that the poller keeps up to date; shared with the metrics. */
export type PollCounters = { polls: number; pollsFailed: number };

type RestPollerOptions = VenueContext & {
  readonly rest: VenueRest;
  /** One for all answers of the venue. */
  readonly decoder: FeedDecoder;
  readonly counters: PollCounters;
  readonly sink: Pick<FeedSink, "onData" | "onRejected" | "onChannelState">;
};

type Polled = { isLive: boolean; wasLive: boolean; hadData: boolean; roundsFailed: number };

type Round = {
  readonly poll: RestPoll;
  readonly instruments: readonly Instrument[];
  readonly startedUs: number;
  /** What is still to be asked, in order. */
  readonly requests: readonly PollRequest[];
  next: number;
  inFlight: number;
  failed: number;
  /** Requests without any answer, since the last one that had one. */
  unanswered: number;
};

/**
 * Asks for the channels that a venue has by REST only, in rounds, after everything else that wants
 * the venue's budget. A channel is live from its first data on; it is not any more once too many
 * rounds in a row brought none.
 */
export class RestPoller {
  readonly #options: RestPollerOptions;
  readonly #polled = new Map<Instrument, Map<Channel, Polled>>();
  readonly #timers = new Map<RestPoll, CancelTimer>();
  readonly #instruments = new Map<RestPoll, Instrument[]>();
  #closed = false;

  constructor(options: RestPollerOptions) {
    this.#options = options;
  }

  /** Polls these from now on; the first round begins at once. */
  add(poll: RestPoll, subscriptions: readonly FeedSubscription[]): void {
    const { sink } = this.#options;
    const isNew = !this.#instruments.has(poll);
    const instruments = this.#instruments.get(poll) ?? [];
    this.#instruments.set(poll, instruments);
    for (const { instrument, channel } of subscriptions) {
      instruments.push(instrument);
      const channels = this.#polled.get(instrument) ?? new Map<Channel, Polled>();
      this.#polled.set(instrument, channels);
      channels.set(channel, { isLive: false, wasLive: false, hadData: false, roundsFailed: 0 });
      sink.onChannelState(instrument, channel, "syncing", "polling");
    }
    if (isNew) this.#startRound(poll);
  }

  /** Polls nothing of this instrument any more. */
  remove(instrument: Instrument): void {
    this.#polled.delete(instrument);
    for (const instruments of this.#instruments.values()) {
      const index = instruments.indexOf(instrument);
      if (index >= 0) instruments.splice(index, 1);
    }
  }

  /** Idempotent. */
  close(): void {
    this.#closed = true;
    for (const cancel of this.#timers.values()) cancel();
    this.#timers.clear();
  }

  #startRound(poll: RestPoll): void {
    const { rest, clock } = this.#options;
    const instruments = [...(this.#instruments.get(poll) ?? [])];
    const round: Round = {
      poll,
      instruments,
      startedUs: clock.monotonicUs(),
      requests: poll.requests(instruments, rest.endpoints),
      next: 0,
      inFlight: 0,
      failed: 0,
      unanswered: 0,
    };
    for (const instrument of instruments) {
      const polled = this.#polledOf(instrument, poll.channel);
      if (polled !== undefined) polled.hadData = false;
    }
    this.#askNext(round);
  }

  #askNext(round: Round): void {
    const { policy } = this.#options;
    while (round.inFlight < policy.pollsInFlightMax && round.next < round.requests.length) {
      const request = round.requests[round.next] as PollRequest;
      round.next += 1;
      round.inFlight += 1;
      this.#ask(round, request);
    }
    if (round.inFlight === 0) this.#endRound(round);
  }

  #ask(round: Round, request: PollRequest): void {
    const { rest, counters, logger, adapter, policy } = this.#options;
    counters.polls += 1;
    const { channel } = round.poll;
    const purpose: RestPurpose = { kind: "poll", channel, instrument: request.instrument };
    let isAtOnce = true;
    const end = (): void => {
      round.inFlight -= 1;
      // From within the loop that asked, the loop itself goes on.
      if (!isAtOnce) this.#askNext(round);
    };
    rest.ask(
      request,
      {
        onAnswer: (answer) => {
          if (this.#closed) return;
          round.unanswered = 0;
          this.#onAnswer(purpose, answer);
          end();
        },
        onFailure: (reason, status) => {
          if (this.#closed) return;
          counters.pollsFailed += 1;
          round.failed += 1;
          round.unanswered = status === undefined ? round.unanswered + 1 : 0;
          // A venue that does not answer at all costs a timeout each: the rest is not asked.
          if (round.unanswered >= policy.pollsUnansweredMax) round.next = round.requests.length;
          // One line a round is enough to know.
          if (round.failed === 1) {
            logger.warn({ venue: adapter.venue, channel, reason }, "poll failed");
          }
          end();
        },
      },
      "background",
    );
    isAtOnce = false;
  }

  #onAnswer(purpose: RestPurpose, answer: RestAnswer): void {
    const { decoder, clock } = this.#options;
    decoder.decodeRest({ purpose, body: answer.body }, clock.nowUs(), (event) =>
      this.#onEvent(event),
    );
  }

  #onEvent(event: FeedEvent): void {
    const { sink } = this.#options;
    if (event.kind === "rejected") {
      sink.onRejected(event.reason, event.instrument, event.channel);
      return;
    }
    // An answer about everything that the venue has holds more than what is wanted.
    if (!("receivedTimeUs" in event) || event.kind === "raw-book") return;
    const channel = CHANNEL_OF_KIND[event.kind];
    const polled = this.#polledOf(event.instrument, channel);
    if (polled === undefined) return;
    polled.hadData = true;
    polled.roundsFailed = 0;
    if (!polled.isLive) {
      const reason = polled.wasLive ? "data-resumed" : "data";
      polled.isLive = true;
      polled.wasLive = true;
      sink.onChannelState(event.instrument, channel, "live", reason);
    }
    sink.onData(event);
  }

  #endRound(round: Round): void {
    if (this.#closed) return;
    const { poll, startedUs, instruments, failed } = round;
    const { clock, random } = this.#options;
    for (const instrument of instruments) this.#judge(instrument, poll.channel, failed > 0);
    const elapsedMs = (clock.monotonicUs() - startedUs) / 1000;
    // Not all venues' rounds at once, and never without any pause.
    const intervalMs = poll.intervalMs * (0.75 + random() / 2);
    const delayMs = Math.max(intervalMs - elapsedMs, poll.intervalMs / 4);
    this.#timers.set(
      poll,
      clock.after(delayMs, () => this.#startRound(poll)),
    );
  }

  #judge(instrument: Instrument, channel: Channel, hadFailures: boolean): void {
    const { policy, sink } = this.#options;
    const polled = this.#polledOf(instrument, channel);
    if (polled === undefined || polled.hadData) return;
    polled.roundsFailed += 1;
    if (polled.roundsFailed < policy.pollRoundsFailedMax) return;
    polled.isLive = false;
    const state = polled.wasLive ? "stale" : "down";
    sink.onChannelState(instrument, channel, state, hadFailures ? "poll-failed" : "poll-empty");
  }

  #polledOf(instrument: Instrument, channel: Channel): Polled | undefined {
    return this.#polled.get(instrument)?.get(channel);
  }
}
