import type { FeedAdapter } from "../feed/feed-adapter.ts";
import { binance } from "./binance.ts";
import { binanceCoinm } from "./binance-coinm.ts";
import { binanceUsdm } from "./binance-usdm.ts";
import { bitgetV1 } from "./bitget-v1.ts";
import { bitfinex } from "./bitfinex.ts";
import { bitget } from "./bitget.ts";
import { bitmex } from "./bitmex.ts";
import { bitstamp } from "./bitstamp.ts";
import { bybit } from "./bybit.ts";
import { coinbaseAdvanced } from "./coinbase-advanced.ts";
import { coinbase } from "./coinbase.ts";
import { deribit } from "./deribit.ts";
import { gateioFutures } from "./gateio-futures.ts";
import { gateio } from "./gateio.ts";
import { geminiV2 } from "./gemini-v2.ts";
import { gemini } from "./gemini.ts";
import { hyperliquid } from "./hyperliquid.ts";
import { krakenFutures } from "./kraken-futures.ts";
import { htx } from "./htx.ts";
import { krakenV1 } from "./kraken-v1.ts";
import { kraken } from "./kraken.ts";
import { kucoin } from "./kucoin.ts";
import { okx } from "./okx.ts";
import { simulated } from "./simulated.ts";

/**
 * Every venue that Tickwire knows, by its id. Configuration, metrics labels and the conformance
 * suite follow.
 */
export const VENUES = {
  binance,
  "binance-coinm": binanceCoinm,
  "binance-usdm": binanceUsdm,
  bitfinex,
  bitget,
  "bitget-v1": bitgetV1,
  bitmex,
  bitstamp,
  bybit,
  coinbase,
  "coinbase-advanced": coinbaseAdvanced,
  deribit,
  gateio,
  "gateio-futures": gateioFutures,
  gemini,
  "gemini-v2": geminiV2,
  hyperliquid,
  htx,
  kraken,
  "kraken-futures": krakenFutures,
  "kraken-v1": krakenV1,
  kucoin,
  okx,
  simulated,
} as const satisfies Record<string, FeedAdapter>;

/** The id of a venue that Tickwire knows. */
export type VenueId = keyof typeof VENUES;
