import { canonicalDecimal } from "@tickwire/proto/model";

/**
 * The fields of all payloads; what one means depends on `e`. Nothing is used before it was checked.
 */
export type Payload = { readonly [field in PayloadField]?: unknown };
type PayloadField =
  | ("e" | "E" | "s" | "t" | "p" | "q" | "T" | "m" | "X" | "U" | "u" | "pu" | "b" | "B" | "a" | "A")
  | ("k" | "o" | "c" | "h" | "l" | "v" | "Q" | "i" | "r" | "S" | "z" | "ap" | "n" | "x")
  | (
      | "id"
      | "result"
      | "error"
      | "code"
      | "msg"
      | "data"
      | "stream"
      | "lastUpdateId"
      | "bids"
      | "asks"
    );

/**
 * Between 1973 and 5138 for either unit: below it a time is in milliseconds, from it in
 * microseconds.
 */
const MICROSECONDS_MIN = 100_000_000_000_000;
const MICROSECONDS_MAX = 100_000_000_000_000_000;

/** Candle intervals of fixed length, by the name that the venue gives them. */
export const INTERVALS_MS: Readonly<Record<string, number>> = {
  "1s": 1000,
  "1m": 60_000,
  "3m": 180_000,
  "5m": 300_000,
  "15m": 900_000,
  "30m": 1_800_000,
  "1h": 3_600_000,
  "2h": 7_200_000,
  "4h": 14_400_000,
  "6h": 21_600_000,
  "8h": 28_800_000,
  "12h": 43_200_000,
  "1d": 86_400_000,
  "3d": 259_200_000,
  "1w": 604_800_000,
};

/** Public messages that say nothing of ours, or say in another way what is published already. */
export const NOT_PUBLISHED: ReadonlySet<unknown> = new Set([
  ..."24hrMiniTicker 1hTicker 4hTicker 1dTicker avgPrice contractInfo".split(" "),
  ..."indexPriceUpdate compositeIndex assetIndexUpdate".split(" "),
  ..."continuous_kline indexPrice_kline markPrice_kline".split(" "),
]);

/** The venue symbol in `btcusdt@trade`. */
export function venueSymbolOfStream(stream: string): string {
  return stream.slice(0, Math.max(0, stream.indexOf("@"))).toUpperCase();
}

/** Undefined if the text is not JSON; JSON itself never is. */
export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}

/** True for a JSON object, of which nothing else is known yet. */
export function isObject(value: unknown): value is Payload {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

/** Binance numbers updates by integers far below 2^53. */
export function isUpdateId(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

/** Where the id of a trade stands in a frame, by the name of its field. */
const TRADE_ID = { t: /"t":\s*(\d+)/g, a: /"a":\s*(\d+)/g } as const;

/**
 * The digits of a trade's id; undefined if it is none. From 2^53 on JSON.parse has rounded it: then
 * they come out of the frame's own text.
 */
export function tradeIdText(
  id: unknown,
  { field, frame }: { readonly field: "t" | "a"; readonly frame: string },
): string | undefined {
  if (isUpdateId(id)) return String(id);
  if (typeof id !== "number" || !(id > Number.MAX_SAFE_INTEGER)) return undefined;
  for (const [, digits] of frame.matchAll(TRADE_ID[field])) {
    if (Number(digits) === id) return digits;
  }
  return undefined;
}

/** Microseconds from a time in milliseconds or microseconds; NaN if it is neither. */
export function timeUs(value: unknown): number {
  if (!Number.isSafeInteger(value)) return Number.NaN;
  const time = value as number;
  if (time <= 0 || time >= MICROSECONDS_MAX) return Number.NaN;
  return time < MICROSECONDS_MIN ? time * 1000 : time;
}

/** The same for a field that may be absent. */
export function optionalTimeUs(value: unknown): number | undefined {
  return value === undefined ? undefined : timeUs(value);
}

/** Canonical plain text; undefined if it is not the text of a decimal. */
export function decimal(text: unknown): string | undefined {
  return typeof text === "string" ? canonicalDecimal(text) : undefined;
}

/** The decimal if it is above zero. */
export function positive(text: string | undefined): string | undefined {
  return text === undefined || text === "0" || text.startsWith("-") ? undefined : text;
}
