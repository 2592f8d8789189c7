// https://apidocs.bithumb.com/v2.1.4/reference/요청-포맷
import type { TicketWords } from "../requests.ts";

/** What the venue calls what has these channels. */
export const BITHUMB_WORDS: TicketWords = {
  types: { trades: "trade", quotes: "orderbook", book: "orderbook", ticker: "ticker" },
  plainBookLevel: 1,
};
