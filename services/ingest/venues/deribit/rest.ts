// https://docs.deribit.com/api-reference/market-data/public-get_last_trades_by_instrument
import type { JsonTape } from "#core/json-tape.ts";
import type { Instrument } from "#core/instrument.ts";
import type { FeedEndpoints, RestRequest } from "../../feed/feed-adapter.ts";
import { recordedRequestOf } from "../../reading/recorded-addresses.ts";
import { elementsOf } from "../../reading/tape-fields.ts";

/** The largest page there is. */
const TRADES_MAX = 1000;

/** What recorded addresses were asked for. */
export const deribitRecordedRequest = recordedRequestOf([
  { kind: "instruments", path: /\/public\/get_instruments$/ },
  {
    kind: "trades",
    path: /\/public\/get_last_trades_by_instrument$/,
    symbolIn: "instrument_name",
  },
]);

export function deribitTradesRequest(
  { venueSymbol }: Instrument,
  { rest }: FeedEndpoints,
): RestRequest {
  const query = `instrument_name=${encodeURIComponent(venueSymbol)}&count=${TRADES_MAX}`;
  return { url: `${rest}/public/get_last_trades_by_instrument?${query}`, weight: 1 };
}

/** The trades of an answer, oldest first: the venue lists the newest first. */
export function tradesOf(tape: JsonTape): readonly number[] | undefined {
  const list = tape.get(tape.get(0, "result"), "trades");
  if (!tape.isArray(list)) return undefined;
  const sequenceOf = (trade: number) => tape.number(tape.get(trade, "trade_seq"));
  return elementsOf(tape, list).toSorted((a, b) => sequenceOf(a) - sequenceOf(b));
}
