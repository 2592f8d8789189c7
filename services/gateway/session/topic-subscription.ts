import { assert } from "#core/assert.ts";
import type { Channel } from "#core/instrument.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { Hub } from "../topics/hub.ts";
import type { ListSeat } from "../topics/fan-out.ts";
import type { SharedBatch } from "../topics/shared-batch.ts";
import type {
  AttachOptions,
  Attached,
  EpochChange,
  TopicFailure,
  TopicSubscriber,
} from "../topics/topic-subscriber.ts";
import type { TopicView } from "../topics/topic-view.ts";
import { encodedNotice } from "./encoded-notice.ts";
import type { TopicLane } from "./outbound/topic-lanes.ts";
import type { Principal } from "../access/principal.ts";
import type { PrincipalAccounts } from "./principal-accounts.ts";
import type { Pattern } from "./patterns.ts";

/**
 * Where a subscription stands.
 * - `starting`: the view is held, but nothing is delivered until it can give a start.
 * - `live`: the client got its start and gets what follows.
 * - `lagging`: the client reads too slowly. Nothing is queued; when it has caught up, it gets the
 *   state as it is then, or is told which events it has missed.
 * - `ended`: the view was given back.
 */
type TopicSubscriptionState = "starting" | "live" | "lagging" | "ended";

/** Channels whose events may be left out, if the client is told which. */
const EVENTS: ReadonlySet<Channel> = new Set<Channel>(["trades", "liquidations"]);
/** Channels of which the latest event stands for all before it. */
const LATEST_WINS: ReadonlySet<Channel> = new Set<Channel>([
  "book",
  "quotes",
  "ticker",
  "mark-price",
  "funding",
  "open-interest",
]);

/** What a subscription is made of. */
type TopicSubscriptionParts = {
  /** Held for this subscription, which gives it back. */
  readonly view: TopicView;
  readonly hub: Pick<Hub, "release">;
  /** Of this topic. */
  readonly lane: TopicLane;
  readonly options: AttachOptions;
  /** A position that the client has sent with an earlier request for the topic. */
  readonly kept?: AttachOptions["resume"];
  /** The pattern that brought the topic, if one did. */
  readonly pattern: Pattern | undefined;
  /** Where what a slow client does not get is counted. */
  readonly metrics?: SlowMetrics;
  /** Who is paid back when the view was given back. */
  readonly payer?: Payer;
};

/** For whom a subscription counts, and where. Subscriptions of one session share it. */
export type Payer = {
  readonly account: Pick<PrincipalAccounts, "giveSubscription">;
  readonly principal: Principal;
};

/** What is left to know of the options of a subscription that has started. */
const STARTED: AttachOptions = { snapshot: true, resume: undefined };
const STARTED_WITH_CHECKSUM: AttachOptions = { ...STARTED, checksum: true };

type SlowMetrics = Pick<GatewayMetrics, "conflated" | "slowSkipped" | "slowMissing">;

/**
 * One session's hold on a view of a topic: what the client asked for, and what it is owed. The
 * place that decides what happens to a batch that the client is too slow for.
 *
 * What holds, and what enforces it:
 * 1. A subscription lives once: `starting`, then perhaps `live`, then `ended`. Asserted.
 * 2. The start is queued before anything that follows it: both happen within `start`.
 * 3. Only a live subscription is delivered to: asserted per batch.
 * 4. A batch belongs to the topic: the lane asserts it.
 * 5. The client is brought to where the view is, batch by batch, so its sequences are in order as
 *    the view's are: asserted at the start and per batch.
 * 6. The client can read every batch: its first one, and the first news after a state, has its base
 *    (`#formOf`). A batch that does not go on from the one before it brings its base to everybody;
 *    the history sees to that.
 */
export class TopicSubscription implements TopicSubscriber {
  readonly pattern: Pattern | undefined;
  readonly #lane: TopicLane;
  readonly #hub: Pick<Hub, "release">;
  /** Those of the request are forgotten at the start: most sessions have many subscriptions. */
  #options: AttachOptions;
  readonly #metrics: SlowMetrics | undefined;
  #kept: AttachOptions["resume"];
  #view: TopicView;
  #state: TopicSubscriptionState = "starting";
  readonly #payer: Payer | undefined;
  /** Behind that of the view while it is listed. */
  #sequence = 0;
  #isListed = false;
  #askedIntervalMs: number;
  /** Of the view, when its bytes were taken last. */
  #takenBytes = 0;
  /**
   * The client cannot go on from the batch that it got last: it has none, or that was a state.
   */
  #needsBase = true;

  constructor(parts: TopicSubscriptionParts) {
    this.#view = parts.view;
    this.#askedIntervalMs = parts.view.options.intervalMs;
    this.#lane = parts.lane;
    this.pattern = parts.pattern;
    this.#hub = parts.hub;
    this.#options = parts.options;
    this.#metrics = parts.metrics;
    this.#kept = parts.kept;
    this.#payer = parts.payer;
  }

