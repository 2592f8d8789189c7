import { createFuturesDialect } from "./futures.ts";
import type { Dialect } from "../dialect.ts";

const { market: _market, ...futures } = createFuturesDialect({
  api: "fapi",
  quote: "USDT",
  contractMarket: 1,
  sizeScale: 3,
  listed: { status: "TRADING" },
  venueSymbol: ({ base }) => `${base}USDT`,
});

/**
 * Binance USDⓈ-M futures. What tells of contracts is at another address than books and trades,
 * which are all that is followed of a scripted venue.
 */
export const binanceUsdm: Dialect = futures;
