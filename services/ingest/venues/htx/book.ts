// https://www.htx.com/en-us/opend/newApiPages/?id=7ec4d0b5-7773-11ed-9966-0242ac110003
// https://www.htx.com/en-us/opend/newApiPages/?id=8cb7d626-77b5-11ed-9966-0242ac110003
import type { BookSequencing, BookSync } from "../../feed/feed-adapter.ts";
import { LINKED_CHANGES } from "../../reading/book-sequencings.ts";

/** Each change names the number of the one before it. */
const SEQUENCING: BookSequencing = {
  ...LINKED_CHANGES,
  bridges: (delta, snapshotUpdateId) => {
    const { previousUpdateId = Infinity, lastUpdateId = 0 } = delta;
    return previousUpdateId <= snapshotUpdateId && snapshotUpdateId < lastUpdateId;
  },
};

/** The whole book of a pair is asked for on the connection. */
export const HTX_SPOT_SYNC: BookSync = { snapshot: "request", sequencing: SEQUENCING };

/** That of a contract begins in the stream, and each change has the next number. */
export const HTX_CONTRACT_SYNC: BookSync = { snapshot: "in-band", sequencing: SEQUENCING };
