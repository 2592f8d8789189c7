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
import { SubscriptionRows } from "./subscription-rows.ts";
import type { SubscriptionPage } from "./subscription-rows.ts";

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
 * - `Based`: the client cannot go on from the batch that it got last: it has none, or that was a
 *   state. The next one has its base.
 * - `Chained`: the next one goes on from the last.
 * - `Listed`: the same, and batches are put into the list of the session without being told here.
 */
const Stand = { Ended: 0, Starting: 1, Based: 2, Chained: 3, Listed: 4, Lagging: 5 } as const;
type Stand = (typeof Stand)[keyof typeof Stand];

const STATES: readonly TopicSubscriptionState[] = [
  "ended",
  "starting",
  "live",
  "live",
  "live",
  "lagging",
];

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
  /** Where the subscriptions of all sessions are. */
  readonly table: SubscriptionTable;
  readonly hub: Pick<Hub, "release">;
  /** Where what it is owed is put. */
  readonly lanes: Pick<
    TopicLanes,
    "seat" | "isListable" | "push" | "pushStart" | "pushMessage" | "pushCheck"
  >;
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
class Extra {
  readonly owner: SubscriptionOwner;
  /** Those of the request, until the start. */
  readonly options: AttachOptions | undefined;
  readonly kept: AttachOptions["resume"];
  readonly pattern: Pattern | undefined;
  /** If it is told what the levels come to, the object that is known to who tells it. */
  readonly checked: TopicSubscription | undefined;
  /** If the client wants the topic at another interval than its view has. */
  readonly askedIntervalMs: number | undefined;
  /** Of the view, when its bytes were taken last. */
  readonly takenBytes: number;

  constructor(owner: SubscriptionOwner, given: Partial<Omit<Extra, "owner">>) {
    this.owner = owner;
    this.options = given.options;
    this.kept = given.kept;
    this.pattern = given.pattern;
    this.checked = given.checked;
    this.askedIntervalMs = given.askedIntervalMs;
    this.takenBytes = given.takenBytes ?? 0;
  }
}

/** What is kept in a row besides numbers. */
type Holder = SubscriptionOwner | Extra;

const NOTHING_ELSE: Partial<Extra> = {};

/** The subscriptions of all sessions. */
export class SubscriptionTable extends SubscriptionRows<Holder> {
  /** The subscription of a row that is in use. */
  at(row: number): TopicSubscription {
    const holder = this.pageOf(row).holders[this.placeOf(row)];
    assert(holder !== undefined, "a row that is asked for is in use");
    if (!(holder instanceof Extra)) return new TopicSubscription(holder, row);
    return holder.checked ?? new TopicSubscription(holder.owner, row);
  }
}

type SlowMetrics = Pick<GatewayMetrics, "conflated" | "slowSkipped" | "slowMissing">;

