import type { Instrument } from "@tickwire/proto/service";
import type { Clock } from "#core/clock.ts";
import { formatTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import { quotedText } from "#core/visible-text.ts";
import { expandTopic, topicsOf } from "../catalog/topic-expansion.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { Hub } from "../topics/hub.ts";
import type { Attached } from "../topics/topic-subscriber.ts";
import { oneStep } from "../turns/turns.ts";
import type { Work } from "../turns/turns.ts";
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
  subscribeResult(requestId: number, results: readonly TopicResultInit[], isPartial: boolean): void;
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
  /** A request turned out to name more topics than it may. Nothing of it is served. */
  readonly onTooManyTopics: () => void;
};

/** Comparing this many names takes some microseconds. */
const COMPARED_PER_STEP = 64;

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

/** What one request wants so far. */
type Wanting = {
  readonly requestId: number;
  readonly order: number;
  readonly wanted: WantedTopic[];
};

/** Requests may wait for so many times as many topics as a session may have. */
const WAITS_FACTOR = 2;

/**
 * The topics of one session. Requests are answered in the order in which they came; the views that
 * they need get ready at the same time. What is not ready soon is answered when it is. All of it is
 * work of the session's line, so that a request for many topics takes many turns and no other
 * session waits for it.
 *
 * What holds, and what enforces it:
 * 1. A session has a topic once: asked when it is wanted, and again when it starts.
 * 2. Topics held and topics getting ready are at most `subscriptionsMax` together, each once,
 *    however many requests wait for it: both are counted.
 * 3. A result leaves before the first batch of its topic: both are queued in one step, and results
 *    are in a lane that comes first.
 * 4. Every view that was held is given back once: TopicSubscription asserts it, and what is held is
 *    in `#byTopic` or in `#starting`.
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
   * parts if that takes long.
   */
  subscribe(message: SubscribeMessage): void {
    if (this.#parts.takeTopics(message.topics.length)) this.#add(this.#subscribe(message));
    else this.#parts.onTooManyTopics();
  }

  /** Answers with one result per topic or pattern, after the requests before. */
  unsubscribe(message: UnsubscribeMessage): void {
    if (this.#parts.takeTopics(message.topics.length))
      this.#add(oneStep(() => this.#leave(message)));
    else this.#parts.onTooManyTopics();
  }

  /** Subscribes what patterns match now, and ends what is gone. */
  onCatalogChanged(added: readonly Instrument[], removed: readonly Instrument[]): void {
    if (removed.length > 0) this.#add(this.#endGone());
    if (added.length > 0) this.#add(this.#follow(added));
  }

  /** Gives every view back. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#parts.metrics.subscriptions.dec(this.#byTopic.size);
    this.#patterns.clear();
    this.#positions.clear();
    for (const answer of this.#answers) answer.close();
    this.#answers.clear();
    this.#parts.line.clear();
    this.#parts.line.add(this.#giveBack());
  }

  #add(work: Work): void {
    if (!this.#closed) this.#parts.line.add(work);
  }

  *#giveBack(): Work {
    const { line } = this.#parts;
    for (const subscription of this.#byTopic.values()) {
      if (line.isOver) yield;
      subscription.end();
    }
    this.#byTopic.clear();
    for (const want of this.#starting.all()) {
      if (line.isOver) yield;
      want.subscription.end();
      this.#starting.remove(want);
    }
  }

  *#subscribe(message: SubscribeMessage): Work {
    const named = yield* namedTopics(this.#parts, message);
    if (named === undefined) {
      this.#parts.onTooManyTopics();
      return;
    }
    const { requestId } = message;
    const order = this.#nextOrder();
    const wanted: WantedTopic[] = [];
    for (const entry of named) yield* this.#wantEntry(entry, { requestId, order, wanted });
    yield* this.#prepare(requestId, wanted);
  }

  #leave(message: UnsubscribeMessage): void {
    const order = this.#nextOrder();
    this.#queue.add(() => this.#add(this.#removeAll(message, order)));
  }

  *#follow(added: readonly Instrument[]): Work {
    const order = this.#nextOrder();
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
      const { requestIndex, request } = pattern;
      const wanted = yield* this.#wantAll(news, { order, requestIndex, request, pattern });
      if (wanted.length > 0) yield* this.#prepare(pattern.requestId, wanted);
    }
  }

  #nextOrder(): number {
    this.#order += 1;
    return this.#order;
  }

  *#wantEntry(entry: NamedTopics, { requestId, order, wanted }: Wanting): Work {
    const { requestIndex, request } = entry;
    const { topic } = request;
    const refuse = (refusal: TopicRefusal): void => {
      wanted.push({ requestIndex, topic, kind: "refused", refusal });
    };
    this.#keepPosition(entry, order);
    if (entry.kind === "refused") {
      refuse(entry.refusal);
      return;
    }
    const unsupported = optionsRefusal(request, entry.pattern);
    if (unsupported !== undefined) {
      refuse(unsupported);
      return;
    }
    let pattern: Pattern | undefined;
    if (entry.pattern !== undefined) {
      pattern = { text: topic, pattern: entry.pattern, requestId, requestIndex, request };
      this.#patterns.remember(pattern);
    }
    const all = yield* this.#wantAll(entry.topics, { order, requestIndex, request, pattern });
    const [first] = all;
    if (pattern !== undefined && first?.kind === "refused" && isFull(first)) {
      // Nothing of it found room: it is the pattern that is refused, and it does not grow.
      this.#patterns.forget(topic);
      refuse(first.refusal);
      return;
    }
    for (const want of all) wanted.push(want);
  }

  /** Although the topic may be refused now: it may come back, by whatever request. */
  #keepPosition(entry: NamedTopics, order: number): void {
    const { topic: text, resume } = entry.request;
    if (resume === undefined || (entry.kind === "named" && entry.pattern !== undefined)) return;
    const [name] = entry.kind === "named" ? entry.topics : [];
    const topic = name === undefined ? text : formatTopic(name);
    if (!this.#byTopic.has(topic)) this.#positions.keep(topic, resume, order);
  }

  *#wantAll(names: readonly Topic[], origin: Origin): Work<WantedTopic[]> {
    const wanted: WantedTopic[] = [];
    for (const name of names) {
      if (this.#parts.line.isOver) yield;
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
    const which =
      pattern === undefined ? "" : `; there is no room for all of ${quotedText(pattern.text)}`;
    const message =
      `the session has subscriptionsMax ${subscriptionsMax} topics${which}. ` +
      "To have more, raise gateway.subscriptionsMax, or use another connection";
    return { error: "TOPIC_ERROR_LIMIT_EXCEEDED", message };
  }

  /** Answers in turn, when the last view of the request is ready, or in parts. */
  *#prepare(requestId: number, wanted: readonly WantedTopic[]): Work {
    const { clock, line } = this.#parts;
    let unsaid = wanted.length;
    const answer: SubscribeAnswer = new SubscribeAnswer({
      clock,
      wanted,
      say: (settled) => {
        unsaid -= settled.length;
        if (unsaid === 0) this.#answers.delete(answer);
        this.#add(this.#say(requestId, settled, unsaid > 0));
      },
    });
    this.#answers.add(answer);
    yield* answer.begin(
      this.#queue.addPending(() => answer.turnCame()),
      line,
    );
  }

  *#say(requestId: number, settled: readonly WantedTopic[], isMoreToCome: boolean): Work {
    let results: TopicResultInit[] = [];
    let losses: (() => void)[] = [];
    const tell = (isPartial: boolean): void => {
      this.#replies.subscribeResult(requestId, results, isPartial);
      // Behind every start, so that they share a frame.
      for (const tellLoss of losses) tellLoss();
      results = [];
      losses = [];
    };
    for (const want of settled) {
      if (this.#parts.line.isOver) {
        if (results.length > 0) tell(true);
        yield;
      }
      results.push(this.#resultOf(want, losses));
    }
    if (results.length > 0 || settled.length === 0) tell(isMoreToCome);
  }

  /** Starts the topic if it is to be had. What it misses is to be told by what joins `losses`. */
  #resultOf(want: WantedTopic, losses: (() => void)[]): TopicResultInit {
    const refusal = this.#refusalOf(want);
    if (want.kind === "held") this.#starting.remove(want);
    if (want.kind === "refused" || refusal !== undefined) {
      if (want.kind === "held") want.subscription.end();
      const reason = refusal ?? ALREADY_SUBSCRIBED;
      this.#parts.metrics.topicErrors.inc({ error: reason.error });
      return refusedResult(want.requestIndex, want.topic, reason);
    }
    const { subscription } = want;
    const { view } = subscription;
    const attached = this.#start(subscription);
    const { missing } = attached;
    if (missing !== undefined) losses.push(() => subscription.gap(missing.first, missing.last));
    const instrument = this.#parts.catalog.instrument(view.name.venue, view.name.symbol);
    return grantedResult(want.requestIndex, view, attached, instrument);
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

  *#removeAll(message: UnsubscribeMessage, order: number): Work {
    const left = new Set<number>();
    const results: TopicResultInit[] = [];
    for (const [requestIndex, topic] of message.topics.entries()) {
      if (this.#parts.line.isOver) yield;
      results.push(yield* this.#remove(topic, { requestIndex, order, left }));
    }
    if (left.size > 0) this.#replies.takeBack(left);
    this.#replies.unsubscribeResult(message.requestId, results);
  }

  /** Ends one topic, or all of a pattern; their ids are added to `left`. */
  *#remove(text: string, { requestIndex, order, left }: Removal): Work<TopicResultInit> {
    if (this.#patterns.forget(text)) {
      this.#starting.giveUpPattern(text, order);
      for (const subscription of this.#byTopic.values()) {
        if (this.#parts.line.isOver) yield;
        if (subscription.pattern?.text !== text) continue;
        this.#end(subscription);
        left.add(subscription.view.id);
      }
      return { requestIndex, topic: text };
    }
    const topic = yield* this.#fullName(text);
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
  *#fullName(text: string): Work<string> {
    if (this.#byTopic.has(text)) return text;
    const { catalog, line } = this.#parts;
    const expansion = yield* expandTopic(catalog, text, { topicsMax: 1, line });
    const [name] = expansion.kind === "topics" ? expansion.topics : [];
    return name === undefined ? text : formatTopic(name);
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

/** Whether there was no room for the topic. */
function isFull(want: WantedTopic): boolean {
  return want.refusal?.error === "TOPIC_ERROR_LIMIT_EXCEEDED";
}
