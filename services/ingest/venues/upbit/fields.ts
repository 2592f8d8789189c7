// https://docs.upbit.com/kr/reference/websocket-guide
import type { TicketWords } from "./requests.ts";

/** Levels that a book can be asked with. */
const BOOK_LEVELS = [1, 5, 15, 30];

/** What the venue calls what has these channels. */
export const UPBIT_WORDS: TicketWords = {
  types: {
    trades: "trade",
    quotes: "orderbook",
    book: "orderbook",
    ticker: "ticker",
    candles: "candle.1m",
  },
  plainBookLevel: 0,
  bookCode: ({ venueSymbol }, bookDepth) => {
    const levels = BOOK_LEVELS.find((each) => each >= bookDepth) ?? BOOK_LEVELS.at(-1);
    return `${venueSymbol}.${levels}`;
  },
};
