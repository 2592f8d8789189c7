import { createFuturesDialect } from "./futures.ts";
import type { Dialect } from "../dialect.ts";

/** Binance COIN-M futures: whole contracts. */
export const binanceCoinm: Dialect = createFuturesDialect({
  api: "dapi",
  quote: "USD",
  contractMarket: 2,
  sizeScale: 0,
  listed: { contractStatus: "TRADING", contractSize: 100 },
  venueSymbol: ({ base }) => `${base}USD_PERP`,
});
