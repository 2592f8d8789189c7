import type { Instrument } from "@tickwire/proto/service";
import { formatTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import { expandTopic, topicsOf } from "../catalog/topic-expansion.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { Hub } from "../topics/hub.ts";
import type { Attached, TopicFailure } from "../topics/topic-subscriber.ts";
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
};

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
 * they need get ready at the same time.
 *
 * What holds, and what enforces it:
 * 1. A session has a topic once: asked when it is wanted, and again when it starts.
 * 2. Topics held and topics getting ready are at most `subscriptionsMax` together: both are
 *    counted.
 * 3. A result leaves before the first batch of its topic: both are queued in one call, and results
 *    are in a lane that comes first.
 * 4. Every view that was held is given back once: TopicSubscription asserts it.
 */
export class Subscriptions {
  readonly #parts: SubscriptionParts;
  readonly #replies: SubscriptionReplies;
  readonly #patterns: Patterns;
  readonly #byTopic = new Map<string, TopicSubscription>();
  readonly #queue = new RequestQueue();
  /** Topics that are held and have not started yet. */
  #starting = 0;
  #closed = false;

  constructor(parts: SubscriptionParts, replies: SubscriptionReplies) {
    this.#parts = parts;
    this.#replies = replies;
    this.#patterns = new Patterns(parts.limits.subscriptionsMax);
  }

  /** Topics that are live. */
  get size(): number {
    return this.#byTopic.size;
  }

