import type { Topic, TopicPattern } from "#core/topic.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { expandTopic } from "../catalog/topic-expansion.ts";
import type { Expansion } from "../catalog/topic-expansion.ts";
import type { TopicRefusal } from "./topic-results.ts";
import type { SubscribeMessage, TopicRequestMessage } from "./wire-messages.ts";

/** What the text of a topic stands for in the catalog, or why for nothing. */
type Meaning =
  | { readonly kind: "refused"; readonly refusal: TopicRefusal }
  | {
      readonly kind: "named";
      readonly topics: readonly Topic[];
      /** Set if the text has a "*", so that it may grow. */
      readonly pattern: TopicPattern | undefined;
    };

/** One entry of a subscribe request, and what it means. */
export type NamedTopics = Meaning & {
  readonly requestIndex: number;
  readonly request: TopicRequestMessage;
};

/** What reading a subscribe request takes. */
export type SubscribeParts = {
  readonly catalog: Catalog;
  readonly limits: { readonly subscriptionsMax: number; readonly topicsPerRequestMax: number };
  /** Whether requests may name so many more topics now. What it grants is used up. */
  readonly takeTopics: (topics: number) => boolean;
  readonly line: TurnLine;
};

/**
 * What each entry of the request stands for; undefined if that is more than `takeTopics` grants.
 * The entries themselves are paid for. Nothing is held yet: a request pays for what it names before
 * it costs more.
 */
export function* namedTopics(
  parts: SubscribeParts,
  message: SubscribeMessage,
): Work<readonly NamedTopics[] | undefined> {
  const { catalog, limits, takeTopics, line } = parts;
  const { topicsPerRequestMax, subscriptionsMax } = limits;
  const named: NamedTopics[] = [];
  for (const [requestIndex, request] of message.topics.entries()) {
    if (line.isOver) yield;
    if (requestIndex >= topicsPerRequestMax) {
      const text = `more than topicsPerRequestMax ${topicsPerRequestMax} topics`;
      const refusal = { error: "TOPIC_ERROR_LIMIT_EXCEEDED", message: text } as const;
      named.push({ requestIndex, request, kind: "refused", refusal });
      continue;
    }
    // One more than can be subscribed is enough to say that it is too many.
    const expansion = yield* expandTopic(catalog, request.topic, {
      topicsMax: subscriptionsMax + 1,
      line,
    });
    if (expansion.kind !== "malformed" && !takeTopics(expansion.cost)) return undefined;
    named.push({ requestIndex, request, ...meaningOf(expansion) });
  }
  return named;
}

function meaningOf(expansion: Expansion): Meaning {
  switch (expansion.kind) {
    case "malformed": {
      const message = "the topic is not of the form VENUE:SYMBOL/channel";
      return { kind: "refused", refusal: { error: "TOPIC_ERROR_MALFORMED", message } };
    }
    case "unknown": {
      const message = "there is no such venue, instrument or channel";
      return { kind: "refused", refusal: { error: "TOPIC_ERROR_UNKNOWN", message } };
    }
    case "topics":
      return { kind: "named", topics: expansion.topics, pattern: expansion.pattern };
  }
}
