import { DECIMAL_DIGITS_MAX } from "../model/decimal.ts";

/** Most events in a batch. A batch that claims more is malformed. */
export const BATCH_EVENTS_MAX = 65_536;

/** Longest DecimalText: a sign, a point and all the digits that a decimal may have. */
export const DECIMAL_TEXT_LENGTH_MAX = DECIMAL_DIGITS_MAX + 2;

/** Largest scale of a column. */
export const SCALE_MAX = DECIMAL_DIGITS_MAX;
