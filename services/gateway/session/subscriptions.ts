import type { Instrument } from "@tickwire/proto/service";
import { formatTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import { topicsOf } from "../catalog/topic-expansion.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { Hub } from "../topics/hub.ts";
import type { Attached, TopicFailure } from "../topics/topic-subscriber.ts";
import { oneStep } from "../turns/turns.ts";
import type { Work } from "../turns/turns.ts";
import type { TopicLane } from "./outbound/topic-lanes.ts";
import { Patterns } from "./patterns.ts";
import type { Pattern } from "./patterns.ts";
import { RequestQueue } from "./request-queue.ts";
import { namedTopics } from "./subscribe-requests.ts";
import type { NamedTopics, SubscribeParts } from "./subscribe-requests.ts";
import {
  ALREADY_SUBSCRIBED,
  grantedResult,
  NOT_SUBSCRIBED,
  refusedResult,
} from "./topic-results.ts";
import type { TopicRefusal } from "./topic-results.ts";
import { TopicSubscription } from "./topic-subscription.ts";
import type {
  SubscribeMessage,
  TopicRequestMessage,
  TopicResultInit,
  UnsubscribeMessage,
} from "./wire-messages.ts";

/** How answers leave. Called synchronously. Results overtake what waits in the lanes of topics. */
export type SubscriptionReplies = {
  subscribeResult(requestId: number, results: readonly TopicResultInit[]): void;
  unsubscribeResult(requestId: number, results: readonly TopicResultInit[]): void;
  openTopicLane(topicId: number): TopicLane;
  /** The client wants no more of these topics: nothing of them may follow the result. */
  takeBack(topicIds: ReadonlySet<number>): void;
};

/** What subscriptions need of the gateway. */
type SubscriptionParts = SubscribeParts & {
  readonly hub: Pick<Hub, "hold" | "release">;
  readonly metrics: GatewayMetrics;
  /** A request turned out to name more topics than it may. Nothing of it is served. */
  readonly onTooManyTopics: () => void;
};

/** Comparing this many names takes some microseconds. */
const COMPARED_PER_STEP = 64;

/** Where in a request a topic comes from. */
type Origin = {
  readonly requestIndex: number;
  readonly request: TopicRequestMessage;
  readonly pattern: Pattern | undefined;
};

/** One topic that a request wants: refused already, or held and getting ready. */
type Wanted = { readonly requestIndex: number; readonly topic: string } & (
  | { readonly kind: "refused"; readonly refusal: TopicRefusal }
  | {
      readonly kind: "held";
      readonly subscription: TopicSubscription;
      /** Set when the view turned out not to be had. */
      failure: TopicFailure | undefined;
    }
);

/**
 * The topics of one session. Requests are answered in the order in which they came; the views that
 * they need get ready at the same time. All of it is work of the session's line, so that a request
 * for many topics takes many turns and no other session waits for it.
 *
 * What holds, and what enforces it:
 * 1. A session has a topic once: asked when it is wanted, and again when it starts.
 * 2. Topics held and topics getting ready are at most `subscriptionsMax` together: both are
 *    counted.
 * 3. A result leaves before the first batch of its topic: both are queued in one step, and results
 *    are in a lane that comes first.
 * 4. Every view that was held is given back once: TopicSubscription asserts it, and what is held is
 *    in `#byTopic` or in `#starting`.
 */
export class Subscriptions {
  readonly #parts: SubscriptionParts;
  readonly #replies: SubscriptionReplies;
  readonly #patterns: Patterns;
  readonly #byTopic = new Map<string, TopicSubscription>();
  readonly #queue: RequestQueue;
  /** Topics that are held and have not started yet. */
  readonly #starting = new Set<TopicSubscription>();
  #closed = false;

  constructor(parts: SubscriptionParts, replies: SubscriptionReplies) {
    this.#parts = parts;
    this.#replies = replies;
    this.#patterns = new Patterns(parts.limits.subscriptionsMax);
    this.#queue = new RequestQueue(parts.line);
  }

  /** Topics that are live. */
  get size(): number {
    return this.#byTopic.size;
  }

  /**
   * Answers with one result per topic, as soon as every view is ready or has failed: in one
   * message, or in several if that takes several turns.
   */
  subscribe(message: SubscribeMessage): void {
    if (this.#parts.takeTopics(message.topics.length)) this.#add(this.#subscribe(message));
    else this.#parts.onTooManyTopics();
  }

  /** Answers with one result per topic or pattern, after the requests before. */
  unsubscribe(message: UnsubscribeMessage): void {
    if (!this.#parts.takeTopics(message.topics.length)) this.#parts.onTooManyTopics();
    else this.#add(oneStep(() => this.#queue.add(() => this.#removeAll(message))));
  }

  /** Subscribes what patterns match now, and ends what is gone. */
  onCatalogChanged(added: readonly Instrument[], removed: readonly Instrument[]): void {
    if (removed.length > 0 && this.#byTopic.size > 0) this.#add(this.#endGone());
    if (added.length > 0 && this.#patterns.size > 0) this.#add(this.#follow(added));
  }

  /** Gives every view back. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#parts.metrics.subscriptions.dec(this.#byTopic.size);
    this.#patterns.clear();
    this.#queue.clear();
    this.#parts.line.clear();
    this.#parts.line.add(this.#leave());
  }

  #add(work: Work): void {
    if (!this.#closed) this.#parts.line.add(work);
  }

  *#leave(): Work {
    for (const held of [this.#byTopic.values(), this.#starting]) {
      for (const subscription of held) {
        if (this.#parts.line.isOver) yield;
        subscription.end();
      }
    }
    this.#byTopic.clear();
    this.#starting.clear();
  }

  *#subscribe(message: SubscribeMessage): Work {
    const named = yield* namedTopics(this.#parts, message);
    if (named === undefined) {
      this.#parts.onTooManyTopics();
      return;
    }
    const { requestId } = message;
    const wanted: Wanted[] = [];
    for (const entry of named) yield* this.#wantEntry(requestId, entry, wanted);
    yield* this.#prepare(requestId, wanted);
  }

  *#follow(added: readonly Instrument[]): Work {
    let compared = 0;
    for (const pattern of this.#patterns.all()) {
      const news: Topic[] = [];
      for (const instrument of added) {
        compared += 1;
        if (compared % COMPARED_PER_STEP === 0 && this.#parts.line.isOver) yield;
        for (const name of topicsOf(instrument, pattern.pattern)) {
          // What the pattern (or another request) has already is not news.
          if (!this.#byTopic.has(formatTopic(name))) news.push(name);
        }
      }
      const { requestIndex, request, requestId } = pattern;
      const wanted: Wanted[] = [];
      yield* this.#wantAll(news, { requestIndex, request, pattern }, wanted);
      if (wanted.length > 0) yield* this.#prepare(requestId, wanted);
    }
  }

  *#wantEntry(requestId: number, entry: NamedTopics, wanted: Wanted[]): Work {
    const { requestIndex, request } = entry;
    if (entry.kind === "refused") {
      wanted.push({ requestIndex, topic: request.topic, kind: "refused", refusal: entry.refusal });
      return;
    }
    let pattern: Pattern | undefined;
    if (entry.pattern !== undefined) {
      const text = request.topic;
      pattern = { text, pattern: entry.pattern, requestId, requestIndex, request };
      this.#patterns.remember(pattern);
    }
    yield* this.#wantAll(entry.topics, { requestIndex, request, pattern }, wanted);
  }

  *#wantAll(names: readonly Topic[], origin: Origin, wanted: Wanted[]): Work {
    for (const name of names) {
      if (this.#parts.line.isOver) yield;
      const want = this.#want(name, origin);
      wanted.push(want);
      // Said once, because a pattern may match more topics than a result can name.
      const isFull = want.kind === "refused" && want.refusal.error === "TOPIC_ERROR_LIMIT_EXCEEDED";
      if (isFull) return;
    }
  }

  #want(name: Topic, origin: Origin): Wanted {
    const { requestIndex, request, pattern } = origin;
    const topic = formatTopic(name);
    const refused = (refusal: TopicRefusal): Wanted => {
      return { requestIndex, topic, kind: "refused", refusal };
    };
    if (this.#byTopic.has(topic)) return refused(ALREADY_SUBSCRIBED);
    const { hub, limits } = this.#parts;
    if (this.#byTopic.size + this.#starting.size >= limits.subscriptionsMax) {
      const message = `more than subscriptionsMax ${limits.subscriptionsMax} topics`;
      return refused({ error: "TOPIC_ERROR_LIMIT_EXCEEDED", message });
    }
    const view = hub.hold(name);
    if (view === undefined) {
      const message = "the gateway follows as many topics as it is configured to";
      return refused({ error: "TOPIC_ERROR_UNAVAILABLE", message });
    }
    const lane = this.#replies.openTopicLane(view.id);
    const options = {
      snapshot: request.snapshot !== "SNAPSHOT_MODE_NONE",
      resume: request.resume,
    };
    const subscription = new TopicSubscription({ view, hub, lane, options, pattern });
    this.#starting.add(subscription);
    return { requestIndex, topic, kind: "held", subscription, failure: undefined };
  }

  /** Answers in turn, when the last view of the request is ready. */
  *#prepare(requestId: number, wanted: readonly Wanted[]): Work {
    let pending = 1;
    const answer = this.#queue.addPending(() => this.#finish(requestId, wanted));
    const settle = (): void => {
      pending -= 1;
      if (pending === 0) answer();
    };
    for (const want of wanted) {
      if (want.kind === "refused") continue;
      if (this.#parts.line.isOver) yield;
      pending += 1;
      want.subscription.whenReady((failure) => {
        want.failure = failure;
        settle();
      });
    }
    settle();
  }

  *#finish(requestId: number, wanted: readonly Wanted[]): Work {
    let results: TopicResultInit[] = [];
    let losses: (() => void)[] = [];
    const tell = (): void => {
      this.#replies.subscribeResult(requestId, results);
      // Behind every start, so that they share a frame.
      for (const say of losses) say();
      results = [];
      losses = [];
    };
    for (const want of wanted) {
      if (this.#parts.line.isOver) {
        if (results.length > 0) tell();
        yield;
      }
      const refusal = this.#refusalOf(want);
      if (want.kind === "held") this.#starting.delete(want.subscription);
      if (refusal !== undefined) {
        if (want.kind === "held") want.subscription.end();
        this.#parts.metrics.topicErrors.inc({ error: refusal.error });
        results.push(refusedResult(want.requestIndex, want.topic, refusal));
      } else if (want.kind === "held") {
        const { subscription } = want;
        const { view } = subscription;
        const attached = this.#start(subscription);
        const instrument = this.#parts.catalog.instrument(view.name.venue, view.name.symbol);
        const venueSymbol = instrument?.venueSymbol ?? "";
        results.push(grantedResult(want.requestIndex, view, attached, venueSymbol));
        const { missing } = attached;
        if (missing !== undefined) {
          losses.push(() => subscription.gap(missing.first, missing.last));
        }
      }
    }
    if (results.length > 0 || wanted.length === 0) tell();
  }

  #start(subscription: TopicSubscription): Attached {
    const attached = subscription.start();
    this.#byTopic.set(subscription.view.topic, subscription);
    this.#parts.metrics.subscriptions.inc();
    return attached;
  }

  /** Why the topic is not to be had after all; undefined if it is. */
  #refusalOf(want: Wanted): TopicRefusal | undefined {
    if (want.kind === "refused") return want.refusal;
    if (want.failure !== undefined) {
      const { kind, message } = want.failure;
      const error = kind === "unknown" ? "TOPIC_ERROR_UNKNOWN" : "TOPIC_ERROR_UNAVAILABLE";
      return { error, message };
    }
    // Another request may have got it meanwhile.
    return this.#byTopic.has(want.topic) ? ALREADY_SUBSCRIBED : undefined;
  }

  *#removeAll(message: UnsubscribeMessage): Work {
    const left = new Set<number>();
    const results: TopicResultInit[] = [];
    for (const [requestIndex, topic] of message.topics.entries()) {
      if (this.#parts.line.isOver) yield;
      results.push(yield* this.#remove(topic, requestIndex, left));
    }
    if (left.size > 0) this.#replies.takeBack(left);
    this.#replies.unsubscribeResult(message.requestId, results);
  }

  /** Ends one topic, or all of a pattern; their ids are added to `left`. */
  *#remove(text: string, requestIndex: number, left: Set<number>): Work<TopicResultInit> {
    if (this.#patterns.forget(text)) {
      for (const subscription of this.#byTopic.values()) {
        if (this.#parts.line.isOver) yield;
        if (subscription.pattern?.text !== text) continue;
        this.#end(subscription);
        left.add(subscription.view.id);
      }
      return { requestIndex, topic: text };
    }
    const subscription = this.#byTopic.get(text);
    if (subscription === undefined) return refusedResult(requestIndex, text, NOT_SUBSCRIBED);
    this.#end(subscription);
    left.add(subscription.view.id);
    return { requestIndex, topic: text, topicId: subscription.view.id };
  }

  *#endGone(): Work {
    for (const subscription of this.#byTopic.values()) {
      if (this.#parts.line.isOver) yield;
      const { venue, symbol } = subscription.view.name;
      if (this.#parts.catalog.instrument(venue, symbol) !== undefined) continue;
      this.#end(subscription);
      subscription.sayEnded("the instrument is gone");
    }
  }

  #end(subscription: TopicSubscription): void {
    this.#byTopic.delete(subscription.view.topic);
    this.#parts.metrics.subscriptions.dec();
    subscription.end();
  }
}
