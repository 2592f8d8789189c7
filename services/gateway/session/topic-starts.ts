import { formatTopic } from "#core/topic.ts";
import type { Topic } from "#core/topic.ts";
import type { Clock } from "#core/clock.ts";
import { quotedText } from "#core/visible-text.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { TopicPosition } from "../topics/batch-order.ts";
import type { Hub } from "../topics/hub.ts";
import type { AttachOptions, Attached } from "../topics/topic-subscriber.ts";
import type { Looks } from "../access/looks.ts";
import type { Principal } from "../access/principal.ts";
import type { Work } from "../turns/turns.ts";
import { KeptPositions } from "./kept-positions.ts";
import type { LiveTopics } from "./live-topics.ts";
import type { Pattern } from "./patterns.ts";
import type { PrincipalAccounts } from "./principal-accounts.ts";
import type { RequestQueue } from "./request-queue.ts";
import { StartingTopics } from "./starting-topics.ts";
import { HeldTopic, SubscribeAnswer } from "./subscribe-answer.ts";
import type { WantedTopic } from "./subscribe-answer.ts";
import type { SubscribeParts } from "./subscribe-requests.ts";
import {
  ALREADY_SUBSCRIBED,
  grantedResult,
  NO_ROOM_HERE,
  noRoom,
  refusedResult,
  tooSoon,
} from "./topic-results.ts";
import type { TopicRefusal } from "./topic-results.ts";
import { DENIED, holdPermitted, permittedView } from "./topic-rights.ts";
import { TopicSubscription } from "./topic-subscription.ts";
import type { SubscriptionOwner } from "./topic-subscription.ts";
import type { TopicRequestMessage, TopicResultInit } from "./wire-messages.ts";

/** What starting a topic needs of the gateway. */
export type StartParts = SubscribeParts & {
  /** Counts topics for the principal, over all of his sessions. */
  readonly account: Pick<PrincipalAccounts, "takeSubscription" | "giveSubscription">;
  readonly hub: Pick<Hub, "hold" | "noRoomFor" | "release" | "follows">;
  readonly looks: Pick<Looks, "take">;
  readonly clock: Clock;
  readonly metrics: GatewayMetrics;
};

/** How answers to subscribe requests leave. Called synchronously. */
export type StartReplies = {
  subscribeResult(requestId: number, results: readonly TopicResultInit[], isPartial: boolean): void;
  /** Where subscriptions put what the session is owed of their topics. */
  readonly lanes: SubscriptionOwner["lanes"];
};

type TopicStartsParts = StartParts & {
  readonly replies: StartReplies;
  /** Topics that have started, to which more are added. */
  readonly live: LiveTopics;
  /** The session's answers, in the order of its requests. */
  readonly queue: RequestQueue;
  /** Takes work for the session's line, as long as the session is open. */
  readonly add: (work: Work) => void;
  /** What all of them have in common. */
  readonly owner: SubscriptionOwner;
};

/** Where in a request a topic comes from. */
type Origin = {
  readonly order: number;
  readonly requestIndex: number;
  readonly request: TopicRequestMessage;
  readonly pattern: Pattern | undefined;
};

/** Requests may wait for so many times as many topics as a session may have. */
const WAITS_FACTOR = 2;

/**
 * How topics of one session start: wanted, held, ready, said and started, or refused. What holds is
 * written beside Subscriptions, whose part this is.
 */
export class TopicStarts {
  readonly #parts: TopicStartsParts;
  /** Topics that are held and have not started yet. */
  readonly #starting = new StartingTopics();
  readonly #positions: KeptPositions;
  /** Answers that may still be given; undefined while there are none. */
  #answers: Set<SubscribeAnswer> | undefined;

