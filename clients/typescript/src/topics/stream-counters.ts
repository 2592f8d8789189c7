/** Counts over the life of a client. */
export type ClientCounters = {
  /** Market events received, each once, whatever the number of consumers. */
  readonly events: number;
  /** Events that did not come because later ones stand for them: the topic is conflated. */
  readonly conflatedEvents: number;
  /** Events that came again after a resume and were left out. */
  readonly duplicateEvents: number;
  /** Books whose levels did not come to what the gateway said of them. */
  readonly checksumMismatches: number;
  /** Batches whose place in their topic could not be proven. */
  readonly gaps: number;
  /** Batches with a topic id that this client never had. */
  readonly unknownTopicBatches: number;
  /** Topics that went on after a reconnect, and had missed nothing; each time counts. */
  readonly preserved: number;
  /** Topics that got all that they had missed. */
  readonly recovered: number;
  /** Topics that started anew, because what they had missed was not to be had. */
  readonly replaced: number;
  /** Events that were missed, and came. */
  readonly recoveredEvents: number;
};

/** The same for those who count. */
export type StreamCounters = { -readonly [Name in keyof ClientCounters]: ClientCounters[Name] };

/** All zero. */
export function createStreamCounters(): StreamCounters {
  return {
    events: 0,
    conflatedEvents: 0,
    duplicateEvents: 0,
    checksumMismatches: 0,
    gaps: 0,
    unknownTopicBatches: 0,
    preserved: 0,
    recovered: 0,
    replaced: 0,
    recoveredEvents: 0,
  };
}
