import type { CancelTimer, Clock } from "#core/clock.ts";
import { encodeServerMessages } from "#wire/frame-codec.ts";
import type { Principal } from "../../access/principal.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import type { Hub } from "../../topics/hub.ts";
import type { TurnLine, Work } from "../../turns/turns.ts";
import type { LiveTopics } from "../live-topics.ts";
import type { TopicSubscription } from "../topic-subscription.ts";
import { holdPermitted } from "../topic-rights.ts";
import { narrowerIntervals, widerIntervals } from "./interval-plan.ts";
import type { IntervalChange, TopicRate } from "./interval-plan.ts";

type BandwidthCapParts = {
  /** Market data of all topics together. */
  readonly bytesPerSecondMax: number;
  readonly clock: Clock;
  readonly metrics: Pick<GatewayMetrics, "bandwidthChanges" | "bandwidthExceeded">;
  readonly hub: Pick<Hub, "hold" | "release">;
  readonly principal: () => Principal;
  readonly live: LiveTopics;
  readonly line: Pick<TurnLine, "isOver">;
  /** Takes work for the session's line, as long as the session is open. */
  readonly add: (work: Work) => void;
  /** Market data that was queued for the session since it began. */
  readonly queuedBytes: () => number;
};

/** It is looked so often whether there is too much. */
const LOOK_INTERVAL_MS = 1_000;
/** The shortest time over which bytes a second are measured. */
const WINDOW_MS_MIN = 2_000;
/** At least so many batches of the slowest topic lie in the time over which is measured. */
const BATCHES_PER_WINDOW = 2;
/** Nothing is sent more often before nothing has changed for so long. */
const CALM_MS_MIN = 10_000;
/** The same after sending more often has turned out to be too much, again and again. */
const CALM_MS_MAX = 160_000;
/** Where every event counts, more than this saves nothing: they all come in any case. */
const EVENTS_INTERVAL_MS_MAX = 1_000;
const STATES_INTERVAL_MS_MAX = 10_000;

/**
 * Keeps the market data of one session below a bound: measures what its topics cost, sends the
 * largest less often, and more often again when there is room. A topic passes from one view to
 * another, as if the client had asked for it, so nothing is lost and nothing is dropped; the client
 * is told in the topic's place.
 *
 * What holds, and what enforces it:
 * 1. A topic is never sent more often than the client asked for: the plan ends at `askedMs`.
 * 2. Intervals do not swing: they get shorter only after a calm time, which doubles each time that
 *    it was too early, and only where enough of the bound is free.
 * 3. What it costs to look is paid in the session's own turns.
 */
export class BandwidthCap {
  readonly #parts: BandwidthCapParts;
  #cancelTimer: CancelTimer;
  /** The beginning of what is measured now. */
  #sinceUs: number;
  #sinceBytes = 0;
  #windowMs = WINDOW_MS_MIN;
  #calmMs = CALM_MS_MIN;
  #changedAtUs: number;
  #hasNarrowed = false;
  #isLooking = false;

  constructor(parts: BandwidthCapParts) {
    this.#parts = parts;
    this.#sinceUs = parts.clock.monotonicUs();
    this.#changedAtUs = this.#sinceUs;
    this.#cancelTimer = this.#arm();
  }

  /** Idempotent. */
  close(): void {
    this.#cancelTimer();
  }

