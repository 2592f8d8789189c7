/**
 * An integer that, with a decimal scale, is an exact decimal: value = mantissa / 10^scale.
 * A `number` whenever it is a safe integer, a `bigint` (of any size) otherwise; never both for one value.
 */
export type Mantissa = number | bigint;
