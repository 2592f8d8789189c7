import type { Instrument } from "@tickwire/proto/service";
import type { Clock } from "#core/clock.ts";
import { formatTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import { expandTopic, topicsOf } from "../catalog/topic-expansion.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { Hub } from "../topics/hub.ts";
import type { Attached } from "../topics/topic-subscriber.ts";
import type { TopicLane } from "./outbound/topic-lanes.ts";
import { KeptPositions } from "./kept-positions.ts";
import { Patterns } from "./patterns.ts";
import type { Pattern } from "./patterns.ts";
import { RequestQueue } from "./request-queue.ts";
import { StartingTopics } from "./starting-topics.ts";
import { SubscribeAnswer } from "./subscribe-answer.ts";
import type { WantedTopic } from "./subscribe-answer.ts";
import { optionsRefusal } from "./subscribe-options.ts";
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
  readonly hub: Pick<Hub, "hold" | "release" | "follows">;
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
};

/** Where in a request a topic comes from. */
type Origin = {
  readonly order: number;
  readonly requestIndex: number;
  readonly request: TopicRequestMessage;
  readonly pattern: Pattern | undefined;
};

/** What an unsubscribe of one topic or pattern is about. */
type Removal = {
  readonly requestIndex: number;
  readonly order: number;
  /** Ids of what was left. */
  readonly left: Set<number>;
};

/** Requests may wait for so many times as many topics as a session may have. */
const WAITS_FACTOR = 2;

/**
 * The topics of one session. Requests are answered in the order in which they came; the views that
 * they need get ready at the same time. What is not ready soon is answered when it is.
 *
 * What holds, and what enforces it:
 * 1. A session has a topic once: asked when it is wanted, and again when it starts.
 * 2. Topics held and topics getting ready are at most `subscriptionsMax` together, each once,
 *    however many requests wait for it: both are counted.
 * 3. A result leaves before the first batch of its topic: both are queued in one call, and results
 *    are in a lane that comes first.
 * 4. Every view that was held is given back once: TopicSubscription asserts it.
 * 5. A topic that the client has sent a position of starts from there, whatever brings it: the
 *    position is kept until the topic starts or is given up.
 */
export class Subscriptions {
  readonly #parts: SubscriptionParts;
  readonly #replies: SubscriptionReplies;
  readonly #patterns: Patterns;
  readonly #byTopic = new Map<string, TopicSubscription>();
  readonly #queue = new RequestQueue();
  /** Topics that are held and have not started yet. */
  readonly #starting = new StartingTopics();
  readonly #positions: KeptPositions;
  /** Answers that may still be given. */
  readonly #answers = new Set<SubscribeAnswer>();
  /** Requests so far, and changes of patterns. */
  #order = 0;
  #closed = false;

