/** What an integer option may be. */
type IntegerRange = { readonly min: number; readonly max: number };

/** What a 32-bit field of the protocol holds. */
export const UINT32_MAX = 2 ** 32 - 1;
/** The longest time that a host's timer can wait. */
export const TIMER_MS_MAX = 2 ** 31 - 1;

/** Throws RangeError, naming the option and both numbers, unless absent or an integer in range. */
export function assertIntegerOption(
  name: string,
  value: number | undefined,
  { min, max }: IntegerRange,
): void {
  if (value === undefined) return;
  if (Number.isInteger(value) && value >= min && value <= max) return;
  throw new RangeError(`${name} ${String(value)} is not an integer of ${min} to ${max}`);
}

/** Throws RangeError unless absent or one of the choices. */
export function assertChoiceOption(
  name: string,
  value: string | undefined,
  choices: readonly string[],
): void {
  if (value === undefined || choices.includes(value)) return;
  throw new RangeError(`${name} ${String(value)} is none of ${choices.join(", ")}`);
}

/** Throws RangeError unless absent or a path. */
export function assertPathOption(name: string, value: string | undefined): void {
  if (value === undefined || /^\/[^?#]*[^/?#]$/.test(value)) return;
  throw new RangeError(`${name} ${value} is not a path such as /v1/ws`);
}
