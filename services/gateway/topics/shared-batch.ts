/** One batch as it goes to clients: made once, shared by every session, never changed. */
export type SharedBatch = {
  /** An element of ServerFrame.batches with tag and length. */
  readonly bytes: Uint8Array;
  /** As in `bytes`; never 0. */
  readonly topicId: number;
  /** Events in the batch, at least 1. */
  readonly events: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Labels of the topic, for counting what was not delivered. */
  readonly labels: { readonly venue: string; readonly channel: string };
};