  constructor(parts: TopicStartsParts) {
    this.#parts = parts;
    this.#positions = new KeptPositions(parts.limits.subscriptionsMax, () =>
      parts.metrics.positionsForgotten.inc(),
    );
  }

  /** Nothing of it would be missed if it were made anew. */
  get isIdle(): boolean {
    const { size } = this.#positions;
    return this.#starting.waits === 0 && size === 0 && this.#answers === undefined;
  }

  /** Whatever brings the topic goes on from there, unless a later request gives it up. */
  keepPosition(topic: string, position: TopicPosition, order: number): void {
    if (!this.#parts.live.has(topic)) this.#positions.keep(topic, position, order);
  }

  /** Ends what requests before `order` wait for, and their positions. False if none waits. */
  giveUp(topic: string, order: number): boolean {
    this.#positions.forget(topic, order);
    return this.#starting.giveUp(topic, order);
  }

  /** Nobody may have the topic any more who waits for it. */
  deny(topic: string, order: number): void {
    this.#starting.giveUp(topic, order + 1, DENIED);
  }

  /** The same for everything that a pattern brings. Positions stay. */
  giveUpPattern(text: string, order: number): void {
    this.#starting.giveUpPattern(text, order);
  }

  /** Everything that has not started. */
  *waiting(): Iterable<TopicSubscription> {
    for (const { subscription } of this.#starting.all()) yield subscription;
  }

  /** What has not started of one topic: requests may wait for it several times. */
  waitingFor(topic: string): TopicSubscription[] {
    return [...this.#starting.of(topic)].map(({ subscription }) => subscription);
  }

  /** The work of giving back every view that waits. Nothing is answered any more. */
  close(): Work {
    this.#positions.clear();
    for (const answer of this.#answers ?? []) answer.close();
    this.#answers = undefined;
    return this.#giveBack();
  }

  /** Holds the topics, as far as there is room, and says of each what it is. */
  *wantAll(names: readonly Topic[], origin: Origin): Work<WantedTopic[]> {
    const wanted: WantedTopic[] = [];
    const options = startOptionsOf(origin.request);
    for (const name of names) {
      if (this.#parts.line.isOver) yield;
      const want = this.#want(name, origin, options);
      wanted.push(want);
      // Said once, because a pattern may match more topics than a result can name.
      if (isFull(want)) break;
    }
    return wanted;
  }

  /** The same of one topic that no pattern brings. */
  want(
    name: Topic,
    { requestIndex, request }: Pick<Origin, "requestIndex" | "request">,
    order: number,
  ): WantedTopic {
    const origin = { order, requestIndex, request, pattern: undefined };
    return this.#want(name, origin, startOptionsOf(request));
  }

  #want(name: Topic, origin: Origin, options: AttachOptions): WantedTopic {
    const topic = formatTopic(name);
    const held = this.#hold(name, topic, origin, options);
    if (held instanceof HeldTopic) return held;
    return { requestIndex: origin.requestIndex, topic, kind: "refused", refusal: held };
  }

  /** The topic with its view, or why it is not to be had. */
  #hold(
    name: Topic,
    topic: string,
    { requestIndex, request, pattern, order }: Origin,
    options: AttachOptions,
  ): HeldTopic | TopicRefusal {
    if (this.#parts.live.has(topic)) return ALREADY_SUBSCRIBED;
    if (!this.#hasRoomFor(topic)) return this.#noRoom(pattern);
    const { hub, catalog } = this.#parts;
    // Asking an ingestor that is silent would only keep others waiting who ask one that is not.
    if (catalog.lostSinceUs(name.venue, name.symbol) !== undefined && !hub.follows(name)) {
      const message = `the ingestor of ${name.venue} is silent`;
      return { error: "TOPIC_ERROR_UNAVAILABLE", message };
    }
    const terms = this.#parts.principal().may("subscribe", name);
    // His rights may have changed since the request was read.
    if (terms === undefined) return DENIED;
    const offered = permittedView(name.channel, request, terms);
    const { account, looks } = this.#parts;
    const principal = this.#parts.principal();
    const waitMs = looks.take(principal, name, terms);
    if (waitMs > 0) return tooSoon(waitMs);
    const { owner } = this.#parts;
    if (!owner.table.hasRoom) return NO_ROOM_HERE;
    if (!account.takeSubscription(principal)) return tooManyOf(principal);
    const topics = this.#parts.live.size + this.#starting.size;
    const asker = { topics };
    const view = offered && holdPermitted(hub, name, { options: offered, terms, asker });
    if (view === undefined) {
      account.giveSubscription(principal);
      return noRoom(hub.noRoomFor(name, topics));
    }
    const kept = this.#positions.get(topic);
    const subscription = new TopicSubscription(owner, { view, options, kept, pattern });
    const held = new HeldTopic({ requestIndex, topic, subscription, order });
    this.#starting.add(held);
    return held;
  }

  #hasRoomFor(topic: string): boolean {
    const { subscriptionsMax } = this.#parts.limits;
    if (this.#starting.waits >= subscriptionsMax * WAITS_FACTOR) return false;
    const isCounted = this.#starting.has(topic);
    return isCounted || this.#parts.live.size + this.#starting.size < subscriptionsMax;
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
  *prepare(requestId: number, wanted: readonly WantedTopic[]): Work {
    const { clock, line } = this.#parts;
    let unsaid = wanted.length;
    const answer: SubscribeAnswer = new SubscribeAnswer({
      clock,
      wanted,
      say: (settled) => {
        unsaid -= settled.length;
        if (unsaid === 0) this.#answered(answer);
        this.#parts.add(this.#say(requestId, settled, unsaid > 0));
      },
    });
    (this.#answers ??= new Set()).add(answer);
    yield* answer.begin(
      this.#parts.queue.addPending(() => answer.turnCame()),
      line,
    );
  }

  #answered(answer: SubscribeAnswer): void {
    this.#answers?.delete(answer);
    if (this.#answers?.size === 0) this.#answers = undefined;
  }

  *#say(requestId: number, settled: readonly WantedTopic[], isMoreToCome: boolean): Work {
    let results: TopicResultInit[] = [];
    let losses: (() => void)[] = [];
    const tell = (isPartial: boolean): void => {
      this.#parts.replies.subscribeResult(requestId, results, isPartial);
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
    const terms = this.#parts.principal().may("subscribe", view.name);
    const depthMax = view.name.channel === "book" ? (terms?.depthMax ?? 0) : 0;
    return grantedResult(want.requestIndex, view, attached, { instrument, depthMax });
  }

  #start(subscription: TopicSubscription): Attached {
    const attached = subscription.start(this.#positions.take(subscription.view.topic));
    this.#parts.live.add(subscription);
    return attached;
  }

  /** Why the topic is not to be had after all; undefined if it is. */
  #refusalOf(want: WantedTopic): TopicRefusal | undefined {
    if (want.refusal !== undefined) return want.refusal;
    // Another request may have got it meanwhile.
    return this.#parts.live.has(want.topic) ? ALREADY_SUBSCRIBED : undefined;
  }

  *#giveBack(): Work {
    for (const want of this.#starting.all()) {
      if (this.#parts.line.isOver) yield;
      want.subscription.end();
      this.#starting.remove(want);
    }
  }
}

/** The same for all topics of a request. */
function startOptionsOf({ snapshot, resume, checksum }: TopicRequestMessage): AttachOptions {
  return {
    snapshot: snapshot !== "SNAPSHOT_MODE_NONE",
    resume,
    whole: snapshot === "SNAPSHOT_MODE_WHOLE",
    checksum,
  };
}

function tooManyOf({ id, limits }: Principal): TopicRefusal {
  const message = `${id} has ${limits.subscriptionsMax} topics in all of its sessions, and may not have more`;
  return { error: "TOPIC_ERROR_LIMIT_EXCEEDED", message };
}

/** Whether there was no room for the topic. */
export function isFull(want: WantedTopic): boolean {
  return want.refusal?.error === "TOPIC_ERROR_LIMIT_EXCEEDED";
}
