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
import type { TopicLanes } from "./outbound/topic-lanes.ts";
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

/**
 * The same, and how a live one goes on.
 * - `based`: the client cannot go on from the batch that it got last: it has none, or that was a
 *   state. The next one has its base.
 * - `chained`: the next one goes on from the last.
 * - `listed`: the same, and batches are put into the list of the session without being told here.
 */
type Stand = Exclude<TopicSubscriptionState, "live"> | "based" | "chained" | "listed";

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

/** What the subscriptions of one session have in common. */
export type SubscriptionOwner = {
  readonly hub: Pick<Hub, "release">;
  /** Where what it is owed is put. */
  readonly lanes: Pick<TopicLanes, "seat" | "push" | "pushStart" | "pushMessage" | "pushCheck">;
  /** Where what a slow client does not get is counted. */
  readonly metrics?: SlowMetrics;
  /** It is measured what each topic costs. */
  readonly isMeasured?: boolean;
  /** A view was given back that was paid for. */
  payBack?(): void;
};

/** What a subscription is made of. */
type TopicSubscriptionParts = {
  /** Held for this subscription, which gives it back. */
  readonly view: TopicView;
  readonly options: AttachOptions;
  /** A position that the client has sent with an earlier request for the topic. */
  readonly kept?: AttachOptions["resume"];
  /** The pattern that brought the topic, if one did. */
  readonly pattern: Pattern | undefined;
};

/** What only some subscriptions have, or for some time: most are live and nothing else. */
type Extra = {
  /** Those of the request, until the start. */
  readonly options: AttachOptions | undefined;
  readonly kept: AttachOptions["resume"];
  readonly pattern: Pattern | undefined;
  /** What the levels that it has come to is told to the client. */
  readonly hasChecksums: boolean;
  /** If the client wants the topic at another interval than its view has. */
  readonly askedIntervalMs: number | undefined;
  /** Of the view, when its bytes were taken last. */
  readonly takenBytes: number;
};

const NOTHING_ELSE: Extra = {
  options: undefined,
  kept: undefined,
  pattern: undefined,
  hasChecksums: false,
  askedIntervalMs: undefined,
  takenBytes: 0,
};

type SlowMetrics = Pick<GatewayMetrics, "conflated" | "slowSkipped" | "slowMissing">;

/**
 * One session's hold on a view of a topic: what the client asked for, and what it is owed. The
 * place that decides what happens to a batch that the client is too slow for.
 *
 * What holds, and what enforces it:
 * 1. A subscription lives once: `starting`, then perhaps `live`, then `ended`. Asserted.
 * 2. The start is queued before anything that follows it: both happen within `start`.
 * 3. Only a live subscription is delivered to: asserted per batch.
 * 4. A batch belongs to the topic: asserted per batch.
 * 5. The client is brought to where the view is, batch by batch, so its sequences are in order as
 *    the view's are: asserted at the start and per batch.
 * 6. The client can read every batch: its first one, and the first news after a state, has its base
 *    (`#formOf`). A batch that does not go on from the one before it brings its base to everybody;
 *    the history sees to that.
 */
export class TopicSubscription implements TopicSubscriber {
  readonly #owner: SubscriptionOwner;
  #view: TopicView;
  #stand: Stand = "starting";
  /** Behind that of the view while it is listed. */
  #sequence = 0;
  #extra: Extra | undefined;
  /** For Subscribers. */
  place = -1;

  constructor(owner: SubscriptionOwner, { view, options, kept, pattern }: TopicSubscriptionParts) {
    this.#owner = owner;
    this.#view = view;
    this.#extra = { ...NOTHING_ELSE, options, kept, pattern };
  }

  /** The pattern that brought the topic, if one did. */
  get pattern(): Pattern | undefined {
    return this.#extra?.pattern;
  }

  /** The view that the client gets now. */
  get view(): TopicView {
    return this.#view;
  }

  /** At which the client wants the topic; it may be sent less often. */
  get askedIntervalMs(): number {
    return this.#extra?.askedIntervalMs ?? this.#view.options.intervalMs;
  }

