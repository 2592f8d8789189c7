import type { Consumer } from "./consumer.ts";
import type { ServerMessage } from "../session/frame.ts";
import { isPattern, type Channel, type TopicInfo } from "./topic.ts";
import type { TopicStream } from "./topic-stream.ts";

/** What is asked of the gateway for a topic; the same for all consumers of it. */
export type WireOptions = {
  /** Levels per side, books only; 0 means all. */
  readonly depth: number;
  /** 0 means every event. */
  readonly conflationIntervalMs: number;
  /** Whether the state at the start is wanted. */
  readonly snapshot: boolean;
  /** Of books: whether the gateway says now and then what the levels come to. */
  readonly checksum: boolean;
};

/** What the gateway answers for one topic. */
export type TopicResult = Extract<
  ServerMessage,
  { kind: "subscribeResult" }
>["value"]["topics"][number];

/** One topic or pattern as it was asked for, with everyone who wants it. */
export type Entry = {
  readonly topic: string;
  /** Of them, the view may change. */
  options: WireOptions;
  readonly consumers: Set<Consumer>;
  readonly streams: Set<TopicStream>;
  /** The full topic, once the gateway has said it, of an entry with a venue's own symbol. */
  alias: string | undefined;
  /** The gateway accepted it at least once, on any connection. */
  accepted: boolean;
  /** The request that changed its view last; 0 while that is to be sent. */
  updateId: number;
  /** Topics asked for on this connection on its behalf, besides itself. */
  readonly explicit: Set<string>;
};

/** An entry that nobody asks for yet. */
export function createEntry(topic: string, options: WireOptions): Entry {
  return {
    topic,
    options,
    consumers: new Set(),
    streams: new Set(),
    alias: undefined,
    accepted: false,
    updateId: 0,
    explicit: new Set(),
  };
}

/** Whether the topics of the entry have other names than the entry. */
export function isWide(entry: Entry): boolean {
  return entry.alias !== undefined || isPattern(entry.topic);
}

/** Whether one subscription on the gateway serves both. */
export function sameOptions(a: WireOptions, b: WireOptions): boolean {
  return (
    a.depth === b.depth &&
    a.conflationIntervalMs === b.conflationIntervalMs &&
    a.snapshot === b.snapshot &&
    a.checksum === b.checksum
  );
}

/** What the gateway says about a topic. */
export function infoOf(result: TopicResult): TopicInfo {
  const { topic, venue, symbol, venueSymbol, candleIntervalsMs } = result;
  const channel = topic.slice(topic.lastIndexOf("/") + 1) as Channel;
  return { topic, venue, symbol, venueSymbol, channel, candleIntervalsMs };
}

/** How the gateway says that the topic goes on. */
export function continuityOf(result: TopicResult): "new" | "resumed" | "replaced" {
  switch (result.continuity) {
    case "CONTINUITY_RESUMED":
      return "resumed";
    case "CONTINUITY_REPLACED":
      return "replaced";
    case "CONTINUITY_NEW":
    case "CONTINUITY_UNSPECIFIED":
      return "new";
  }
}
