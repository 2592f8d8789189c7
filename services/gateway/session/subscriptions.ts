import { formatTopic } from "#core/topic.ts";
import type { ClientRequest } from "#wire/frame-codec.ts";
import type { Topic } from "#core/topic.ts";
import { expandTopic, listTopicsOf, topicsOf } from "../catalog/topic-expansion.ts";
import { oneStep } from "../turns/turns.ts";
import type { Work } from "../turns/turns.ts";
import { BandwidthCap } from "./bandwidth/bandwidth-cap.ts";
import { LiveTopics } from "./live-topics.ts";
import { Patterns } from "./patterns.ts";
import type { Pattern } from "./patterns.ts";
import { RequestQueue } from "./request-queue.ts";
import type { WantedTopic } from "./subscribe-answer.ts";
import { optionsRefusal } from "./subscribe-options.ts";
import { namedTopics, plainTopicOf } from "./subscribe-requests.ts";
import type { NamedTopics, SubscribeParts } from "./subscribe-requests.ts";
import { NOT_SUBSCRIBED, refusedResult } from "./topic-results.ts";
import type {
  CatalogChange,
  SubscriptionParts,
  SubscriptionReplies,
  SubscriptionsHost,
} from "./subscription-parts.ts";
import type { SubscriptionOwner, TopicSubscription } from "./topic-subscription.ts";
import type { TopicRefusal } from "./topic-results.ts";
import { isWithin } from "./topic-rights.ts";
import { isFull, TopicStarts } from "./topic-starts.ts";
import type { StartParts } from "./topic-starts.ts";
import { ViewUpdates } from "./view-updates.ts";
import type {
  SubscribeMessage,
  TopicResultInit,
  UnsubscribeMessage,
  UpdateMessage,
} from "./wire-messages.ts";

type TopicsRequest = Extract<ClientRequest, { readonly kind: "unsubscribe" | "update" }>;

/** Comparing this many names takes some microseconds. */
const COMPARED_PER_STEP = 64;

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

/** What requests under way need: made with the first of them, and dropped after the last. */
type Requests = {
  readonly queue: RequestQueue;
  readonly starts: TopicStarts;
};

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
 *    in `#live` or in what starts.
 * 5. A topic that the client has sent a position of starts from there, whatever brings it: the
 *    position is kept until the topic starts or is given up.
 */
export class Subscriptions implements SubscriptionOwner {
  readonly #parts: SubscriptionParts;
  readonly #host: SubscriptionsHost;
  readonly #replies: SubscriptionReplies;
  readonly #live: LiveTopics;
  /** Made with the first one. */
  #patterns: Patterns | undefined;
  #requests: Requests | undefined;
  readonly #cap: BandwidthCap | undefined;
  /** Requests so far, and changes of patterns. */
  #order = 0;
  #closed = false;
  #isLagging = false;

  constructor(parts: SubscriptionParts, host: SubscriptionsHost, replies: SubscriptionReplies) {
    this.#parts = parts;
    this.#host = host;
    this.#replies = replies;
    this.#live = new LiveTopics(parts);
    this.#cap = this.#createCap();
  }

  /** For what it owns, as what follows. */
  get table(): SubscriptionOwner["table"] {
    return this.#parts.table;
  }

  get hub(): StartParts["hub"] {
    return this.#parts.hub;
  }

  get lanes(): SubscriptionOwner["lanes"] {
    return this.#replies.lanes;
  }

  get metrics(): StartParts["metrics"] {
    return this.#parts.metrics;
  }

  get isMeasured(): boolean {
    return this.#cap !== undefined;
  }

  /** The client is who it was when it paid: who proves to be somebody else is not let in. */
  payBack(): void {
    this.#parts.accounts.giveSubscription(this.#host.principal);
  }

  /** Topics that are live. */
  get size(): number {
    return this.#live.size;
  }

  has(topic: string): boolean {
    return this.#live.has(topic);
  }

  /** Those that have started and not ended. */
  all(): Iterable<TopicSubscription> {
    return this.#live.all();
  }

