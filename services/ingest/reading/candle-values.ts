import type { Candle } from "#core/market-event.ts";
import type { RejectReason } from "../feed/feed-adapter.ts";
import { decimalText } from "./text-fields.ts";

/** The numbers of a candle, as the venue writes them. */
type CandleTexts = {
  readonly open: unknown;
  readonly high: unknown;
  readonly low: unknown;
  readonly close: unknown;
  readonly volume: unknown;
};

/** The numbers of a candle as canonical decimals. */
type CandleValues = Pick<Candle, "open" | "high" | "low" | "close" | "volume">;

/** Reads the numbers that every candle has; all of them must be there. */
export function readCandleValues(texts: CandleTexts): CandleValues | RejectReason {
  const open = decimalText(texts.open);
  const high = decimalText(texts.high);
  const low = decimalText(texts.low);
  const close = decimalText(texts.close);
  const volume = decimalText(texts.volume);
  if (open === undefined || high === undefined || low === undefined) return "bad-decimal";
  if (close === undefined || volume === undefined) return "bad-decimal";
  return { open, high, low, close, volume };
}
