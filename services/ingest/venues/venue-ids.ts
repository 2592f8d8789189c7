/**
 * The id of every venue that Tickwire knows, for whoever asks for one without its adapter: reading
 * all adapters takes longer than most commands run.
 */
export const VENUE_IDS = [
  "binance",
  "binance-coinm",
  "binance-usdm",
  "bitfinex",
  "bitget",
  "bitget-v1",
  "bithumb",
  "bitmex",
  "bitstamp",
  "bybit",
  "coinbase",
  "coinbase-advanced",
  "cryptocom",
  "deribit",
  "dydx",
  "gateio",
  "gateio-futures",
  "gemini",
  "gemini-v2",
  "hyperliquid",
  "htx",
  "htx-coinm",
  "kraken",
  "kraken-futures",
  "kraken-futures-v2",
  "kraken-v1",
  "kucoin",
  "kucoin-uta",
  "kucoin-futures",
  "mexc",
  "mexc-futures",
  "okx",
  "okx-spreads",
  "upbit",
  "simulated",
] as const;

/** The id of a venue that Tickwire knows. */
export type VenueId = (typeof VENUE_IDS)[number];
