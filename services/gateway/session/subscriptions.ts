import type { Instrument } from "@tickwire/proto/service";
import type { Topic, TopicPattern } from "#core/topic.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { wireChannelOf } from "../catalog/channel-names.ts";
import type { Hub } from "../topics/hub.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { expandTopic, topicsOf } from "../catalog/topic-expansion.ts";
import type { Expansion } from "../catalog/topic-expansion.ts";
import type { SharedBatch } from "../topics/shared-batch.ts";
import type { Attached, TopicFailure, TopicSubscriber } from "../topics/topic-subscriber.ts";
import type { TopicView } from "../topics/topic-view.ts";
import type {
  SubscribeMessage,
  TopicRequestMessage,
  TopicResultInit,
  UnsubscribeMessage,
} from "./wire-messages.ts";

/** How answers and starts leave. Called synchronously. */
export type SubscriptionReplies = {
  deliver(batch: SharedBatch): void;
  /** Events of the topic are missing and will not come. */
  gap(view: TopicView, missingFirst: number, missingLast: number): void;
  subscribeResult(
    requestId: number,
    results: readonly TopicResultInit[],
    starts: readonly (readonly SharedBatch[])[],
  ): void;
  unsubscribeResult(requestId: number, results: readonly TopicResultInit[]): void;
  /** The client wants no more of these topics: nothing of them may follow the result. */
  unsubscribed(views: readonly TopicView[]): void;
  /** The topic is no longer subscribed, because its instrument is gone. */
  ended(view: TopicView, message: string): void;
};

/** What subscriptions need of the gateway. */
export type SubscriptionParts = {
  readonly hub: Hub;
  readonly catalog: Catalog;
  readonly metrics: GatewayMetrics;
  readonly limits: { readonly subscriptionsMax: number; readonly topicsPerRequestMax: number };
  /** Whether requests may name so many more topics now. What it grants is used up. */
  readonly takeTopics: (topics: number) => boolean;
};

type Pattern = {
  readonly text: string;
  readonly pattern: TopicPattern;
  readonly requestId: number;
  readonly requestIndex: number;
  readonly request: TopicRequestMessage;
};

type Subscription = {
  readonly view: TopicView;
  readonly subscriber: TopicSubscriber;
  readonly pattern: Pattern | undefined;
};

/** One topic of a request, refused already or waiting for its view. */
type Wanted = {
  readonly requestIndex: number;
  readonly request: TopicRequestMessage;
  readonly topic: string;
  readonly pattern: Pattern | undefined;
} & (
  | { readonly kind: "refused"; readonly error: TopicErrorName; readonly message: string }
  | { readonly kind: "held"; readonly view: TopicView; failure: TopicFailure | undefined }
);

type TopicErrorName = NonNullable<TopicResultInit["error"]>;

/**
 * The topics of one session. Requests are answered in the order they came; the views that they need
 * get ready at the same time. A result leaves before the first batch of its topic.
 */
export class Subscriptions {
  readonly #parts: SubscriptionParts;
  readonly #replies: SubscriptionReplies;
  readonly #byTopic = new Map<string, Subscription>();
  readonly #patterns = new Map<string, Pattern>();
  #queue: { ready: boolean; run: () => void }[] = [];
  #preparing = 0;
  #closed = false;

  constructor(parts: SubscriptionParts, replies: SubscriptionReplies) {
    this.#parts = parts;
    this.#replies = replies;
  }

  get size(): number {
    return this.#byTopic.size;
  }

  /**
   * Answers with one result per topic, as soon as every view is ready or has failed. False, and
   * nothing is done, if the request names more topics than `takeTopics` grants.
   */
  subscribe(message: SubscribeMessage): boolean {
    const expansions = this.#expand(message);
    if (expansions === undefined) return false;
    this.#prepare(message.requestId, this.#wantAll(message, expansions));
    return true;
  }

  /** Answers with one result per topic or pattern, after the requests before. False as above. */
  unsubscribe(message: UnsubscribeMessage): boolean {
    if (!this.#parts.takeTopics(message.topics.length)) return false;
    this.#enqueue(true, () => {
      const left: TopicView[] = [];
      const results = message.topics.map((topic, index) => this.#remove(topic, index, left));
      if (left.length > 0) this.#replies.unsubscribed(left);
      this.#replies.unsubscribeResult(message.requestId, results);
    });
    return true;
  }

  /** Subscribes what patterns match now, and ends what is gone. */
  onCatalogChanged(added: readonly Instrument[], removed: readonly Instrument[]): void {
    for (const instrument of removed) this.#end(instrument);
    for (const pattern of this.#patterns.values()) {
      const wanted: Wanted[] = [];
      for (const name of added.flatMap((instrument) => topicsOf(instrument, pattern.pattern))) {
        const want = this.#want(name, pattern.requestIndex, pattern.request, pattern);
        // What the pattern (or another request) has already is not news.
        if (want.kind === "refused" && want.error === "TOPIC_ERROR_ALREADY_SUBSCRIBED") continue;
        wanted.push(want);
        if (isLimit(want)) break;
      }
      if (wanted.length > 0) this.#prepare(pattern.requestId, wanted);
    }
  }

