// What the entries with streams export beside their connect() and their client.
export * from "./every-client.ts";
export { BufferOverflowError, TopicRefusedError } from "../errors.ts";
export type { TopicErrorCode, TopicRefusal } from "../errors.ts";
export type { Quote, Trade } from "../events/market-event.ts";
export type {
  ContinuityEvent,
  GapEvent,
  ConflationEvent,
  LagEvent,
  NoticeEvent,
  RefusedEvent,
} from "../events/stream-events.ts";
export type { OverflowPolicy } from "../streams/event-buffer.ts";
export type { EventStream, FrameUpdate } from "../streams/event-stream.ts";
export type {
  CallbackOptions,
  StreamOptions,
  SubscribeOptions,
  Subscription,
  ViewOptions,
} from "../streams/stream-options.ts";
export type { LagPercentiles } from "../stats/lag-histogram.ts";
export type { ClientStats, Rate, TopicStats } from "../stats/stream-stats.ts";
export type { ClientCounters } from "../topics/stream-counters.ts";
export type { Topics } from "../topics/topic.ts";
