import { canonicalDecimal, EVENT_KINDS } from "@tickwire/proto/model";
import type { Ticker } from "#core/market-event.ts";
import type { RejectReason } from "../feed/feed-adapter.ts";

/** The numbers of a ticker, as the venue writes them. */
export type TickerTexts = {
  readonly [Field in TickerField]?: unknown;
};

type TickerField = Exclude<keyof Ticker, "kind" | "instrument" | "venueTimeUs" | "receivedTimeUs">;

const TICKER_FIELDS = EVENT_KINDS.filter(({ type }) => type === "ticker").flatMap(({ fields }) =>
  fields.map(({ name }) => name as TickerField),
);

/** Reads the numbers of a ticker into canonical decimals; absent ones stay undefined. */
export function readTickerValues(texts: TickerTexts): Pick<Ticker, TickerField> | RejectReason {
  const values: { -readonly [Field in TickerField]?: string | undefined } = {};
  for (const field of TICKER_FIELDS) {
    const text = texts[field];
    const decimal = typeof text === "string" ? canonicalDecimal(text) : undefined;
    if (decimal === undefined && text !== undefined && text !== null) return "bad-decimal";
    values[field] = decimal;
  }
  return values as Pick<Ticker, TickerField>;
}
