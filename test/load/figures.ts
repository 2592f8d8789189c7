import { Counter, Rate, Trend } from "k6/metrics";

/** What every load measures. Thresholds name these; the tag `reader` is `fast` or `slow`. */
export const figures = {
  connects: new Rate("tickwire_connects"),
  connectMs: new Trend("tickwire_connect_ms", true),
  /** From Subscribe to the first events. */
  firstEventsMs: new Trend("tickwire_first_events_ms", true),
  events: new Counter("tickwire_events"),
  batches: new Counter("tickwire_batches"),
  frameBytes: new Counter("tickwire_frame_bytes"),
  /** From the publisher's stamp until the batch was decoded. Both clocks have to be one. */
  delayMs: new Trend("tickwire_delay_ms", true),
  /** Events that did not come and of which the gateway said nothing. There may be none. */
  gaps: new Counter("tickwire_gaps"),
  /** Events that the gateway said would not come. */
  announcedGaps: new Counter("tickwire_announced_gaps"),
  /** Frames and batches that could not be decoded. There may be none. */
  broken: new Counter("tickwire_broken"),
  refusedTopics: new Counter("tickwire_refused_topics"),
  /** Notices that a reader is slow, or is sent topics less often. */
  lagNotices: new Counter("tickwire_lag_notices"),
  closedByGateway: new Counter("tickwire_closed_by_gateway"),
  /** Topics that went on exactly where their client had left them. */
  resumed: new Rate("tickwire_resumed"),
  calls: new Rate("tickwire_calls"),
  callMs: new Trend("tickwire_call_ms", true),
};
