import { Counter, Rate, Trend } from "k6/metrics";

/** What every load measures. Thresholds name these; the tag `reader` is `fast` or `slow`. */
export const figures = {
  connects: new Rate("load_connects"),
  connectMs: new Trend("load_connect_ms", true),
  /** From Subscribe to the first events. */
  firstEventsMs: new Trend("load_first_events_ms", true),
  events: new Counter("load_events"),
  batches: new Counter("load_batches"),
  frameBytes: new Counter("load_frame_bytes"),
  /** From the publisher's stamp until the batch was decoded. Both clocks have to be one. */
  delayMs: new Trend("load_delay_ms", true),
  /** Events that did not come and of which the gateway said nothing. There may be none. */
  gaps: new Counter("load_gaps"),
  /** Events that the gateway said would not come. */
  announcedGaps: new Counter("load_announced_gaps"),
  /** Frames and batches that could not be decoded. There may be none. */
  broken: new Counter("load_broken"),
  refusedTopics: new Counter("load_refused_topics"),
  /** Notices that a reader is slow, or is sent topics less often. */
  lagNotices: new Counter("load_lag_notices"),
  closedByGateway: new Counter("load_closed_by_gateway"),
  /** Topics that went on exactly where their client had left them. */
  resumed: new Rate("load_resumed"),
  calls: new Rate("load_calls"),
  callMs: new Trend("load_call_ms", true),
};
