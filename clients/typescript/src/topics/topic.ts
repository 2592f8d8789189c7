import type { Channel } from "@tickwire/proto/model";
import { TopicRefusedError } from "../errors.ts";

export type { Channel };

/** What the gateway says about a topic when it is subscribed. */
export type TopicInfo = {
  /** `VENUE:SYMBOL/channel`. */
  readonly topic: string;
  /** Lower case, such as `binance`. */
  readonly venue: string;
  /** Tickwire's symbol, unique within the venue. */
  readonly symbol: string;
  /** The venue's own symbol. */
  readonly venueSymbol: string;
  /** What of the instrument the topic carries. */
  readonly channel: Channel;
  /** Of candles: their lengths, rising, where the gateway says so. */
  readonly candleIntervalsMs?: readonly number[];
};

/**
 * One topic or several; each `VENUE:SYMBOL` or `VENUE:SYMBOL/channel`, each part may be `*`. The
 * symbol is Tickwire's (`BTC-USDT`) or the venue's own (`BTCUSDT`).
 */
export type Topics = string | readonly string[];

/** No part of a topic has them. */
const PART_ENDS = /[:/]/;
// A symbol of the venue's own may hold ":" and "/"; a channel is in small letters.
const TOPIC = /^([a-z0-9-]+|\*):([^\s*]*?[^\s*/:]|\*)(?:\/([a-z-]+|\*))?$/;

/**
 * Full topics without repetition. `channel` is added where a topic has none; `channels` are those
 * that the client reads. Throws TopicRefusedError if one has no valid form, names another channel,
 * or if there are none.
 */
export function fullTopics(
  topics: Topics,
  channel: Channel | undefined,
  channels: readonly Channel[],
): string[] {
  const list = Array.isArray(topics) ? (topics as readonly string[]) : [topics as string];
  const full = list.map((topic) => fullTopic(topic, channel, channels));
  if (full.length === 0) throw malformed("[]", "no topic was given");
  return [...new Set(full)];
}

/** Whether a topic stands for several. */
export function isPattern(topic: string): boolean {
  return topic.includes("*");
}

/** Whether a full pattern stands for a full topic. */
export function matchesPattern(pattern: string, topic: string): boolean {
  const parts = topic.split(PART_ENDS);
  return pattern.split(PART_ENDS).every((part, index) => part === "*" || part === parts[index]);
}

function fullTopic(
  topic: string,
  channel: Channel | undefined,
  channels: readonly Channel[],
): string {
  const match = TOPIC.exec(topic);
  if (match === null) throw malformed(topic, formProblem(topic, channel));
  const named = match[3];
  if (named === undefined) {
    if (channel === undefined) {
      throw malformed(topic, `names no channel; one of ${channels.join(", ")} goes after a slash`);
    }
    return `${topic}/${channel}`;
  }
  if (named !== "*" && !channels.some((known) => known === named)) {
    const message = `${named} is no channel; those are ${channels.join(", ")}`;
    const code = "topic-unknown-channel";
    throw new TopicRefusedError([{ topic, code, message, alternatives: channels }]);
  }
  if (channel !== undefined && named !== channel) {
    throw malformed(topic, `is not a topic of the channel ${channel}`);
  }
  return topic;
}

/** What a topic of no valid form lacks. */
function formProblem(topic: string, channel: Channel | undefined): string {
  const form = channel === undefined ? "VENUE:SYMBOL/channel" : "VENUE:SYMBOL";
  // Callers without types may give anything.
  if (typeof topic !== "string") return `is not text of the form ${form}`;
  if (!topic.includes(":")) return `names no venue; a topic has the form ${form}`;
  if (/^[^:]*[A-Z]/.test(topic)) return "venues are written in small letters";
  return `is not of the form ${form}`;
}

function malformed(topic: string, message: string): TopicRefusedError {
  return new TopicRefusedError([{ topic, code: "topic-malformed", message, alternatives: [] }]);
}
