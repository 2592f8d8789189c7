/** Digits after the point of an increment, three of `0.010`; undefined if it is not known. */
export function decimalsOf(incrementText: string | undefined): number | undefined {
  if (incrementText === undefined) return undefined;
  const point = incrementText.indexOf(".");
  return point < 0 ? 0 : incrementText.length - point - 1;
}

/** At least so many digits are not padded to: no market has them, and no column is as wide. */
const SEEN_DECIMALS_MAX = 12;

/** Digits of a price that are shown where its venue does not say how many it has. */
const PRICE_DIGITS = 5;
const SCALE_DECIMALS_MIN = 2;

/**
 * Digits after the point of prices on a scale: those of the increment, and where a venue does not
 * say it as many as show five digits of a price like this one, at least two.
 */
export function scaleDecimals(
  incrementText: string | undefined,
  price: number | undefined,
): number {
  const known = decimalsOf(incrementText);
  if (known !== undefined) return known;
  if (price === undefined || price === 0) return SCALE_DECIMALS_MIN;
  const magnitude = Math.floor(Math.log10(Math.abs(price)));
  const wanted = Math.max(SCALE_DECIMALS_MIN, PRICE_DIGITS - 1 - magnitude);
  return Math.min(SEEN_DECIMALS_MAX, wanted);
}

/**
 * Digits after the point of numbers that stand below each other: those of the increment, and where
 * a venue does not say it as many as the longest number had that was shown.
 */
export class ShownDecimals {
  #seen = 0;

  /** Looks at numbers that are about to be shown. */
  see(text: string): void {
    this.#seen = Math.max(this.#seen, Math.min(SEEN_DECIMALS_MAX, decimalsOf(text) ?? 0));
  }

  of(incrementText: string | undefined): number {
    return decimalsOf(incrementText) ?? this.#seen;
  }

  /** The increment, or the smallest one that what was shown can have. */
  incrementText(known: string | undefined): string {
    return known ?? (1 / 10 ** this.#seen).toFixed(this.#seen);
  }
}

/** An exact decimal with at least so many digits after its point, none taken away: `97.70`. */
export function padDecimal(text: string, decimals: number | undefined): string {
  if (decimals === undefined || decimals === 0) return text;
  const point = text.indexOf(".");
  const have = point < 0 ? 0 : text.length - point - 1;
  if (have >= decimals) return text;
  return `${text}${point < 0 ? "." : ""}${"0".repeat(decimals - have)}`;
}

/** So many zeros after the point, and more, are counted in place of being written. */
const SMALL_NUMBER = /^(-?)0\.(0{6,})([1-9]\d*)$/;
const SMALL_DIGITS = "₀₁₂₃₄₅₆₇₈₉";

/**
 * An exact decimal as it is read: commas between thousands, and of a very small one the zeros
 * counted, so that what follows them has room: `0.0₈95` is 0.0000000095.
 */
export function groupDigits(text: string): string {
  const [, sign = "", zeros, digits = ""] = SMALL_NUMBER.exec(text) ?? [];
  if (zeros !== undefined) {
    const count = String(zeros.length).replaceAll(/\d/g, (digit) => SMALL_DIGITS[Number(digit)]!);
    return `${sign}0.0${count}${digits}`;
  }
  const [whole = "", fraction] = text.split(".");
  const grouped = whole.replace(/\B(?=(\d{3})+(?!\d))/g, ",");
  return fraction === undefined ? grouped : `${grouped}.${fraction}`;
}

const COMPACT: readonly (readonly [number, string])[] = [
  [1e12, "T"],
  [1e9, "B"],
  [1e6, "M"],
  [1e3, "K"],
];

/** A rough size for the eye, such as `12.4M`. */
export function compactText(value: number): string {
  const magnitude = Math.abs(value);
  for (const [unit, letter] of COMPACT) {
    if (magnitude >= unit) return `${(value / unit).toFixed(2)}${letter}`;
  }
  return magnitude >= 1 || magnitude === 0 ? value.toFixed(2) : value.toPrecision(3);
}

/** A share with its sign, such as `+1.20%`. */
export function percentText(share: number, decimals = 2): string {
  const text = (share * 100).toFixed(decimals);
  const isZero = Number(text) === 0;
  if (isZero) return `${(0).toFixed(decimals)}%`;
  return `${share > 0 ? "+" : "−"}${text.replace("-", "")}%`;
}

/** How long, for a person: `4 s`, `3 min`, `2 h`, `5 d`. */
export function durationText(durationMs: number): string {
  const seconds = Math.max(0, Math.floor(durationMs / 1_000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3_600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3_600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A length of candles: `1s`, `5m`, `4h`, `1d`. */
export function intervalText(intervalMs: number): string {
  if (intervalMs % 86_400_000 === 0) return `${intervalMs / 86_400_000}d`;
  if (intervalMs % 3_600_000 === 0) return `${intervalMs / 3_600_000}h`;
  if (intervalMs % 60_000 === 0) return `${intervalMs / 60_000}m`;
  return `${intervalMs / 1_000}s`;
}