  /** One of the requests below. */
  ask(request: TopicsRequest): void {
    if (request.kind === "unsubscribe") this.unsubscribe(request.value);
    else this.update(request.value);
  }

  /**
   * Answers with one result per topic, as soon as every view is ready or has failed, or in several
   * parts if that takes long.
   */
  subscribe(message: SubscribeMessage): void {
    if (this.#host.takeTopics(message.topics.length)) this.#add(this.#subscribe(message));
    else this.#host.onTooManyTopics("subscribe", message.requestId);
  }

  /** Answers with one result per topic or pattern, after the requests before. */
  unsubscribe(message: UnsubscribeMessage): void {
    if (this.#host.takeTopics(message.topics.length))
      this.#add(oneStep(() => this.#leave(message)));
    else this.#host.onTooManyTopics("unsubscribe", message.requestId);
  }

  /**
   * Shows topics in another way, after the requests before. Each is told so in its place among its
   * batches; what is refused is told in a last result.
   */
  update(message: UpdateMessage): void {
    if (this.#host.takeTopics(message.topics.length)) this.#queueUpdate(message);
    else this.#host.onTooManyTopics("update", message.requestId);
  }

  /**
   * The client reads too slowly. What waits of states is taken back, and until `recover` nothing of
   * them is queued; the same for events, if it has come to that.
   */
  lag(events: "events-wait" | "events-go"): void {
    this.#isLagging = true;
    const lagging = new Map<number, TopicSubscription>();
    for (const subscription of this.#live.all()) {
      const mayGo = subscription.isEvents && events === "events-go";
      const mayLag = subscription.isLatestWins || mayGo;
      if (mayLag && subscription.state === "live") lagging.set(subscription.view.id, subscription);
    }
    const positions = this.#replies.shed(new Set(lagging.keys()));
    for (const [topicId, subscription] of lagging) subscription.lag(positions.get(topicId));
  }

  /** The client has caught up: it gets states as they are now, and is told what it missed. */
  recover(): void {
    this.#isLagging = false;
    this.#add(this.#recover());
  }

  /** The client's rights have changed: what it may not have any more, or not so, ends. */
  review(): void {
    this.#add(this.#review());
  }

  /** Subscribes what patterns match now, and ends what is gone. */
  onCatalogChanged({ venue, added, removed }: CatalogChange): void {
    if (removed.length > 0) this.#add(this.#endGone());
    if (added.size > 0 && this.#patterns !== undefined) this.#add(this.#follow(venue, added));
  }

  /** Gives every view back. Idempotent. */
  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#cap?.close();
    this.#patterns = undefined;
    const { line } = this.#host;
    line.clear();
    const leaving = [this.#live.endAll(line)];
    if (this.#requests !== undefined) leaving.push(this.#requests.starts.close());
    for (const work of leaving) line.add(work);
  }

  #createCap(): BandwidthCap | undefined {
    const { hub, clock, metrics } = this.#parts;
    const { bandwidthBytesPerSecondMax } = this.#host;
    if (bandwidthBytesPerSecondMax === 0) return undefined;
    return new BandwidthCap({
      bytesPerSecondMax: bandwidthBytesPerSecondMax,
      clock,
      metrics,
      hub,
      principal: () => this.#host.principal,
      live: this.#live,
      line: this.#host.line,
      add: (work) => this.#add(work),
      queuedBytes: () => this.#replies.queuedBytes(),
    });
  }

  #add(work: Work): void {
    if (!this.#closed) this.#host.line.add(this.#run(work));
  }

  *#run(work: Work): Work {
    yield* work;
    const { starts, queue } = this.#requests ?? {};
    if (starts?.isIdle === true && queue?.isEmpty === true) this.#requests = undefined;
    this.#host.onWorkDone();
  }

  get #starts(): TopicStarts {
    return this.#requestsNow().starts;
  }

  #requestsNow(): Requests {
    if (this.#requests !== undefined) return this.#requests;
    const queue = new RequestQueue();
    const starts = new TopicStarts({
      ...this.#requestParts(),
      account: this.#parts.accounts,
      replies: this.#replies,
      live: this.#live,
      queue,
      add: (work) => this.#add(work),
      owner: this,
    });
    this.#requests = { queue, starts };
    return this.#requests;
  }

  /** What reading and doing requests takes. */
  #requestParts(): SubscribeParts & Pick<StartParts, "hub" | "looks" | "clock" | "metrics"> {
    const { catalog, config, hub, looks, clock, metrics } = this.#parts;
    const host = this.#host;
    return {
      catalog,
      hub,
      looks,
      clock,
      metrics,
      limits: config,
      line: host.line,
      takeTopics: (topics) => host.takeTopics(topics),
      principal: () => host.principal,
    };
  }

  #updates(): ViewUpdates {
    const host = this.#host;
    return new ViewUpdates({
      ...this.#requestParts(),
      onTooManyTopics: (kind, requestId) => host.onTooManyTopics(kind, requestId),
      live: this.#live,
      starts: this.#starts,
      patterns: (this.#patterns ??= new Patterns(this.#parts.config.subscriptionsMax)),
      replies: this.#replies,
      fullName: (text) => this.#fullName(text),
    });
  }

  *#subscribe(message: SubscribeMessage): Work {
    const named = yield* namedTopics(this.#requestParts(), message);
    const { requestId } = message;
    if (named === undefined) {
      this.#host.onTooManyTopics("subscribe", requestId);
      return;
    }
    const order = this.#nextOrder();
    const wanted: WantedTopic[] = [];
    for (const entry of named) {
      if (this.#host.line.isOver) yield;
      const name = plainTopicOf(entry);
      if (name === undefined) yield* this.#wantEntry(entry, { requestId, order, wanted });
      else {
        this.#keepPosition(entry, order);
        wanted.push(this.#starts.want(name, entry, order));
      }
    }
    yield* this.#starts.prepare(requestId, wanted);
  }

  #leave(message: UnsubscribeMessage): void {
    const order = this.#nextOrder();
    this.#requestsNow().queue.add(() => this.#add(this.#removeAll(message, order)));
  }

  #queueUpdate(message: UpdateMessage): void {
    const work = (): void => this.#add(this.#update(message));
    this.#add(oneStep(() => this.#requestsNow().queue.add(work)));
  }

  *#update(message: UpdateMessage): Work {
    yield* this.#updates().update(message);
  }

