import type { MarketEvent } from "../events/market-event.ts";
import type { ContinuityEvent, GapEvent } from "../events/stream-events.ts";
import type { CallOptions } from "../rpc/call-options.ts";
import type { RpcMessages } from "../rpc/market-data.ts";
import type { Topics } from "../topics/topic.ts";

/** Which past events are wanted, and how fast. Times are microseconds since 1970. */
export type ReplayOptions = CallOptions & {
  /**
   * From the first that was published at this time or after it; the oldest that is kept if left
   * out. A book begins with the last whole book before it, where that is kept.
   */
  readonly fromTimeUs?: number | undefined;
  /** Up to the last that was published before this time; the newest there is if left out. */
  readonly toTimeUs?: number | undefined;
  /** Of one topic: from what follows this position, in place of `fromTimeUs`. */
  readonly after?: { readonly epoch: number; readonly sequence: number } | undefined;
  /** 1 keeps the pauses of then, 10 makes them a tenth. As fast as it is read if left out. */
  readonly speed?: number | undefined;
};

/**
 * What a replay yields: events as a subscription gives them, and between them what is missing
 * (`gap`) and where a topic goes on in another epoch (`continuity`). Decide by `type`.
 */
export type ReplayEvent = MarketEvent | GapEvent | ContinuityEvent;

/** Past events of topics, in the order in which they were published. */
export type Replay = (
  messages: RpcMessages,
  topics: Topics,
  options: ReplayOptions,
) => AsyncGenerator<ReplayEvent, void, undefined>;
