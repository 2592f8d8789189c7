import type { Topic, TopicPattern } from "#core/topic.ts";
import { askedPattern } from "../access/grant-pattern.ts";
import type { Principal } from "../access/principal.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { permittedAnswer, permittedNames } from "../catalog/permitted-names.ts";
import { expandTopic } from "../catalog/topic-expansion.ts";
import { explainUnknown } from "../catalog/unknown-name.ts";
import type { UnknownName } from "../catalog/unknown-name.ts";
import type { TurnLine, Work } from "../turns/turns.ts";
import { optionsRefusal } from "./subscribe-options.ts";
import { DENIED, nothingOf, rightTo } from "./topic-rights.ts";
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
      /** The client may have a part of the pattern only, which these topics are. */
      readonly isLimited: boolean;
    };

/** One entry of a subscribe request, and what it means. */
export type NamedTopics = Meaning & {
  readonly requestIndex: number;
  readonly request: TopicRequestMessage;
};

/** The nearest names are looked for this often in one request. */
const SEARCHES_PER_REQUEST_MAX = 5;
/** A name that cannot be one costs an answer and brings nothing: as much as so many topics more. */
const COST_OF_MISTAKE = 2;
/** Topics that could be served in the time of one such search. */
const TOPICS_PER_SEARCH = 20;

const ERRORS = {
  "not-ready": "TOPIC_ERROR_NOT_READY",
  "unknown-venue": "TOPIC_ERROR_UNKNOWN_VENUE",
  "unknown-symbol": "TOPIC_ERROR_UNKNOWN_SYMBOL",
  "unknown-channel": "TOPIC_ERROR_UNKNOWN_CHANNEL",
} as const satisfies Record<UnknownName["kind"], TopicRefusal["error"]>;

const NOTHING = { venue: "", symbol: "" };

const MALFORMED: TopicRefusal = {
  error: "TOPIC_ERROR_MALFORMED",
  message: "the topic is not of the form VENUE:SYMBOL/channel",
};

/** What reading a subscribe request takes. */
export type SubscribeParts = {
  readonly catalog: Catalog;
  readonly limits: { readonly subscriptionsMax: number; readonly topicsPerRequestMax: number };
  /** Whether requests may name so many more topics now. What it grants is used up. */
  readonly takeTopics: (topics: number) => boolean;
  readonly line: TurnLine;
  /** Who asks, as he is now. */
  readonly principal: () => Principal;
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
  let searchesLeft = SEARCHES_PER_REQUEST_MAX;
  for (const [requestIndex, request] of message.topics.entries()) {
    if (line.isOver) yield;
    if (requestIndex >= topicsPerRequestMax) {
      if (!takeTopics(COST_OF_MISTAKE)) return undefined;
      const text = `more than topicsPerRequestMax ${topicsPerRequestMax} topics`;
      const refusal = { error: "TOPIC_ERROR_LIMIT_EXCEEDED", message: text } as const;
      named.push({ requestIndex, request, kind: "refused", refusal });
      continue;
    }
    const right = rightTo(parts.principal(), request.topic);
    // One more than can be subscribed is enough to say that it is too many.
    const expansion = yield* expandTopic(catalog, request.topic, {
      topicsMax: subscriptionsMax + 1,
      line,
      ...(right.permits === undefined ? {} : { permits: right.permits }),
    });
    if (expansion.kind === "malformed") {
      if (!takeTopics(COST_OF_MISTAKE)) return undefined;
      named.push({ requestIndex, request, kind: "refused", refusal: MALFORMED });
      continue;
    }
    if (!takeTopics(expansion.cost)) return undefined;
    if (!right.allows(expansion.kind === "topics" ? expansion.topics : [])) {
      // Whether there is such a topic is not looked at, so that the answer does not tell.
      named.push({ requestIndex, request, kind: "refused", refusal: DENIED });
      continue;
    }
    if (expansion.kind === "nothing") {
      const refusal = right.isPart
        ? nothingOf(expansion.why)
        : refusalOf(parts, { text: request.topic, why: expansion.why }, searchesLeft);
      searchesLeft -= 1;
      named.push({ requestIndex, request, kind: "refused", refusal });
      continue;
    }
    const { topics, pattern } = expansion;
    const isLimited = right.isPart;
    named.push({ requestIndex, request, kind: "named", topics, pattern, isLimited });
  }
  return named;
}

/** The nearest names are looked for as long as that is cheap: the message is good without them. */
function refusalOf(
  parts: SubscribeParts,
  { text, why: known }: { readonly text: string; readonly why: UnknownName },
  searchesLeft: number,
): TopicRefusal {
  const isSearch = known.kind === "unknown-symbol";
  const suggests = isSearch && searchesLeft > 0 && parts.takeTopics(TOPICS_PER_SEARCH);
  const asking = { principal: parts.principal(), action: "subscribe" } as const;
  const names = permittedNames(parts.catalog, asking);
  const why = permittedAnswer(known, asking, askedPattern(text) ?? NOTHING);
  const { message, alternatives } = explainUnknown(names, why, { suggests });
  return { error: ERRORS[why.kind], message, alternatives };
}

/**
 * The topic of an entry that names one and nothing else, as most do: it needs no work that might be
 * interrupted. Undefined for any other entry.
 */
export function plainTopicOf(entry: NamedTopics): Topic | undefined {
  if (entry.kind === "refused" || entry.pattern !== undefined) return undefined;
  if (entry.topics.length !== 1 || optionsRefusal(entry.request, undefined)) return undefined;
  return entry.topics[0];
}
