import { changeOf, turnoverOf, type Market } from "../market/market-rows.ts";
import {
  compactText,
  decimalsOf,
  groupDigits,
  padDecimal,
  percentText,
} from "../market/number-text.ts";

/** What the head of the page, and its title, say of a market. */
export function headingOf({ instrument, ticker, topic }: Market) {
  const decimals = decimalsOf(instrument.priceIncrementText);
  const price = (text: string | undefined): string =>
    text === undefined ? "–" : groupDigits(padDecimal(text, decimals));
  const last = price(ticker?.lastPriceText);
  const change = changeOf(ticker);
  const turnover = turnoverOf(ticker);
  const facts: readonly (readonly [string, string])[] = [
    ["24 h change", change === undefined ? "–" : percentText(change)],
    ["24 h high", price(ticker?.highPriceText)],
    ["24 h low", price(ticker?.lowPriceText)],
    [`24 h volume ${instrument.quote}`, turnover === undefined ? "–" : compactText(turnover)],
  ];
  const word = ticker?.lastPriceText === undefined ? topic : `${last} ${instrument.symbol}`;
  return {
    name: { symbol: instrument.symbol, venue: instrument.venue, last },
    facts,
    change: change ?? 0,
    title: `${word} · Tickwire`,
  };
}
