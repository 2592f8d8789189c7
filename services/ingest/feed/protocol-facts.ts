/** What proves a venue's book, for the capability table and the tests that damage recordings. */
export type BookProof = {
  /**
   * What shows that a message was lost, repeated or swapped. `connection-sequence`: numbers over
   * everything on a connection. `snapshots`: every message is the whole book, so the next repairs.
   */
  readonly order: "sequence" | "connection-sequence" | "checksum" | "snapshots" | "none";
  /** What shows that a number inside a message is wrong. */
  readonly content: "checksum" | "none";
  /** Levels per side that the checksum covers; what lies deeper is not proven. */
  readonly checksumLevels?: number;
  /** For people: what is noticed, and what cannot be. */
  readonly note: string;
};

/** Dates as far as the venue names them, such as `2021-04` or `2025-11-28`. */
export type ProtocolDates = {
  readonly from?: string;
  readonly until?: string;
  /** For people: what the venue says of its end, and what recordings show. */
  readonly note: string;
};