  /** The view that the client gets now. */
  get view(): TopicView {
    return this.#view;
  }

  /** At which the client wants the topic; it may be sent less often. */
  get askedIntervalMs(): number {
    return this.#askedIntervalMs;
  }

  /** Bytes of news since they were taken last, or since the view was changed. */
  takeBytes(): number {
    const { sentBytes } = this.#view;
    const bytes = sentBytes - this.#takenBytes;
    this.#takenBytes = sentBytes;
    return bytes;
  }

  get state(): TopicSubscriptionState {
    return this.#state;
  }

  /** Whether the latest event of the topic stands for those before it. */
  get isLatestWins(): boolean {
    return LATEST_WINS.has(this.#view.name.channel);
  }

  /** Whether each event of the topic stands for itself, so that the loss of one is only that. */
  get isEvents(): boolean {
    return EVENTS.has(this.#view.name.channel);
  }

  /** The last sequence that was queued, or told to be missing; 0 before the first. */
  get sequence(): number {
    return this.#isListed ? this.#view.sequence : this.#sequence;
  }

  /** The list of the session. */
  get seat(): ListSeat | undefined {
    return this.#lane.seat;
  }

  unlisted(sequence: number): void {
    this.#isListed = false;
    this.#sequence = sequence;
  }

  /** Calls back, at once if possible, when `start` may be called or why it cannot. */
  whenReady(callback: (failure: TopicFailure | undefined) => void): void {
    this.view.whenReady(callback, this.#options.resume ?? this.#kept);
  }

  /**
   * Queues what the client starts with. What follows is queued as it comes. `kept` is a position
   * that the client has sent with another request for the topic.
   */
  start(kept?: AttachOptions["resume"]): Attached {
    assert(this.#state === "starting", "a subscription starts once");
    this.#state = "live";
    this.#takenBytes = this.#view.sentBytes;
    const { resume = kept } = this.#options;
    const attached = this.view.attach(this, { ...this.#options, resume });
    this.#options = this.#options.checksum === true ? STARTED_WITH_CHECKSUM : STARTED;
    this.#kept = undefined;
    this.#sequence = attached.batches.at(-1)?.lastSequence ?? attached.position.sequence;
    for (const batch of attached.batches) this.#lane.pushStart(this.#formOf(batch));
    this.#goOnIn(attached);
    assert(this.#sequence === this.view.sequence, "a start ends where the view is");
    return attached;
  }

  /**
   * Goes on with another view of the topic, which is held for this subscription, without a gap:
   * what the view before held back leaves first. What `describe` makes of it keeps its place among
   * the batches. The client wants it at `askedIntervalMs`.
   */
  changeView(
    next: TopicView,
    askedIntervalMs: number,
    describe: (attached: Attached) => Uint8Array,
  ): void {
    this.#askedIntervalMs = askedIntervalMs;
    const before = this.#view;
    assert(next.id === before.id, "another view is of the same topic");
    if (this.#state === "lagging") this.recover();
    if (this.#state === "live") this.#goOnWith(next, describe);
    this.#view = next;
    this.#takenBytes = next.sentBytes;
    this.#hub.release(before);
  }

  /** The same with a view that the client has not asked for, because of its bandwidth. */
  slowTo(next: TopicView, notice: Uint8Array): void {
    this.changeView(next, this.#askedIntervalMs, () => notice);
  }

  /**
   * The client reads too slowly: nothing is queued until `recover`. `position` is where it stands,
   * if some of what waited was taken back.
   */
  lag(position: number | undefined): void {
    assert(this.#state === "live", "only a live subscription begins to lag");
    this.#view.unlist(this);
    this.#state = "lagging";
    this.#sequence = position ?? this.#sequence;
    this.#needsBase = true;
  }

  /** The client has caught up. */
  recover(): void {
    assert(this.#state === "lagging", "only a subscription that lags recovers");
    this.#state = "live";
    this.#catchUp(this.#view.sequence);
  }

  deliver(batch: SharedBatch): boolean {
    if (this.#state === "lagging") return false;
    assert(this.#state === "live", "only a live subscription is delivered to");
    assert(batch.lastSequence === this.view.sequence, "a batch ends where the view is");
    this.#sequence = batch.lastSequence;
    this.#lane.push(this.#formOf(batch));
    // From now on it gets what everybody gets.
    this.#isListed = !this.#needsBase && this.seat !== undefined;
    return this.#isListed;
  }

  gap(missingFirst: number, missingLast: number): void {
    if (this.#state === "lagging") {
      // What was left out so far is not part of the gap.
      this.#state = "live";
      this.#catchUp(missingFirst - 1);
    }
    assert(this.#state === "live", "only a live subscription is told of a gap");
    const message = `events of ${this.view.topic} were lost on the way to the gateway`;
    // The topic may have told of an earlier gap before this client came.
    const first = Math.min(missingFirst, this.#sequence + 1);
    this.#sequence = Math.max(this.#sequence, missingLast);
    this.#sayGap(first, missingLast, message);
  }

  #sayGap(missingFirst: number, missingLast: number, message: string): void {
    const topicId = this.view.id;
    this.#say({ kind: "NOTICE_KIND_GAP", message, topicId, missingFirst, missingLast });
  }

  epochChanged({ ended, start, continues }: EpochChange): void {
    if (this.#state === "lagging") {
      this.#state = "live";
      if (continues) this.#catchUp(ended.sequence);
    }
    assert(this.#state === "live", "only a live subscription changes its epoch");
    const missing = ended.sequence > this.#sequence;
    const message = continues
      ? `${this.view.topic} goes on without a loss, with another publisher`
      : `${this.view.topic} goes on with another publisher, or another run of it`;
    this.#say({
      kind: "NOTICE_KIND_EPOCH",
      message,
      topicId: this.view.id,
      missingFirst: missing ? this.#sequence + 1 : 0,
      missingLast: missing ? ended.sequence : 0,
      position: start,
      continues,
    });
    this.#sequence = start.sequence;
    // Another publisher does not go on from the numbers of the one before.
    this.#needsBase = true;
  }

  checksum(message: Uint8Array): void {
    if (this.#state === "live") this.#lane.pushCheck(message);
  }

  /** Tells the client, behind everything that it is owed, that nothing more will come. */
  sayEnded(message: string): void {
    this.#say({ kind: "NOTICE_KIND_TOPIC_ENDED", message, topicId: this.view.id });
  }

  /** Gives the view back. What is queued still leaves, unless its lane is taken back. */
  end(): void {
    assert(this.#state !== "ended", "a subscription ends once");
    if (this.#state !== "starting") this.view.detach(this);
    this.#state = "ended";
    this.#hub.release(this.view);
    const payer = this.#payer;
    payer?.account.giveSubscription(payer.principal);
  }

  /** Brings the client, for which nothing was queued for a while, to where the view is. */
  #catchUp(to: number): void {
    if (to <= this.#sequence) return;
    const from = this.#sequence;
    const batch = this.isLatestWins ? this.#view.catchUp(from, to) : undefined;
    this.#sequence = to;
    const { venue, channel } = this.#view.name;
    if (batch !== undefined) {
      this.#metrics?.slowSkipped.inc({ venue, channel }, to - from - 1);
      // What brings a slow client up to date is not held against it.
      this.#lane.pushStart(this.#formOf(batch));
      return;
    }
    this.#metrics?.slowMissing.inc({ venue, channel }, to - from);
    this.#sayGap(from + 1, to, `this client read ${this.view.topic} too slowly`);
  }

  /** What follows the start in the epoch that came after that of the start. */
  #goOnIn({ next }: Attached): void {
    if (next === undefined) return;
    this.epochChanged(next.change);
    for (const batch of next.batches) this.#lane.pushStart(this.#formOf(batch));
    this.#sequence = next.batches.at(-1)?.lastSequence ?? next.change.start.sequence;
    const { missing } = next;
    if (missing === undefined || missing.last < missing.first) return;
    this.#sequence = missing.last;
    const message = `what ${this.view.topic} had since then is not kept any more`;
    this.#sayGap(missing.first, missing.last, message);
  }

  #goOnWith(next: TopicView, describe: (attached: Attached) => Uint8Array): void {
    const before = this.#view;
    before.settle();
    before.unlist(this);
    const { epoch } = before.position;
    const resume = { epoch, sequence: this.#sequence };
    const whole = before.options.depth !== next.options.depth;
    const { checksum = false } = this.#options;
    const attached = next.attach(this, { snapshot: true, resume, whole, checksum });
    if (next !== before) before.detach(this);
    this.#needsBase = true;
    this.#sequence = attached.batches.at(-1)?.lastSequence ?? resume.sequence;
    this.#lane.pushMessage(describe(attached));
    for (const batch of attached.batches) this.#lane.pushStart(this.#formOf(batch));
    this.#goOnIn(attached);
    assert(this.#sequence === next.sequence, "a start ends where the view is");
  }

  /** What the client can read of the next batch that it gets. */
  #formOf(batch: SharedBatch): SharedBatch {
    if (batch.skipped > 0) this.#metrics?.conflated.inc(batch.labels, batch.skipped);
    const form = this.#needsBase ? batch.based : batch;
    // What follows a state, or a sequel, never goes on from its numbers.
    this.#needsBase = batch.endsChain;
    return form;
  }

  #say(value: Parameters<typeof encodedNotice>[0]): void {
    this.#lane.pushMessage(encodedNotice(value));
  }
}