  constructor(parts: SubscriptionParts, replies: SubscriptionReplies) {
    const { subscriptionsMax } = parts.limits;
    this.#parts = parts;
    this.#replies = replies;
    this.#patterns = new Patterns(subscriptionsMax);
    this.#positions = new KeptPositions(subscriptionsMax, () =>
      parts.metrics.positionsForgotten.inc(),
    );
  }

  /** Topics that are live. */
  get size(): number {
    return this.#byTopic.size;
  }

  /**
   * Answers with one result per topic, as soon as every view is ready or has failed, or in several
   * parts if that takes long. False, and nothing is done, if the request names more topics than
   * `takeTopics` grants.
   */
  subscribe(message: SubscribeMessage): boolean {
    const named = namedTopics(this.#parts, message);
    if (named === undefined) return false;
    const { requestId } = message;
    const order = this.#nextOrder();
    this.#prepare(
      requestId,
      named.flatMap((entry) => this.#wantEntry(requestId, entry, order)),
    );
    return true;
  }

  /** Answers with one result per topic or pattern, after the requests before. False as above. */
  unsubscribe(message: UnsubscribeMessage): boolean {
    if (!this.#parts.takeTopics(message.topics.length)) return false;
    const order = this.#nextOrder();
    this.#queue.add(() => {
      const left = new Set<number>();
      const results = message.topics.map((topic, requestIndex) =>
        this.#remove(topic, { requestIndex, order, left }),
      );
      if (left.size > 0) this.#replies.takeBack(left);
      this.#replies.unsubscribeResult(message.requestId, results);
    });
    return true;
  }

  /** Subscribes what patterns match now, and ends what is gone. */
  onCatalogChanged(added: readonly Instrument[], removed: readonly Instrument[]): void {
    for (const instrument of removed) this.#endInstrument(instrument);
    const order = this.#nextOrder();
    for (const pattern of this.#patterns.all()) {
      const names = added.flatMap((instrument) => topicsOf(instrument, pattern.pattern));
      // What the pattern (or another request) has already is not news.
      const news = names.filter((name) => !this.#byTopic.has(formatTopic(name)));
      const { requestIndex, request } = pattern;
      const wanted = this.#wantAll(news, { order, requestIndex, request, pattern });
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
    this.#positions.clear();
    this.#starting.close();
    for (const answer of this.#answers) answer.close();
    this.#answers.clear();
  }

  #nextOrder(): number {
    this.#order += 1;
    return this.#order;
  }

  #wantEntry(requestId: number, entry: NamedTopics, order: number): WantedTopic[] {
    const { requestIndex, request } = entry;
    const { topic } = request;
    const refused = (refusal: TopicRefusal): WantedTopic[] => {
      return [{ requestIndex, topic, kind: "refused", refusal }];
    };
    this.#keepPosition(entry, order);
    if (entry.kind === "refused") return refused(entry.refusal);
    const unsupported = optionsRefusal(request, entry.pattern);
    if (unsupported !== undefined) return refused(unsupported);
    let pattern: Pattern | undefined;
    if (entry.pattern !== undefined) {
      pattern = { text: topic, pattern: entry.pattern, requestId, requestIndex, request };
      this.#patterns.remember(pattern);
    }
    const wanted = this.#wantAll(entry.topics, { order, requestIndex, request, pattern });
    const [first] = wanted;
    if (pattern === undefined || first === undefined || !isFull(first)) return wanted;
    // Nothing of it found room: it is the pattern that is refused, and it does not grow.
    this.#patterns.forget(topic);
    return [{ ...first, topic }];
  }

  /** Although the topic may be refused now: it may come back, by whatever request. */
  #keepPosition(entry: NamedTopics, order: number): void {
    const { topic: text, resume } = entry.request;
    if (resume === undefined || (entry.kind === "named" && entry.pattern !== undefined)) return;
    const [name] = entry.kind === "named" ? entry.topics : [];
    const topic = name === undefined ? text : formatTopic(name);
    if (!this.#byTopic.has(topic)) this.#positions.keep(topic, resume, order);
  }

  #wantAll(names: readonly Topic[], origin: Origin): WantedTopic[] {
    const wanted: WantedTopic[] = [];
    for (const name of names) {
      const want = this.#want(name, origin);
      wanted.push(want);
      // Said once, because a pattern may match more topics than a result can name.
      if (isFull(want)) break;
    }
    return wanted;
  }

  #want(name: Topic, origin: Origin): WantedTopic {
    const { requestIndex, request, pattern, order } = origin;
    const topic = formatTopic(name);
    const refused = (refusal: TopicRefusal): WantedTopic => {
      return { requestIndex, topic, kind: "refused", refusal };
    };
    if (this.#byTopic.has(topic)) return refused(ALREADY_SUBSCRIBED);
    if (!this.#hasRoomFor(topic)) return refused(this.#noRoom(pattern));
    const { hub, catalog } = this.#parts;
    // Asking an ingestor that is silent would only keep others waiting who ask one that is not.
    if (catalog.lostSinceUs(name.venue) !== undefined && !hub.follows(name)) {
      const message = `the ingestor of ${name.venue} is silent`;
      return refused({ error: "TOPIC_ERROR_UNAVAILABLE", message });
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
    const want = { requestIndex, topic, subscription, order, refusal: undefined } as const;
    const held = { ...want, kind: "held", isSettled: false, giveUp: () => undefined } as const;
    this.#starting.add(held);
    return held;
  }

  #hasRoomFor(topic: string): boolean {
    const { subscriptionsMax } = this.#parts.limits;
    if (this.#starting.waits >= subscriptionsMax * WAITS_FACTOR) return false;
    const isCounted = this.#starting.has(topic);
    return isCounted || this.#byTopic.size + this.#starting.size < subscriptionsMax;
  }

  #noRoom(pattern: Pattern | undefined): TopicRefusal {
    const { subscriptionsMax } = this.#parts.limits;
    const which = pattern === undefined ? "" : `; there is no room for all of ${pattern.text}`;
    const message =
      `the session has subscriptionsMax ${subscriptionsMax} topics${which}. ` +
      "To have more, raise gateway.subscriptionsMax, or use another connection";
    return { error: "TOPIC_ERROR_LIMIT_EXCEEDED", message };
  }

  /** Answers in turn, when the last view of the request is ready, or in parts. */
  #prepare(requestId: number, wanted: readonly WantedTopic[]): void {
    let unsaid = wanted.length;
    const answer: SubscribeAnswer = new SubscribeAnswer({
      clock: this.#parts.clock,
      wanted,
      say: (settled) => {
        unsaid -= settled.length;
        if (unsaid === 0) this.#answers.delete(answer);
        this.#say(requestId, settled);
      },
    });
    this.#answers.add(answer);
    answer.begin(this.#queue.addPending(() => answer.turnCame()));
  }

  #say(requestId: number, settled: readonly WantedTopic[]): void {
    const results: TopicResultInit[] = [];
    const losses: { readonly of: TopicSubscription; readonly missing: Attached["missing"] }[] = [];
    for (const want of settled) {
      if (want.kind === "held") this.#starting.remove(want);
      const refusal = this.#refusalOf(want);
      if (refusal !== undefined) {
        if (want.kind === "held") want.subscription.end();
        this.#parts.metrics.topicErrors.inc({ error: refusal.error });
        results.push(refusedResult(want.requestIndex, want.topic, refusal));
      } else if (want.kind === "held") {
        const { view } = want.subscription;
        const attached = this.#start(want.subscription);
        const instrument = this.#parts.catalog.instrument(view.name.venue, view.name.symbol);
        results.push(grantedResult(want.requestIndex, view, attached, instrument));
        losses.push({ of: want.subscription, missing: attached.missing });
      }
    }
    this.#replies.subscribeResult(requestId, results);
    // Behind every start, so that they share a frame.
    for (const { of, missing } of losses) {
      if (missing !== undefined) of.gap(missing.first, missing.last);
    }
  }

  #start(subscription: TopicSubscription): Attached {
    const { topic } = subscription.view;
    const attached = subscription.start(this.#positions.take(topic));
    this.#byTopic.set(topic, subscription);
    this.#parts.metrics.subscriptions.inc();
    return attached;
  }

  /** Why the topic is not to be had after all; undefined if it is. */
  #refusalOf(want: WantedTopic): TopicRefusal | undefined {
    if (want.refusal !== undefined) return want.refusal;
    // Another request may have got it meanwhile.
    return this.#byTopic.has(want.topic) ? ALREADY_SUBSCRIBED : undefined;
  }

  /** Ends one topic, or all of a pattern; their ids are added to `left`. */
  #remove(text: string, { requestIndex, order, left }: Removal): TopicResultInit {
    if (this.#patterns.forget(text)) {
      this.#starting.giveUpPattern(text, order);
      for (const subscription of this.#byTopic.values()) {
        if (subscription.pattern?.text !== text) continue;
        this.#end(subscription);
        left.add(subscription.view.id);
      }
      return { requestIndex, topic: text };
    }
    const topic = this.#fullName(text);
    this.#positions.forget(topic, order);
    const wasStarting = this.#starting.giveUp(topic, order);
    const subscription = this.#byTopic.get(topic);
    if (subscription === undefined) {
      if (wasStarting) return { requestIndex, topic: text };
      return refusedResult(requestIndex, text, NOT_SUBSCRIBED);
    }
    this.#end(subscription);
    left.add(subscription.view.id);
    return { requestIndex, topic: text, topicId: subscription.view.id };
  }

  /** The topic's own name, where the text has the venue's symbol. */
  #fullName(text: string): string {
    if (this.#byTopic.has(text)) return text;
    const expansion = expandTopic(this.#parts.catalog, text, 1);
    const [name] = expansion.kind === "topics" ? expansion.topics : [];
    return name === undefined ? text : formatTopic(name);
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

/** Whether there was no room for the topic. */
function isFull(want: WantedTopic): boolean {
  return want.refusal?.error === "TOPIC_ERROR_LIMIT_EXCEEDED";
}
