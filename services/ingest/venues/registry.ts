import type { FeedAdapter } from "../feed/feed-adapter.ts";
import type { VenueId } from "./venue-ids.ts";
import { binance } from "./binance/adapter.ts";
import { binanceCoinm } from "./binance/coinm/adapter.ts";
import { binanceUsdm } from "./binance/usdm/adapter.ts";
import { bitgetV1 } from "./bitget/v1/adapter.ts";
import { bitfinex } from "./bitfinex/adapter.ts";
import { bitget } from "./bitget/adapter.ts";
import { bithumb } from "./upbit/bithumb/adapter.ts";
import { bitmex } from "./bitmex/adapter.ts";
import { bitstamp } from "./bitstamp/adapter.ts";
import { bybit } from "./bybit/adapter.ts";
import { coinbaseAdvanced } from "./coinbase/advanced/adapter.ts";
import { coinbase } from "./coinbase/adapter.ts";
import { cryptocom } from "./cryptocom/adapter.ts";
import { deribit } from "./deribit/adapter.ts";
import { dydx } from "./dydx/adapter.ts";
import { gateioFutures } from "./gateio/futures/adapter.ts";
import { gateio } from "./gateio/adapter.ts";
import { geminiV2 } from "./gemini/v2/adapter.ts";
import { gemini } from "./gemini/adapter.ts";
import { hyperliquid } from "./hyperliquid/adapter.ts";
import { krakenFuturesV2 } from "./kraken/futures-v2/adapter.ts";
import { krakenFutures } from "./kraken/futures/adapter.ts";
import { htxCoinm } from "./htx/coinm/adapter.ts";
import { htx } from "./htx/adapter.ts";
import { krakenV1 } from "./kraken/v1/adapter.ts";
import { kraken } from "./kraken/adapter.ts";
import { kucoinFutures } from "./kucoin/futures/adapter.ts";
import { kucoinUta } from "./kucoin/uta/adapter.ts";
import { kucoin } from "./kucoin/adapter.ts";
import { mexc } from "./mexc/adapter.ts";
import { mexcFutures } from "./mexc/futures/adapter.ts";
import { okxSpreads } from "./okx/spreads/adapter.ts";
import { okx } from "./okx/adapter.ts";
import { upbit } from "./upbit/adapter.ts";
import { simulated } from "../simulated/simulated.ts";

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
  bithumb,
  bitmex,
  bitstamp,
  bybit,
  coinbase,
  "coinbase-advanced": coinbaseAdvanced,
  cryptocom,
  deribit,
  dydx,
  gateio,
  "gateio-futures": gateioFutures,
  gemini,
  "gemini-v2": geminiV2,
  hyperliquid,
  htx,
  "htx-coinm": htxCoinm,
  kraken,
  "kraken-futures": krakenFutures,
  "kraken-futures-v2": krakenFuturesV2,
  "kraken-v1": krakenV1,
  kucoin,
  "kucoin-uta": kucoinUta,
  "kucoin-futures": kucoinFutures,
  mexc,
  "mexc-futures": mexcFutures,
  okx,
  "okx-spreads": okxSpreads,
  upbit,
  simulated,
} as const satisfies Record<VenueId, FeedAdapter>;
