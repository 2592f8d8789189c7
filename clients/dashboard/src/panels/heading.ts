import type { InstrumentState, Trade } from "@tickwire/client";
import { changeOf, turnoverOf, type Market } from "../market/market-rows.ts";
import {
  compactText,
  decimalsOf,
  groupDigits,
  padDecimal,
  percentText,
} from "../market/number-text.ts";

/**
 * What the head of the page, and its title, say of a market. Tickers come at an interval of their
 * own, so that a trade after the last one is what was paid last.
 */
export function headingOf(
  { instrument, ticker, topic }: Market,
  trade: Trade | undefined,
  state: InstrumentState | undefined = instrument.state,
) {
  const decimals = decimalsOf(instrument.priceIncrementText);
  const price = (text: string | undefined): string =>
    text === undefined ? "–" : groupDigits(padDecimal(text, decimals));
  const isTraded = trade !== undefined && trade.receivedTimeUs >= (ticker?.receivedTimeUs ?? 0);
  const lastText = isTraded ? trade.priceText : ticker?.lastPriceText;
  const last = price(lastText);
  const change = changeOf(ticker, isTraded ? trade.price : ticker?.lastPrice);
  const turnover = turnoverOf(ticker);
  const facts: readonly (readonly [string, string])[] = [
    ["24 h change", change === undefined ? "–" : percentText(change)],
    ["24 h high", price(ticker?.highPriceText)],
    ["24 h low", price(ticker?.lowPriceText)],
    [`24 h volume ${instrument.quote}`, turnover === undefined ? "–" : compactText(turnover)],
  ];
  const word = lastText === undefined ? topic : `${last} ${instrument.symbol}`;
  return {
    name: { symbol: instrument.symbol, venue: instrument.venue, last, state: stateWords(state) },
    facts,
    change: change ?? 0,
    title: `${word} · Tickwire`,
  };
}

/** What a reader has to know of what can be done with an instrument; empty while it trades. */
function stateWords(state: InstrumentState | undefined): string {
  if (state === undefined || state === "trading") return "";
  return state === "delisted" ? "not listed any more" : state.replaceAll("-", " ");
}