  /**
   * Answers with one result per topic, as soon as every view is ready or has failed. False, and
   * nothing is done, if the request names more topics than `takeTopics` grants.
   */
  subscribe(message: SubscribeMessage): boolean {
    const named = namedTopics(this.#parts, message);
    if (named === undefined) return false;
    const { requestId } = message;
    this.#prepare(
      requestId,
      named.flatMap((entry) => this.#wantEntry(requestId, entry)),
    );
    return true;
  }

  /** Answers with one result per topic or pattern, after the requests before. False as above. */
  unsubscribe(message: UnsubscribeMessage): boolean {
    if (!this.#parts.takeTopics(message.topics.length)) return false;
    this.#queue.add(() => {
      const left = new Set<number>();
      const results = message.topics.map((topic, index) => this.#remove(topic, index, left));
      if (left.size > 0) this.#replies.takeBack(left);
      this.#replies.unsubscribeResult(message.requestId, results);
    });
    return true;
  }

  /** Subscribes what patterns match now, and ends what is gone. */
  onCatalogChanged(added: readonly Instrument[], removed: readonly Instrument[]): void {
    for (const instrument of removed) this.#endInstrument(instrument);
    for (const pattern of this.#patterns.all()) {
      const names = added.flatMap((instrument) => topicsOf(instrument, pattern.pattern));
      // What the pattern (or another request) has already is not news.
      const news = names.filter((name) => !this.#byTopic.has(formatTopic(name)));
      const { requestIndex, request } = pattern;
      const wanted = this.#wantAll(news, { requestIndex, request, pattern });
      if (wanted.length > 0) this.#prepare(pattern.requestId, wanted);
    }
  }

  /** Gives every view back. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#parts.metrics.subscriptions.dec(this.#byTopic.size);
    for (const subscription of this.#byTopic.values()) subscription.end();
    this.#byTopic.clear();
    this.#patterns.clear();
    // Views that were getting ready are given back by the requests that wait for them.
    this.#queue.answerAll();
  }

  #wantEntry(requestId: number, entry: NamedTopics): Wanted[] {
    const { requestIndex, request } = entry;
    if (entry.kind === "refused") {
      return [{ requestIndex, topic: request.topic, kind: "refused", refusal: entry.refusal }];
    }
    let pattern: Pattern | undefined;
    if (entry.pattern !== undefined) {
      const text = request.topic;
      pattern = { text, pattern: entry.pattern, requestId, requestIndex, request };
      this.#patterns.remember(pattern);
    }
    return this.#wantAll(entry.topics, { requestIndex, request, pattern });
  }

  #wantAll(names: readonly Topic[], origin: Origin): Wanted[] {
    const wanted: Wanted[] = [];
    for (const name of names) {
      const want = this.#want(name, origin);
      wanted.push(want);
      // Said once, because a pattern may match more topics than a result can name.
      const isFull = want.kind === "refused" && want.refusal.error === "TOPIC_ERROR_LIMIT_EXCEEDED";
      if (isFull) break;
    }
    return wanted;
  }

  #want(name: Topic, origin: Origin): Wanted {
    const { requestIndex, request, pattern } = origin;
    const topic = formatTopic(name);
    const refused = (refusal: TopicRefusal): Wanted => {
      return { requestIndex, topic, kind: "refused", refusal };
    };
    if (this.#byTopic.has(topic)) return refused(ALREADY_SUBSCRIBED);
    const { hub, limits } = this.#parts;
    if (this.#byTopic.size + this.#starting >= limits.subscriptionsMax) {
      const message = `more than subscriptionsMax ${limits.subscriptionsMax} topics`;
      return refused({ error: "TOPIC_ERROR_LIMIT_EXCEEDED", message });
    }
    const view = hub.hold(name);
    if (view === undefined) {
      const message = "the gateway follows as many topics as it is configured to";
      return refused({ error: "TOPIC_ERROR_UNAVAILABLE", message });
    }
    this.#starting += 1;
    const lane = this.#replies.openTopicLane(view.id);
    const options = {
      snapshot: request.snapshot !== "SNAPSHOT_MODE_NONE",
      resume: request.resume,
    };
    const subscription = new TopicSubscription({ view, hub, lane, options, pattern });
    return { requestIndex, topic, kind: "held", subscription, failure: undefined };
  }

  /** Answers in turn, when the last view of the request is ready. */
  #prepare(requestId: number, wanted: readonly Wanted[]): void {
    let pending = 1;
    const answer = this.#queue.addPending(() => this.#finish(requestId, wanted));
    const settle = (): void => {
      pending -= 1;
      if (pending === 0) answer();
    };
    for (const want of wanted) {
      if (want.kind === "refused") continue;
      pending += 1;
      want.subscription.whenReady((failure) => {
        want.failure = failure;
        settle();
      });
    }
    settle();
  }

  #finish(requestId: number, wanted: readonly Wanted[]): void {
    const results: TopicResultInit[] = [];
    const losses: { readonly of: TopicSubscription; readonly missing: Attached["missing"] }[] = [];
    for (const want of wanted) {
      if (want.kind === "held") this.#starting -= 1;
      if (this.#closed) {
        if (want.kind === "held") want.subscription.end();
        continue;
      }
      const refusal = this.#refusalOf(want);
      if (refusal !== undefined) {
        if (want.kind === "held") want.subscription.end();
        this.#parts.metrics.topicErrors.inc({ error: refusal.error });
        results.push(refusedResult(want.requestIndex, want.topic, refusal));
      } else if (want.kind === "held") {
        const { view } = want.subscription;
        const attached = this.#start(want.subscription);
        const instrument = this.#parts.catalog.instrument(view.name.venue, view.name.symbol);
        const venueSymbol = instrument?.venueSymbol ?? "";
        results.push(grantedResult(want.requestIndex, view, attached, venueSymbol));
        losses.push({ of: want.subscription, missing: attached.missing });
      }
    }
    if (this.#closed) return;
    this.#replies.subscribeResult(requestId, results);
    // Behind every start, so that they share a frame.
    for (const { of, missing } of losses) {
      if (missing !== undefined) of.gap(missing.first, missing.last);
    }
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
      // The catalog has it and its ingestor has not: one of the two is about to follow the other.
      const error = kind === "unknown" ? "TOPIC_ERROR_NOT_READY" : "TOPIC_ERROR_UNAVAILABLE";
      return { error, message };
    }
    // Another request may have got it meanwhile.
    return this.#byTopic.has(want.topic) ? ALREADY_SUBSCRIBED : undefined;
  }

  /** Ends one topic, or all of a pattern; their ids are added to `left`. */
  #remove(text: string, requestIndex: number, left: Set<number>): TopicResultInit {
    if (this.#patterns.forget(text)) {
      for (const subscription of this.#byTopic.values()) {
        if (subscription.pattern?.text !== text) continue;
        this.#end(subscription);
        left.add(subscription.view.id);
      }
      return { requestIndex, topic: text };
    }
    const subscription = this.#byTopic.get(text) ?? this.#byVenueSymbol(text);
    if (subscription === undefined) return refusedResult(requestIndex, text, NOT_SUBSCRIBED);
    this.#end(subscription);
    left.add(subscription.view.id);
    return { requestIndex, topic: text, topicId: subscription.view.id };
  }

  /** The topic of a text that has the venue's own symbol. */
  #byVenueSymbol(text: string): TopicSubscription | undefined {
    const expansion = expandTopic(this.#parts.catalog, text, 1);
    const [topic] = expansion.kind === "topics" ? expansion.topics : [];
    return topic === undefined ? undefined : this.#byTopic.get(formatTopic(topic));
  }

  #endInstrument(instrument: Instrument): void {
    for (const subscription of this.#byTopic.values()) {
      const { venue, symbol } = subscription.view.name;
      if (venue !== instrument.venue || symbol !== instrument.symbol) continue;
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