  *#follow(venue: string, added: CatalogChange["added"]): Work {
    const order = this.#nextOrder();
    let compared = 0;
    for (const pattern of this.#patterns?.all() ?? []) {
      if (this.#host.line.isOver) yield;
      const { venue: ofVenue, symbol } = pattern.pattern;
      if (ofVenue !== "*" && ofVenue !== venue) continue;
      const isOfLists = pattern.pattern.channel === "listings";
      const named = added.get(symbol);
      const matching = symbol === "*" ? added.values() : named === undefined ? [] : [named];
      const candidates = isOfLists ? [] : matching;
      const lists = isOfLists ? listTopicsOf(this.#parts.catalog, venue) : [];
      const news: Topic[] = lists.filter(
        (name) => !this.#live.has(formatTopic(name)) && this.#isPermitted(name),
      );
      for (const instrument of candidates) {
        compared += 1;
        if (compared % COMPARED_PER_STEP === 0 && this.#host.line.isOver) yield;
        for (const name of topicsOf(instrument, pattern.pattern)) {
          // What the pattern (or another request) has already is not news.
          if (this.#live.has(formatTopic(name)) || !this.#isPermitted(name)) continue;
          news.push(name);
        }
      }
      const { requestIndex, request } = pattern;
      const wanted = yield* this.#starts.wantAll(news, { order, requestIndex, request, pattern });
      if (wanted.length > 0) yield* this.#starts.prepare(pattern.requestId, wanted);
    }
  }

  *#recover(): Work {
    for (const subscription of this.#live.all()) {
      if (this.#host.line.isOver) yield;
      if (this.#isLagging) return;
      if (subscription.state === "lagging") subscription.recover();
    }
  }

  *#review(): Work {
    for (const subscription of [...this.#live.all(), ...this.#starts.waiting()]) {
      if (this.#host.line.isOver) yield;
      const { name, options, topic } = subscription.view;
      const terms = this.#host.principal.may("subscribe", name);
      if (terms !== undefined && isWithin(name.channel, options, terms)) continue;
      if (subscription.state === "starting") {
        this.#starts.deny(topic, this.#order);
        continue;
      }
      if (subscription.state === "ended") continue;
      this.#parts.metrics.accessEnded.inc({ reason: "topic" });
      this.#replies.takeBack(new Set([subscription.view.id]));
      this.#live.end(subscription);
      subscription.sayEnded(
        terms === undefined
          ? "you may not have this topic any more"
          : "you may not have this topic in this way any more; subscribe it again",
      );
    }
  }

  #isPermitted(name: Topic): boolean {
    return this.#host.principal.may("subscribe", name) !== undefined;
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
      if (entry.isLimited) this.#replies.limited(topic);
      (this.#patterns ??= new Patterns(this.#parts.config.subscriptionsMax)).remember(pattern);
    }
    const origin = { order, requestIndex, request, pattern };
    const all = yield* this.#starts.wantAll(entry.topics, origin);
    const [first] = all;
    if (pattern !== undefined && first?.kind === "refused" && isFull(first)) {
      // Nothing of it found room: it is the pattern that is refused, and it does not grow.
      this.#patterns?.forget(topic);
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
    this.#starts.keepPosition(topic, resume, order);
  }

  *#removeAll(message: UnsubscribeMessage, order: number): Work {
    const left = new Set<number>();
    const results: TopicResultInit[] = [];
    for (const [requestIndex, topic] of message.topics.entries()) {
      if (this.#host.line.isOver) yield;
      results.push(yield* this.#remove(topic, { requestIndex, order, left }));
    }
    if (left.size > 0) this.#replies.takeBack(left);
    this.#replies.unsubscribeResult(message.requestId, results);
  }

  /** Ends one topic, or all of a pattern; their ids are added to `left`. */
  *#remove(text: string, { requestIndex, order, left }: Removal): Work<TopicResultInit> {
    if (this.#patterns?.forget(text) === true) {
      this.#starts.giveUpPattern(text, order);
      for (const subscription of this.#live.all()) {
        if (this.#host.line.isOver) yield;
        if (subscription.pattern?.text !== text) continue;
        this.#live.end(subscription);
        left.add(subscription.view.id);
      }
      return { requestIndex, topic: text };
    }
    const topic = yield* this.#fullName(text);
    const wasStarting = this.#starts.giveUp(topic, order);
    const subscription = this.#live.get(topic);
    if (subscription === undefined) {
      if (wasStarting) return { requestIndex, topic: text };
      return refusedResult(requestIndex, text, NOT_SUBSCRIBED);
    }
    this.#live.end(subscription);
    left.add(subscription.view.id);
    return { requestIndex, topic: text, topicId: subscription.view.id };
  }

  /** The topic's own name, where the text has the venue's symbol. */
  *#fullName(text: string): Work<string> {
    if (this.#live.has(text)) return text;
    const { catalog } = this.#parts;
    const { line } = this.#host;
    const expansion = yield* expandTopic(catalog, text, { topicsMax: 1, line });
    const [name] = expansion.kind === "topics" ? expansion.topics : [];
    return name === undefined ? text : formatTopic(name);
  }

  *#endGone(): Work {
    for (const subscription of this.#live.all()) {
      if (this.#host.line.isOver) yield;
      const { venue, symbol, channel } = subscription.view.name;
      const { catalog } = this.#parts;
      if (catalog.instrument(venue, symbol) !== undefined) continue;
      if (channel === "listings" && catalog.standingOf(venue) !== "unknown") continue;
      this.#live.end(subscription);
      subscription.sayEnded("the instrument is gone");
    }
  }
}
