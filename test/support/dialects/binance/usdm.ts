import { createFuturesDialect } from "./futures.ts";
import type { Dialect } from "../dialect.ts";

/** Binance USDⓈ-M futures. */
export const binanceUsdm: Dialect = createFuturesDialect({
  api: "fapi",
  quote: "USDT",
  sizeScale: 3,
  listed: { status: "TRADING" },
  venueSymbol: ({ base }) => `${base}USDT`,
});