  /** Gives every view back. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#parts.metrics.subscriptions.dec(this.#byTopic.size);
    for (const subscription of this.#byTopic.values()) this.#leave(subscription);
    this.#byTopic.clear();
    this.#patterns.clear();
    // Feeds that were getting ready are given back by the requests that wait for them.
    for (const entry of this.#queue) entry.ready = true;
    this.#drain();
  }

  /**
   * What each topic of the request stands for, as far as `topicsPerRequestMax` goes; undefined if
   * that is too much. Nothing is held yet: a request costs what it names before it costs more.
   */
  #expand(message: SubscribeMessage): Expansion[] | undefined {
    const { catalog, limits, takeTopics } = this.#parts;
    const { topicsPerRequestMax, subscriptionsMax } = limits;
    if (!takeTopics(message.topics.length)) return undefined;
    const expansions: Expansion[] = [];
    for (const { topic } of message.topics.slice(0, topicsPerRequestMax)) {
      // One more than can be subscribed is enough to say that it is too many.
      const expansion = expandTopic(catalog, topic, subscriptionsMax + 1);
      if (expansion.kind !== "malformed" && !takeTopics(expansion.cost)) return undefined;
      expansions.push(expansion);
    }
    return expansions;
  }

  #wantAll(message: SubscribeMessage, expansions: readonly Expansion[]): Wanted[] {
    const { topicsPerRequestMax } = this.#parts.limits;
    const wanted: Wanted[] = [];
    message.topics.forEach((request, requestIndex) => {
      const refuse = (error: TopicErrorName, text: string): void => {
        const topic = request.topic;
        const pattern = undefined;
        wanted.push({
          kind: "refused",
          requestIndex,
          request,
          topic,
          pattern,
          error,
          message: text,
        });
      };
      const expansion = expansions[requestIndex];
      if (expansion === undefined) {
        const text = `more than topicsPerRequestMax ${topicsPerRequestMax} topics`;
        refuse("TOPIC_ERROR_LIMIT_EXCEEDED", text);
        return;
      }
      if (expansion.kind === "malformed") {
        refuse("TOPIC_ERROR_MALFORMED", "not of the form VENUE:SYMBOL/channel");
      } else if (expansion.kind === "unknown") {
        refuse("TOPIC_ERROR_UNKNOWN", "no such venue, instrument or channel");
      } else {
        const pattern = this.#patternOf(message, request, requestIndex, expansion.pattern);
        for (const name of expansion.topics) {
          const want = this.#want(name, requestIndex, request, pattern);
          wanted.push(want);
          // Said once: a pattern may match more topics than a result can name.
          if (isLimit(want)) break;
        }
      }
    });
    return wanted;
  }

  #patternOf(
    message: SubscribeMessage,
    request: TopicRequestMessage,
    requestIndex: number,
    pattern: TopicPattern | undefined,
  ): Pattern | undefined {
    if (pattern === undefined) return undefined;
    const text = request.topic;
    const { requestId } = message;
    const known: Pattern = { text, pattern, requestId, requestIndex, request };
    // Patterns are bounded like topics: one that found no room is answered, but does not grow.
    if (this.#patterns.size < this.#parts.limits.subscriptionsMax) this.#patterns.set(text, known);
    return known;
  }

  #want(
    name: Topic,
    requestIndex: number,
    request: TopicRequestMessage,
    pattern: Pattern | undefined,
  ): Wanted {
    const topic = `${name.venue}:${name.symbol}/${name.channel}`;
    const common = { requestIndex, request, topic, pattern };
    const refused = (error: TopicErrorName, message: string): Wanted => {
      return { ...common, kind: "refused", error, message };
    };
    if (this.#byTopic.has(topic)) {
      return refused("TOPIC_ERROR_ALREADY_SUBSCRIBED", "the session has this topic already");
    }
    const { subscriptionsMax } = this.#parts.limits;
    if (this.#byTopic.size + this.#preparing >= subscriptionsMax) {
      const message = `more than subscriptionsMax ${subscriptionsMax} topics`;
      return refused("TOPIC_ERROR_LIMIT_EXCEEDED", message);
    }
    const view = this.#parts.hub.hold(name);
    if (view === undefined) {
      return refused("TOPIC_ERROR_UNAVAILABLE", "the gateway follows as many topics as it may");
    }
    this.#preparing += 1;
    return { ...common, kind: "held", view, failure: undefined };
  }

  /** Answers in turn, when the last view of the request is ready. */
  #prepare(requestId: number, wanted: readonly Wanted[]): void {
    let pending = 1;
    const entry = this.#enqueue(false, () => this.#finish(requestId, wanted));
    const settle = (): void => {
      pending -= 1;
      if (pending > 0) return;
      entry.ready = true;
      this.#drain();
    };
    for (const want of wanted) {
      if (want.kind === "refused") continue;
      pending += 1;
      want.view.whenReady((failure) => {
        want.failure = failure;
        settle();
      });
    }
    settle();
  }

  #enqueue(ready: boolean, run: () => void): { ready: boolean } {
    const entry = { ready, run };
    this.#queue.push(entry);
    if (ready) this.#drain();
    return entry;
  }

  #drain(): void {
    while (this.#queue[0]?.ready === true) this.#queue.shift()?.run();
  }

  #finish(requestId: number, wanted: readonly Wanted[]): void {
    const results: TopicResultInit[] = [];
    const starts: (readonly SharedBatch[])[] = [];
    const losses: { readonly view: TopicView; readonly missing: Attached["missing"] }[] = [];
    for (const want of wanted) {
      if (want.kind === "held") this.#preparing -= 1;
      if (this.#closed) {
        if (want.kind === "held") this.#parts.hub.release(want.view);
        continue;
      }
      const attached = this.#attach(want, results);
      if (attached === undefined || want.kind !== "held") continue;
      starts.push(attached.batches);
      losses.push({ view: want.view, missing: attached.missing });
    }
    if (this.#closed) return;
    this.#replies.subscribeResult(requestId, results, starts);
    for (const { view, missing } of losses) {
      if (missing !== undefined) this.#replies.gap(view, missing.first, missing.last);
    }
  }

  /** Attaches one topic and adds its result, good or bad. */
  #attach(want: Wanted, results: TopicResultInit[]): Attached | undefined {
    const { requestIndex, topic } = want;
    const refuse = (error: TopicErrorName, errorMessage: string): undefined => {
      this.#parts.metrics.topicErrors.inc({ error });
      results.push({ requestIndex, topic, error, errorMessage });
      return undefined;
    };
    if (want.kind === "refused") return refuse(want.error, want.message);
    const { view, failure } = want;
    if (failure !== undefined || this.#byTopic.has(topic)) {
      this.#parts.hub.release(view);
      if (failure === undefined) {
        return refuse("TOPIC_ERROR_ALREADY_SUBSCRIBED", "the session has this topic already");
      }
      const unknown = failure.kind === "unknown";
      const error = unknown ? "TOPIC_ERROR_UNKNOWN" : "TOPIC_ERROR_UNAVAILABLE";
      return refuse(error, failure.message);
    }
    const { request, pattern } = want;
    const subscriber: TopicSubscriber = {
      deliver: (batch) => this.#replies.deliver(batch),
      gap: (first, last) => this.#replies.gap(view, first, last),
    };
    const attached = view.attach(subscriber, {
      snapshot: request.snapshot !== "SNAPSHOT_MODE_NONE",
      resume: request.resume,
    });
    this.#byTopic.set(topic, { view, subscriber, pattern });
    this.#parts.metrics.subscriptions.inc();
    results.push(this.#result(requestIndex, view, attached));
    return attached;
  }

  #result(requestIndex: number, view: TopicView, attached: Attached): TopicResultInit {
    const { venue, symbol, channel } = view.name;
    return {
      requestIndex,
      topic: view.topic,
      topicId: view.id,
      venue,
      symbol,
      venueSymbol: this.#parts.catalog.instrument(venue, symbol)?.venueSymbol ?? "",
      channel: wireChannelOf(channel),
      position: attached.position,
      continuity: CONTINUITIES[attached.continuity],
      priceScale: view.priceScale,
      sizeScale: view.sizeScale,
    };
  }

  #remove(text: string, requestIndex: number, left: TopicView[]): TopicResultInit {
    const pattern = this.#patterns.get(text);
    if (pattern !== undefined) {
      this.#patterns.delete(text);
      for (const [topic, subscription] of this.#byTopic) {
        if (subscription.pattern?.text !== text) continue;
        this.#forget(topic, subscription);
        left.push(subscription.view);
      }
      return { requestIndex, topic: text };
    }
    const subscription = this.#byTopic.get(text);
    if (subscription === undefined) {
      const errorMessage = "the session does not have this topic";
      return { requestIndex, topic: text, error: "TOPIC_ERROR_NOT_SUBSCRIBED", errorMessage };
    }
    this.#forget(text, subscription);
    left.push(subscription.view);
    return { requestIndex, topic: text, topicId: subscription.view.id };
  }

  #end(instrument: Instrument): void {
    for (const [topic, subscription] of this.#byTopic) {
      const { venue, symbol } = subscription.view.name;
      if (venue !== instrument.venue || symbol !== instrument.symbol) continue;
      this.#forget(topic, subscription);
      this.#replies.ended(subscription.view, "the instrument is gone");
    }
  }

  #forget(topic: string, subscription: Subscription): void {
    this.#byTopic.delete(topic);
    this.#parts.metrics.subscriptions.dec();
    this.#leave(subscription);
  }

  #leave({ view, subscriber }: Subscription): void {
    view.detach(subscriber);
    this.#parts.hub.release(view);
  }
}

function isLimit(want: Wanted): boolean {
  return want.kind === "refused" && want.error === "TOPIC_ERROR_LIMIT_EXCEEDED";
}

const CONTINUITIES = {
  new: "CONTINUITY_NEW",
  resumed: "CONTINUITY_RESUMED",
  replaced: "CONTINUITY_REPLACED",
} as const;
