/** Who holds a lease, and in which term. */
export type LeaseRecord = {
  /** Empty if it was given back. */
  readonly holder: string;
  /** Rises with each holder. */
  readonly token: number;
};

/** A record as it is kept. Its revision changes with each writing, and with nothing else. */
export type KeptLease = LeaseRecord & { readonly revision: number };

/**
 * Where leases are kept for all who share a bus. It knows nothing of times: whoever watches a
 * record judges by its own clock for how long nobody has written it. Both reject with BusError
 * (`lease-unavailable`) if it cannot be reached now, and then nothing is known of what was written.
 */
export type LeaseStore = {
  /** Undefined if nobody ever held it, or if the store has lost it. */
  read(key: string): Promise<KeptLease | undefined>;
  /**
   * Writes the record in the place of that of `revision`, 0 for none. Its new revision, or
   * `conflict` if another one is there.
   */
  write(
    key: string,
    record: LeaseRecord,
    options: { readonly revision: number },
  ): Promise<number | "conflict">;
};