/**
 * One session's hold on a view of a topic: what the client asked for, and what it is owed. The
 * place that decides what happens to a batch that the client is too slow for. What is known of it
 * is in a row of the table; an object like this is made whenever somebody asks for it, and after
 * the end it says only that.
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
  /** For Subscribers: where `row` is. */
  readonly table: SubscriptionTable;
  readonly row: number;
  /** Which of all subscriptions it is, in the order in which they began. */
  readonly serial: number;
  readonly #page: SubscriptionPage<Holder>;
  readonly #at: number;
  readonly #owner: SubscriptionOwner;
  /** For after the end. */
  #lastView: TopicView;

  /** One that begins, or the one of a row that is in use. */
  constructor(owner: SubscriptionOwner, init: TopicSubscriptionParts | number) {
    const { table } = owner;
    this.table = table;
    this.#owner = owner;
    this.row = typeof init === "number" ? init : table.take();
    this.#page = table.pageOf(this.row);
    this.#at = table.placeOf(this.row);
    this.serial = this.#page.serials[this.#at] as number;
    if (typeof init === "number") {
      this.#lastView = this.#page.views[this.#at] as TopicView;
      return;
    }
    const { view, options, kept, pattern } = init;
    this.#lastView = view;
    this.#page.views[this.#at] = view;
    this.#page.stands[this.#at] = Stand.Starting;
    this.#extra = new Extra(owner, { options, kept, pattern });
  }

  /** The row may be another's since this one has ended. */
  get #isHere(): boolean {
    return this.#page.serials[this.#at] === this.serial;
  }

  get #stand(): Stand {
    return this.#isHere ? (this.#page.stands[this.#at] as Stand) : Stand.Ended;
  }

  set #stand(stand: Stand) {
    assert(this.#isHere, "a subscription that has ended stands nowhere");
    this.#page.stands[this.#at] = stand;
  }

  /** Behind that of the view while it is listed. */
  get #sequence(): number {
    return this.#isHere ? (this.#page.sequences[this.#at] as number) : 0;
  }

  set #sequence(sequence: number) {
    assert(this.#isHere, "a subscription that has ended stands nowhere");
    this.#page.sequences[this.#at] = sequence;
  }

  get #extra(): Extra | undefined {
    const holder = this.#isHere ? this.#page.holders[this.#at] : undefined;
    return holder instanceof Extra ? holder : undefined;
  }

  set #extra(extra: Extra | undefined) {
    assert(this.#isHere, "a subscription that has ended has nothing");
    this.#page.holders[this.#at] = extra ?? this.#owner;
  }

  /** For Subscribers. */
  get place(): number {
    return this.#isHere ? (this.#page.places[this.#at] as number) : -1;
  }

  set place(place: number) {
    assert(this.#isHere, "a subscription that has ended has no place");
    this.#page.places[this.#at] = place;
  }

  /** The pattern that brought the topic, if one did. */
  get pattern(): Pattern | undefined {
    return this.#extra?.pattern;
  }

  /** The view that the client gets now, or got last. */
  get view(): TopicView {
    return this.#isHere ? (this.#page.views[this.#at] as TopicView) : this.#lastView;
  }

  /** At which the client wants the topic; it may be sent less often. */
  get askedIntervalMs(): number {
    return this.#extra?.askedIntervalMs ?? this.view.options.intervalMs;
  }

  /** Bytes of news since they were taken last, or since the view was changed. */
  takeBytes(): number {
    const { sentBytes } = this.view;
    const before = this.#extra ?? NOTHING_ELSE;
    this.#extra = new Extra(this.#owner, { ...before, takenBytes: sentBytes });
    return sentBytes - (before.takenBytes ?? 0);
  }

  get state(): TopicSubscriptionState {
    return STATES[this.#stand] as TopicSubscriptionState;
  }

  /** Whether the latest event of the topic stands for those before it. */
  get isLatestWins(): boolean {
    return LATEST_WINS.has(this.view.name.channel);
  }

  /** Whether each event of the topic stands for itself, so that the loss of one is only that. */
  get isEvents(): boolean {
    return EVENTS.has(this.view.name.channel);
  }

  /** The last sequence that was queued, or told to be missing; 0 before the first. */
  get sequence(): number {
    return this.#stand === Stand.Listed ? this.view.sequence : this.#sequence;
  }

  /** The list of the session. */
  get seat(): ListSeat | undefined {
    return this.#owner.lanes.seat;
  }

  unlisted(sequence: number): void {
    if (this.#stand === Stand.Listed) this.#stand = Stand.Chained;
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
    assert(this.#stand === Stand.Starting, "a subscription starts once");
    this.#stand = Stand.Based;
    const { options, pattern, askedIntervalMs } = this.#extra ?? NOTHING_ELSE;
    assert(options !== undefined, "a subscription that starts knows how");
    const { resume = kept } = options;
    const attached = this.view.attach(this, { ...options, resume });
    const hasChecksums = options.checksum === true;
    this.#keep({
      pattern,
      checked: hasChecksums ? this : undefined,
      askedIntervalMs: askedIntervalMs ?? this.view.options.intervalMs,
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
    const before = this.view;
    assert(next.id === before.id, "another view is of the same topic");
    if (this.#stand === Stand.Lagging) this.recover();
    if (this.state === "live") this.#goOnWith(next, describe);
    this.#page.views[this.#at] = next;
    const extra = this.#extra ?? NOTHING_ELSE;
    if (this.#stand !== Stand.Starting) this.#keep({ ...extra, askedIntervalMs });
    else this.#extra = new Extra(this.#owner, { ...extra, askedIntervalMs });
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
    this.view.unlist(this);
    this.#stand = Stand.Lagging;
    this.#sequence = position ?? this.#sequence;
  }

  /** The client has caught up. */
  recover(): void {
    assert(this.#stand === Stand.Lagging, "only a subscription that lags recovers");
    this.#stand = Stand.Based;
    this.#catchUp(this.view.sequence);
  }

  deliver(batch: SharedBatch): boolean {
    if (this.#stand === Stand.Lagging) return false;
    assert(this.state === "live", "only a live subscription is delivered to");
    assert(batch.lastSequence === this.view.sequence, "a batch ends where the view is");
    this.#sequence = batch.lastSequence;
    assert(batch.topicId === this.view.id, "a subscription carries one topic");
    this.#owner.lanes.push(this.#formOf(batch));
    // From now on it gets what everybody gets, unless its session has ended and it leaves soon.
    if (this.#stand === Stand.Chained && this.#owner.lanes.isListable) this.#stand = Stand.Listed;
    return this.#stand === Stand.Listed;
  }

  gap(missingFirst: number, missingLast: number): void {
    if (this.#stand === Stand.Lagging) {
      // What was left out so far is not part of the gap.
      this.#stand = Stand.Based;
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
    if (this.#stand === Stand.Lagging) {
      this.#stand = Stand.Based;
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
    this.#stand = Stand.Based;
  }

  checksum(message: Uint8Array): void {
    if (this.state === "live") this.#owner.lanes.pushCheck(this.view.id, message);
  }

  /** Tells the client, behind everything that it is owed, that nothing more will come. */
  sayEnded(message: string): void {
    this.#say({ kind: "NOTICE_KIND_TOPIC_ENDED", message, topicId: this.view.id });
  }

  /** Gives the view back. What is queued still leaves, unless its lane is taken back. */
  end(): void {
    assert(this.#stand !== Stand.Ended, "a subscription ends once");
    if (this.#stand !== Stand.Starting) this.view.detach(this);
    this.#lastView = this.view;
    this.table.giveBack(this.row);
    this.#owner.hub.release(this.#lastView);
    this.#owner.payBack?.();
  }

  /** From now on, bytes of the view are counted. */
  #keep({ pattern, checked, askedIntervalMs }: Partial<Extra>): void {
    const { sentBytes, options } = this.view;
    const takenBytes = this.#owner.isMeasured === true ? sentBytes : 0;
    const asked = askedIntervalMs === options.intervalMs ? undefined : askedIntervalMs;
    const kept = { pattern, checked, askedIntervalMs: asked, takenBytes };
    const isAny = pattern ?? checked ?? asked ?? (takenBytes > 0 || undefined);
    this.#extra = isAny === undefined ? undefined : new Extra(this.#owner, kept);
  }

  /** Brings the client, for which nothing was queued for a while, to where the view is. */
  #catchUp(to: number): void {
    if (to <= this.#sequence) return;
    const from = this.#sequence;
    const batch = this.isLatestWins ? this.view.catchUp(from, to) : undefined;
    this.#sequence = to;
    const { venue, channel } = this.view.name;
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
    const before = this.view;
    before.settle();
    before.unlist(this);
    const { epoch } = before.position;
    const resume = { epoch, sequence: this.#sequence };
    const whole = before.options.depth !== next.options.depth;
    const checksum = this.#extra?.checked !== undefined;
    const attached = next.attach(this, { snapshot: true, resume, whole, checksum });
    if (next !== before) before.detach(this);
    this.#stand = Stand.Based;
    this.#sequence = attached.batches.at(-1)?.lastSequence ?? resume.sequence;
    this.#owner.lanes.pushMessage(next.id, describe(attached));
    for (const batch of attached.batches) this.#owner.lanes.pushStart(this.#formOf(batch));
    this.#goOnIn(attached);
    assert(this.#sequence === next.sequence, "a start ends where the view is");
  }

  /** What the client can read of the next batch that it gets. */
  #formOf(batch: SharedBatch): SharedBatch {
    if (batch.skipped > 0) this.#owner.metrics?.conflated.inc(batch.labels, batch.skipped);
    const form = this.#stand === Stand.Based ? batch.based : batch;
    // What follows a state, or a sequel, never goes on from its numbers.
    this.#stand = batch.endsChain ? Stand.Based : Stand.Chained;
    return form;
  }

  #say(value: Parameters<typeof encodedNotice>[0]): void {
    this.#owner.lanes.pushMessage(this.view.id, encodedNotice(value));
  }
}