  /** Bytes of news since they were taken last, or since the view was changed. */
  takeBytes(): number {
    const { sentBytes } = this.#view;
    const before = this.#extra ?? NOTHING_ELSE;
    this.#extra = { ...before, takenBytes: sentBytes };
    return sentBytes - before.takenBytes;
  }

  get state(): TopicSubscriptionState {
    const stand = this.#stand;
    return stand === "based" || stand === "chained" || stand === "listed" ? "live" : stand;
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
    return this.#stand === "listed" ? this.#view.sequence : this.#sequence;
  }

  /** The list of the session. */
  get seat(): ListSeat | undefined {
    return this.#owner.lanes.seat;
  }

  unlisted(sequence: number): void {
    if (this.#stand === "listed") this.#stand = "chained";
    this.#sequence = sequence;
  }

  /** Calls back, at once if possible, when `start` may be called or why it cannot. */
  whenReady(callback: (failure: TopicFailure | undefined) => void): void {
    const { options, kept } = this.#extra ?? NOTHING_ELSE;
    this.view.whenReady(callback, options?.resume ?? kept);
  }

  /**
   * Queues what the client starts with. What follows is queued as it comes. `kept` is a position
   * that the client has sent with another request for the topic.
   */
  start(kept?: AttachOptions["resume"]): Attached {
    assert(this.#stand === "starting", "a subscription starts once");
    this.#stand = "based";
    const { options, pattern, askedIntervalMs } = this.#extra ?? NOTHING_ELSE;
    assert(options !== undefined, "a subscription that starts knows how");
    const { resume = kept } = options;
    const attached = this.view.attach(this, { ...options, resume });
    const hasChecksums = options.checksum === true;
    this.#keep({
      pattern,
      hasChecksums,
      askedIntervalMs: askedIntervalMs ?? this.#view.options.intervalMs,
    });
    this.#sequence = attached.batches.at(-1)?.lastSequence ?? attached.position.sequence;
    for (const batch of attached.batches) this.#owner.lanes.pushStart(this.#formOf(batch));
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
    const before = this.#view;
    assert(next.id === before.id, "another view is of the same topic");
    if (this.#stand === "lagging") this.recover();
    if (this.state === "live") this.#goOnWith(next, describe);
    this.#view = next;
    const extra = this.#extra ?? NOTHING_ELSE;
    if (this.#stand === "starting") this.#extra = { ...extra, askedIntervalMs };
    else this.#keep({ ...extra, askedIntervalMs });
    this.#owner.hub.release(before);
  }

  /** The same with a view that the client has not asked for, because of its bandwidth. */
  slowTo(next: TopicView, notice: Uint8Array): void {
    this.changeView(next, this.askedIntervalMs, () => notice);
  }

  /**
   * The client reads too slowly: nothing is queued until `recover`. `position` is where it stands,
   * if some of what waited was taken back.
   */
  lag(position: number | undefined): void {
    assert(this.state === "live", "only a live subscription begins to lag");
    this.#view.unlist(this);
    this.#stand = "lagging";
    this.#sequence = position ?? this.#sequence;
  }

  /** The client has caught up. */
  recover(): void {
    assert(this.#stand === "lagging", "only a subscription that lags recovers");
    this.#stand = "based";
    this.#catchUp(this.#view.sequence);
  }

  deliver(batch: SharedBatch): boolean {
    if (this.#stand === "lagging") return false;
    assert(this.state === "live", "only a live subscription is delivered to");
    assert(batch.lastSequence === this.view.sequence, "a batch ends where the view is");
    this.#sequence = batch.lastSequence;
    assert(batch.topicId === this.#view.id, "a subscription carries one topic");
    this.#owner.lanes.push(this.#formOf(batch));
    // From now on it gets what everybody gets.
    if (this.#stand === "chained" && this.seat !== undefined) this.#stand = "listed";
    return this.#stand === "listed";
  }

  gap(missingFirst: number, missingLast: number): void {
    if (this.#stand === "lagging") {
      // What was left out so far is not part of the gap.
      this.#stand = "based";
      this.#catchUp(missingFirst - 1);
    }
    assert(this.state === "live", "only a live subscription is told of a gap");
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
    if (this.#stand === "lagging") {
      this.#stand = "based";
      if (continues) this.#catchUp(ended.sequence);
    }
    assert(this.state === "live", "only a live subscription changes its epoch");
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
    this.#stand = "based";
  }

  checksum(message: Uint8Array): void {
    if (this.state === "live") this.#owner.lanes.pushCheck(this.#view.id, message);
  }

  /** Tells the client, behind everything that it is owed, that nothing more will come. */
  sayEnded(message: string): void {
    this.#say({ kind: "NOTICE_KIND_TOPIC_ENDED", message, topicId: this.view.id });
  }

  /** Gives the view back. What is queued still leaves, unless its lane is taken back. */
  end(): void {
    assert(this.#stand !== "ended", "a subscription ends once");
    if (this.#stand !== "starting") this.view.detach(this);
    this.#stand = "ended";
    this.#owner.hub.release(this.view);
    this.#owner.payBack?.();
  }

  /** From now on, bytes of the view are counted. */
  #keep(extra: Pick<Extra, "pattern" | "hasChecksums" | "askedIntervalMs">): void {
    const { pattern, hasChecksums, askedIntervalMs } = extra;
    const takenBytes = this.#owner.isMeasured === true ? this.#view.sentBytes : 0;
    const isOther = askedIntervalMs !== this.#view.options.intervalMs;
    if (pattern === undefined && !hasChecksums && !isOther && takenBytes === 0) {
      this.#extra = undefined;
      return;
    }
    const asked = isOther ? askedIntervalMs : undefined;
    this.#extra = { ...NOTHING_ELSE, pattern, hasChecksums, askedIntervalMs: asked, takenBytes };
  }

  /** Brings the client, for which nothing was queued for a while, to where the view is. */
  #catchUp(to: number): void {
    if (to <= this.#sequence) return;
    const from = this.#sequence;
    const batch = this.isLatestWins ? this.#view.catchUp(from, to) : undefined;
    this.#sequence = to;
    const { venue, channel } = this.#view.name;
    if (batch !== undefined) {
      this.#owner.metrics?.slowSkipped.inc({ venue, channel }, to - from - 1);
      // What brings a slow client up to date is not held against it.
      this.#owner.lanes.pushStart(this.#formOf(batch));
      return;
    }
    this.#owner.metrics?.slowMissing.inc({ venue, channel }, to - from);
    this.#sayGap(from + 1, to, `this client read ${this.view.topic} too slowly`);
  }

  /** What follows the start in the epoch that came after that of the start. */
  #goOnIn({ next }: Attached): void {
    if (next === undefined) return;
    this.epochChanged(next.change);
    for (const batch of next.batches) this.#owner.lanes.pushStart(this.#formOf(batch));
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
    const { hasChecksums: checksum } = this.#extra ?? NOTHING_ELSE;
    const attached = next.attach(this, { snapshot: true, resume, whole, checksum });
    if (next !== before) before.detach(this);
    this.#stand = "based";
    this.#sequence = attached.batches.at(-1)?.lastSequence ?? resume.sequence;
    this.#owner.lanes.pushMessage(next.id, describe(attached));
    for (const batch of attached.batches) this.#owner.lanes.pushStart(this.#formOf(batch));
    this.#goOnIn(attached);
    assert(this.#sequence === next.sequence, "a start ends where the view is");
  }

  /** What the client can read of the next batch that it gets. */
  #formOf(batch: SharedBatch): SharedBatch {
    if (batch.skipped > 0) this.#owner.metrics?.conflated.inc(batch.labels, batch.skipped);
    const form = this.#stand === "based" ? batch.based : batch;
    // What follows a state, or a sequel, never goes on from its numbers.
    this.#stand = batch.endsChain ? "based" : "chained";
    return form;
  }

  #say(value: Parameters<typeof encodedNotice>[0]): void {
    this.#owner.lanes.pushMessage(this.#view.id, encodedNotice(value));
  }
}
