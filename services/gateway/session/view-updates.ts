import { formatTopic } from "#core/topic.ts";
import { encodeServerMessages } from "#wire/frame-codec.ts";
import type { Looks } from "../access/looks.ts";
import type { Principal } from "../access/principal.ts";
import type { ViewOptions } from "../topics/view-options.ts";
import type { Hub } from "../topics/hub.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import type { LiveTopics } from "./live-topics.ts";
import type { Patterns } from "./patterns.ts";
import { intervalRefusal } from "./subscribe-options.ts";
import { noRoom, NOT_SUBSCRIBED, refusedResult, tooSoon, viewResult } from "./topic-results.ts";
import { DENIED, holdPermitted, permittedView } from "./topic-rights.ts";
import type { TopicStarts } from "./topic-starts.ts";
import type { TopicSubscription } from "./topic-subscription.ts";
import type { TopicResultInit, TopicUpdateMessage, UpdateMessage } from "./wire-messages.ts";

type ViewUpdatesParts = {
  readonly hub: Pick<Hub, "hold" | "noRoomFor" | "release">;
  readonly looks: Pick<Looks, "take">;
  readonly principal: () => Principal;
  /** Whether requests may name so many more topics now. What it grants is used up. */
  readonly takeTopics: (topics: number) => boolean;
  /** The request has no other answer; what was done of it may be done again. */
  readonly onTooManyTopics: (kind: "update", requestId: number) => void;
  readonly line: Pick<TurnLine, "isOver">;
  readonly live: LiveTopics;
  readonly starts: TopicStarts;
  readonly patterns: Patterns;
  readonly replies: {
    subscribeResult(
      requestId: number,
      results: readonly TopicResultInit[],
      isPartial: boolean,
    ): void;
  };
  /** The topic's own name, where the text has the venue's symbol. */
  readonly fullName: (text: string) => Work<string>;
};

/**
 * Gives topics that are subscribed other views. What a topic is told about it keeps its place among
 * the batches of the topic, so that a client knows from which batch on the new view applies.
 */
export class ViewUpdates {
  readonly #parts: ViewUpdatesParts;

  constructor(parts: ViewUpdatesParts) {
    this.#parts = parts;
  }

  /** The work of one request. What is refused, and what has not started, is said at its end. */
  *update({ requestId, topics }: UpdateMessage): Work {
    const results: TopicResultInit[] = [];
    for (const [requestIndex, update] of topics.entries()) {
      if (this.#parts.line.isOver) yield;
      const refused = intervalRefusal(update.conflationIntervalMs);
      if (refused !== undefined) {
        results.push(refusedResult(requestIndex, update.topic, refused));
        continue;
      }
      const updated = yield* this.#updateOne(update, { requestId, requestIndex });
      if (updated === undefined) {
        this.#parts.onTooManyTopics("update", requestId);
        return;
      }
      results.push(...updated);
    }
    this.#parts.replies.subscribeResult(requestId, results, false);
  }

  /** Undefined if it stands for more topics than may be named now. */
  *#updateOne(
    update: TopicUpdateMessage,
    origin: { readonly requestId: number; readonly requestIndex: number },
  ): Work<TopicResultInit[] | undefined> {
    const { live, starts, patterns, line } = this.#parts;
    const { requestIndex } = origin;
    const results: TopicResultInit[] = [];
    if (patterns.change(update.topic, update)) {
      const ofPattern = (each: TopicSubscription): boolean => each.pattern?.text === update.topic;
      const all = [...live.all(), ...starts.waiting()].filter(ofPattern);
      if (!this.#parts.takeTopics(all.length)) return undefined;
      for (const subscription of all) {
        if (line.isOver) yield;
        results.push(...this.#change(subscription, update, origin));
      }
      return results;
    }
    const topic = yield* this.#parts.fullName(update.topic);
    const one = live.get(topic);
    const all = one === undefined ? starts.waitingFor(topic) : [one];
    if (all.length === 0) return [refusedResult(requestIndex, update.topic, NOT_SUBSCRIBED)];
    for (const each of all) results.push(...this.#change(each, update, origin));
    return results;
  }

  /** What is to be said of it at the end of the request. */
  #change(
    subscription: TopicSubscription,
    update: TopicUpdateMessage,
    { requestId, requestIndex }: { readonly requestId: number; readonly requestIndex: number },
  ): TopicResultInit[] {
    // It may have ended since the request began.
    if (subscription.state === "ended") return [];
    const { name } = subscription.view;
    const terms = this.#parts.principal().may("subscribe", name);
    if (terms === undefined) return [refusedResult(requestIndex, formatTopic(name), DENIED)];
    const offered = permittedView(name.channel, update, terms);
    // Nobody goes back in time: what is to come later from now on is subscribed anew.
    if ((subscription.view.options.delayMs ?? 0) < terms.delayMs) {
      return [refusedResult(requestIndex, formatTopic(name), DENIED)];
    }
    const waitMs = this.#parts.looks.take(this.#parts.principal(), name, terms);
    if (waitMs > 0) return [refusedResult(requestIndex, formatTopic(name), tooSoon(waitMs))];
    const isSlowed = subscription.view.options.intervalMs > subscription.askedIntervalMs;
    const options = offered && isSlowed ? withinBandwidth(subscription, offered) : offered;
    const { hub, live } = this.#parts;
    const asker = { topics: live.size, leaving: subscription.view };
    const view = options && holdPermitted(hub, name, { options, terms, asker });
    if (offered === undefined || view === undefined) {
      const refusal = noRoom(hub.noRoomFor(name, live.size));
      return [refusedResult(requestIndex, formatTopic(name), refusal)];
    }
    const isLive = subscription.state === "live";
    const askedIntervalMs = isSlowed ? offered.intervalMs : view.options.intervalMs;
    subscription.changeView(view, askedIntervalMs, (attached) => {
      const topics = [viewResult(requestIndex, view, attached)];
      const value = { requestId, topics, isPartial: true };
      return encodeServerMessages([{ kind: "subscribeResult", value }]);
    });
    return isLive ? [] : [viewResult(requestIndex, view, undefined)];
  }
}

/** What is sent less often than the client asked for stays so, until there is room again. */
function withinBandwidth(subscription: TopicSubscription, offered: ViewOptions): ViewOptions {
  const { intervalMs } = subscription.view.options;
  return { ...offered, intervalMs: Math.max(offered.intervalMs, intervalMs) };
}
