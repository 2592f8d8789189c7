import type { TopicRefusal } from "../errors.ts";
import type { MarketEvent } from "./market-event.ts";

/** What every notice about a topic says. */
type TopicNotice = {
  /** `VENUE:SYMBOL/channel`. */
  readonly topic: string;
  /** Lower case, such as `binance`. */
  readonly venue: string;
  /** Tickwire's symbol, unique within the venue. */
  readonly symbol: string;
};

/**
 * How a topic goes on. `new`: a first start. `resumed`: exactly what was missed follows.
 * `replaced`: resuming was not possible, the events from here on start anew. `resyncing`: the
 * client found that something is missing and asks again. `unavailable`: the gateway cannot serve
 * the topic now, the client tries again. `ended`: the gateway ended the topic.
 */
export type ContinuityEvent = TopicNotice & {
  /** Tells notices and events apart. */
  readonly type: "continuity";
  /** What happened; see above. */
  readonly continuity: "new" | "resumed" | "replaced" | "resyncing" | "unavailable" | "ended";
  /**
   * What became of what was missed, where the client had a position before. `preserved`: nothing
   * was missed. `recovered`: all of it follows, `recoveredEvents` in number. `replaced`: it is
   * lost, as far as a `gap` says, and what follows stands for itself or replaces the state.
   */
  readonly outcome?: "preserved" | "recovered" | "replaced";
  /** With `recovered`: how many events were missed, and follow. */
  readonly recoveredEvents?: number;
  /** The position after which events follow; 0 where that is not known. */
  readonly epoch: number;
  /** The other half of the position. */
  readonly sequence: number;
  /** For people and logs, such as `subscribed` or `sequence-gap`. */
  readonly reason: string;
};

/** Events of a topic that this client did not get and will not get. */
export type GapEvent = TopicNotice & {
  /** Tells notices and events apart. */
  readonly type: "gap";
  /** The epoch of the missing sequences. */
  readonly epoch: number;
  /** First missing sequence. */
  readonly missingFirst: number;
  /**
   * Last missing sequence; undefined if the extent is unknown, as after a restart of the publisher
   * that the gateway did not follow.
   */
  readonly missingLast: number | undefined;
  /**
   * `server-dropped`: the gateway says that it has not got them, or cannot give them.
   * `sequence-gap`: this client found out itself. `not-resumable`: too much was missed.
   * `epoch-changed`: sequences started anew.
   */
  readonly reason: "server-dropped" | "not-resumable" | "sequence-gap" | "epoch-changed";
};

/** The gateway says that this client reads too slowly. If it goes on, it closes the connection. */
export type LagEvent = {
  /** Tells notices and events apart. */
  readonly type: "lag";
  /** For people and logs. */
  readonly message: string;
  /** For how long the oldest thing has been owed that this client has not got. */
  readonly lagMs: number;
  /** What waits at the gateway for this client. */
  readonly owedBytes: number;
};

/**
 * A topic is sent less often from here on than this client asked for, or as often again, because of
 * the bound of its bandwidth. Nothing is lost: states come as they are then, events come together.
 */
export type ConflationEvent = TopicNotice & {
  /** Tells notices and events apart. */
  readonly type: "conflation";
  /** At which the topic is sent from here on; 0 is with every event. */
  readonly conflationIntervalMs: number;
  /** Market data that came lately, all topics together. */
  readonly bandwidthBytesPerSecond: number;
  /** The bound: this client's, or a smaller one of the gateway's operator. */
  readonly bandwidthBytesPerSecondMax: number;
  /** For people and logs. */
  readonly message: string;
};

/** The gateway refused a topic, and the others go on. If none is left, the stream ends instead. */
export type RefusedEvent = TopicRefusal & {
  /** Tells notices and events apart. */
  readonly type: "refused";
};

/** What a stream says about itself rather than about the market. */
export type NoticeEvent = ContinuityEvent | GapEvent | LagEvent | ConflationEvent | RefusedEvent;

/** Everything that `client.subscribe` hands on. Decide by `type`. */
export type StreamEvent = MarketEvent | NoticeEvent;
