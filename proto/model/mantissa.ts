/**
 * An integer that, with a decimal scale, is an exact decimal: value = mantissa / 10^scale. A
 * `number` whenever it is a safe integer, a `bigint` (of any size) otherwise; never both for one
 * value.
 */
export type Mantissa = number | bigint;

const SAFE_MAX = Number.MAX_SAFE_INTEGER;

/** A mantissa from any whole bigint: a number where that is exact. */
export function fromBigInt(value: bigint): Mantissa {
  return value <= SAFE_MAX && value >= -SAFE_MAX ? Number(value) : value;
}