  #arm(): CancelTimer {
    return this.#parts.clock.after(LOOK_INTERVAL_MS, () => {
      this.#cancelTimer = this.#arm();
      if (this.#isLooking || !this.#isDue()) return;
      this.#isLooking = true;
      this.#parts.add(this.#look());
    });
  }

  /** Whether it was measured long enough, or there was too much already for all of that time. */
  #isDue(): boolean {
    const { clock, bytesPerSecondMax, queuedBytes } = this.#parts;
    const elapsedMs = (clock.monotonicUs() - this.#sinceUs) / 1_000;
    const isTooMuch =
      (queuedBytes() - this.#sinceBytes) * 1_000 > bytesPerSecondMax * this.#windowMs;
    return elapsedMs >= this.#windowMs || (isTooMuch && elapsedMs >= LOOK_INTERVAL_MS);
  }

  *#look(): Work {
    const { clock, live, line, queuedBytes } = this.#parts;
    const nowUs = clock.monotonicUs();
    const elapsedSeconds = (nowUs - this.#sinceUs) / 1e6;
    this.#sinceUs = nowUs;
    this.#sinceBytes = queuedBytes();
    const subscriptions: TopicSubscription[] = [];
    const rates: TopicRate[] = [];
    for (const subscription of live.all()) {
      if (line.isOver) yield;
      subscriptions.push(subscription);
      rates.push(rateOf(subscription, elapsedSeconds));
    }
    const changes = this.#plan(rates, nowUs);
    const total = rates.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0);
    for (const change of changes) {
      if (line.isOver) yield;
      this.#change(subscriptions[change.index] as TopicSubscription, change, Math.round(total));
    }
    this.#measureFor(live.all());
    this.#isLooking = false;
  }

  #plan(rates: readonly TopicRate[], nowUs: number): readonly IntervalChange[] {
    const { bytesPerSecondMax, metrics } = this.#parts;
    const total = rates.reduce((sum, { bytesPerSecond }) => sum + bytesPerSecond, 0);
    if (total > bytesPerSecondMax) {
      const wider = widerIntervals(rates, bytesPerSecondMax);
      if (wider.length === 0) metrics.bandwidthExceeded.inc();
      if (this.#hasNarrowed) this.#calmMs = Math.min(this.#calmMs * 2, CALM_MS_MAX);
      this.#hasNarrowed = false;
      this.#changedAtUs = nowUs;
      return wider;
    }
    if (nowUs - this.#changedAtUs < this.#calmMs * 1_000) return [];
    // What was sent more often has stayed below the bound for all that time.
    if (this.#hasNarrowed) this.#calmMs = CALM_MS_MIN;
    const narrower = narrowerIntervals(rates, bytesPerSecondMax);
    this.#hasNarrowed = narrower.length > 0;
    if (narrower.length > 0) this.#changedAtUs = nowUs;
    return narrower;
  }

  #change(
    subscription: TopicSubscription,
    { intervalMs }: IntervalChange,
    bytesPerSecond: number,
  ): void {
    // It may have ended, or begun to lag, since it was measured.
    if (subscription.state !== "live") return;
    const { hub, live, metrics, bytesPerSecondMax, principal } = this.#parts;
    const { name, topic, id, options } = subscription.view;
    const asker = { topics: live.size, leaving: subscription.view };
    const terms = principal().may("subscribe", name);
    if (terms === undefined) return;
    const view = holdPermitted(hub, name, { options: { ...options, intervalMs }, terms, asker });
    if (view === undefined) return;
    // Where there is no room for a view, one of more levels would do; here it saves nothing.
    if (view.options.depth !== options.depth) {
      hub.release(view);
      return;
    }
    const applies = view.options.intervalMs;
    metrics.bandwidthChanges.inc({ to: applies > options.intervalMs ? "wider" : "narrower" });
    const rhythm = applies === 0 ? "with every event" : `every ${applies} ms`;
    const message =
      `${topic} is sent ${rhythm} from here on: all topics came to ${bytesPerSecond} bytes ` +
      `a second, of at most ${bytesPerSecondMax}`;
    const value = {
      kind: "NOTICE_KIND_CONFLATION",
      message,
      topicId: id,
      conflationIntervalMs: applies,
      bandwidthBytesPerSecond: bytesPerSecond,
      bandwidthBytesPerSecondMax: bytesPerSecondMax,
    } as const;
    subscription.slowTo(view, encodeServerMessages([{ kind: "notice", value }]));
  }

  /** The next measurement covers some batches of every topic. */
  #measureFor(subscriptions: Iterable<TopicSubscription>): void {
    let longestMs = 0;
    for (const { view } of subscriptions) {
      longestMs = Math.max(longestMs, view.options.intervalMs);
    }
    this.#windowMs = Math.max(WINDOW_MS_MIN, longestMs * BATCHES_PER_WINDOW);
  }
}

function rateOf(subscription: TopicSubscription, elapsedSeconds: number): TopicRate {
  const { intervalMs } = subscription.view.options;
  const { askedIntervalMs } = subscription;
  const longestMs = subscription.isLatestWins ? STATES_INTERVAL_MS_MAX : EVENTS_INTERVAL_MS_MAX;
  return {
    bytesPerSecond: subscription.takeBytes() / elapsedSeconds,
    intervalMs,
    askedMs: askedIntervalMs,
    intervalMsMax: Math.max(longestMs, askedIntervalMs),
  };
}
