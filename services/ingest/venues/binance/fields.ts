/** Candle intervals of fixed length, by the name that the venue gives them. */
export const INTERVALS_MS: ReadonlyMap<unknown, number> = new Map([
  ["1s", 1000],
  ["1m", 60_000],
  ["3m", 180_000],
  ["5m", 300_000],
  ["15m", 900_000],
  ["30m", 1_800_000],
  ["1h", 3_600_000],
  ["2h", 7_200_000],
  ["4h", 14_400_000],
  ["6h", 21_600_000],
  ["8h", 28_800_000],
  ["12h", 43_200_000],
  ["1d", 86_400_000],
  ["3d", 259_200_000],
  ["1w", 604_800_000],
]);

/** The venue symbol in `btcusdt@trade`. */
export function venueSymbolOfStream(stream: string): string {
  return stream.slice(0, Math.max(0, stream.indexOf("@"))).toUpperCase();
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
export function tradeIdText(id: unknown, field: "t" | "a", frame: string): string | undefined {
  if (isUpdateId(id)) return String(id);
  if (typeof id !== "number" || !(id > Number.MAX_SAFE_INTEGER)) return undefined;
  for (const [, digits] of frame.matchAll(TRADE_ID[field])) {
    if (Number(digits) === id) return digits;
  }
  return undefined;
}

/** The decimal if it is above zero. */
export function positive(text: string | undefined): string | undefined {
  return text === undefined || text === "0" || text.startsWith("-") ? undefined : text;
}
