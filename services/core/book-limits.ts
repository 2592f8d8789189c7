/**
 * So many contained deltas in a row behind a snapshot mean that the venue started its numbers anew.
 * Without this limit such a book would stand still for ever and look alive.
 */
export const DUPLICATES_IN_ROW_MAX = 1_000;

/**
 * So many snapshots in a row that end before what was applied already mean that the venue numbers
 * anew, not that its REST side lags. The next is then taken.
 */
export const SNAPSHOTS_BEHIND_MAX = 3;
