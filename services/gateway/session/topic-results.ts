import { TOPIC_LENGTH_MAX } from "#core/topic.ts";
import { channelToWire } from "@tickwire/proto/codec";
import type { Instrument } from "@tickwire/proto/service";
import type { NoRoom } from "../topics/hub.ts";
import type { Attached } from "../topics/topic-subscriber.ts";
import type { TopicView } from "../topics/topic-view.ts";
import type { TopicErrorName, TopicResultInit } from "./wire-messages.ts";

/** Why the client does not get a topic. */
export type TopicRefusal = {
  readonly error: TopicErrorName;
  readonly message: string;
  /** Names that there are instead, the nearest first. */
  readonly alternatives?: readonly string[];
};

export const ALREADY_SUBSCRIBED: TopicRefusal = {
  error: "TOPIC_ERROR_ALREADY_SUBSCRIBED",
  message: "the session has this topic already",
};

export const NOT_SUBSCRIBED: TopicRefusal = {
  error: "TOPIC_ERROR_NOT_SUBSCRIBED",
  message: "the session does not have this topic",
};

const NO_ROOM: Readonly<Record<NoRoom, string>> = {
  topicsMax: "the gateway follows as many topics as topicsMax allows",
  topicsShare:
    "the gateway follows nearly as many topics as topicsMax allows, and keeps the rest for clients that have few",
  viewsMax:
    "the gateway makes as many views as viewsMax allows, and none of this topic would do; " +
    "the topic itself, all of its levels and events, is to be had",
  bus: "the gateway has no connection to its bus",
};

/** The sessions of the gateway have as many topics together as there is room for. */
export const NO_ROOM_HERE: TopicRefusal = {
  error: "TOPIC_ERROR_UNAVAILABLE",
  message: "the gateway has as many subscriptions as it has room for; use another gateway",
};

/** A topic that the gateway has no room for now. */
export function noRoom(why: NoRoom): TopicRefusal {
  return { error: "TOPIC_ERROR_UNAVAILABLE", message: NO_ROOM[why] };
}

/** A topic that the client has begun too often for the interval at which it may have it. */
export function tooSoon(waitMs: number): TopicRefusal {
  const message = `you may begin it so often at the interval that you have; try in ${waitMs} ms`;
  return { error: "TOPIC_ERROR_UNAVAILABLE", message };
}

const CONTINUITIES = {
  new: "CONTINUITY_NEW",
  resumed: "CONTINUITY_RESUMED",
  replaced: "CONTINUITY_REPLACED",
} as const;

/** What is said of a topic that the client gets, besides its start. */
type Granted = {
  readonly instrument: Instrument | undefined;
  /** Levels of a book that the client may have; 0 is no bound. */
  readonly depthMax: number;
};

/** The result of a topic that the client gets. */
export function grantedResult(
  requestIndex: number,
  view: TopicView,
  attached: Attached,
  { instrument, depthMax }: Granted,
): TopicResultInit {
  const { venue, symbol, channel } = view.name;
  return {
    requestIndex,
    topic: view.topic,
    topicId: view.id,
    venue,
    symbol,
    venueSymbol: instrument?.venueSymbol ?? "",
    channel: channelToWire(channel),
    position: attached.position,
    continuity: CONTINUITIES[attached.continuity],
    depth: view.options.depth,
    conflationIntervalMs: view.options.intervalMs,
    candleIntervalsMs: channel === "candles" ? (instrument?.candleIntervalsMs ?? []) : [],
    ended: attached.ended,
    recovered: recoveredBy(attached),
    depthMax,
  };
}

/** Sequences that a client missed and gets: those of its own epoch, and of the one after it. */
function recoveredBy({ continuity, position, batches, next }: Attached): number {
  if (continuity !== "resumed") return 0;
  const last = batches.at(-1)?.lastSequence ?? position.sequence;
  const start = next?.change.start.sequence ?? 0;
  const nextLast = next?.batches.at(-1)?.lastSequence ?? start;
  return Math.max(0, last - position.sequence) + Math.max(0, nextLast - start);
}

/** The result of a topic that is shown in another way; it may not have started yet. */
export function viewResult(
  requestIndex: number,
  view: TopicView,
  attached: Attached | undefined,
): TopicResultInit {
  return {
    requestIndex,
    topic: view.topic,
    topicId: view.id,
    depth: view.options.depth,
    conflationIntervalMs: view.options.intervalMs,
    ...(attached === undefined
      ? {}
      : { position: attached.position, continuity: CONTINUITIES[attached.continuity] }),
  };
}

/** The result of a topic that the client does not get. */
export function refusedResult(
  requestIndex: number,
  topic: string,
  refusal: TopicRefusal,
): TopicResultInit {
  const { error, message: errorMessage, alternatives = [] } = refusal;
  // What is longer is no topic, and the client knows it by its index.
  const echo = topic.slice(0, TOPIC_LENGTH_MAX);
  return { requestIndex, topic: echo, error, errorMessage, alternatives };
}
