/** One batch as it goes to clients: made once, shared by every session, never changed. */
export type SharedBatch = {
  /** An element of ServerFrame.batches with tag and length. */
  readonly bytes: Uint8Array;
  /** 0 for a control message that has to keep its place among the batches. */
  readonly topicId: number;
  readonly events: number;
  readonly firstSequence: number;
  readonly lastSequence: number;
  /** Labels of the topic, for counting what was not delivered. */
  readonly labels: { readonly venue: string; readonly channel: string };
};
