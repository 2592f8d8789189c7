import type { VenueId } from "#ingest/venues/venue-ids.ts";
import { binanceCoinm } from "./binance/coinm.ts";
import { binanceUsdm } from "./binance/usdm.ts";
import { binance } from "./binance/dialect.ts";
import { bitfinex } from "./bitfinex/dialect.ts";
import { bitgetV1 } from "./bitget/v1.ts";
import { bitget } from "./bitget/dialect.ts";
import { bithumb } from "./upbit/bithumb.ts";
import { bitmex } from "./bitmex/dialect.ts";
import { bitstamp } from "./bitstamp/dialect.ts";
import { bybit } from "./bybit/dialect.ts";
import { coinbaseAdvanced } from "./coinbase/advanced.ts";
import { coinbase } from "./coinbase/dialect.ts";
import { cryptocom } from "./cryptocom/dialect.ts";
import { deribit } from "./deribit/dialect.ts";
import type { Dialect } from "./dialect.ts";
import { dydx } from "./dydx/dialect.ts";
import { gateio, gateioFutures } from "./gateio/dialect.ts";
import { gemini, geminiV2 } from "./gemini/dialect.ts";
import { hyperliquid } from "./hyperliquid/dialect.ts";
import { krakenFuturesV2 } from "./kraken/futures-v2.ts";
import { krakenFutures } from "./kraken/futures.ts";
import { krakenV1 } from "./kraken/v1.ts";
import { htxCoinm } from "./htx/coinm.ts";
import { htx } from "./htx/dialect.ts";
import { kraken } from "./kraken/dialect.ts";
import { kucoinUta } from "./kucoin/uta.ts";
import { kucoin } from "./kucoin/dialect.ts";
import { kucoinFutures } from "./kucoin/futures.ts";
import { mexc } from "./mexc/dialect.ts";
import { mexcFutures } from "./mexc/futures.ts";
import { okx } from "./okx/dialect.ts";
import { okxSpreads } from "./okx/spreads.ts";
import { upbit } from "./upbit/dialect.ts";

/** The venues that a scripted server can be, by their id; one line each. */
export const DIALECTS: Readonly<Record<ScriptedVenueId, Dialect>> = {
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
};

/** Every venue but the one that is made up as a whole. */
export type ScriptedVenueId = Exclude<VenueId, "simulated">;

/** The ids in `DIALECTS`. */
export const SCRIPTED_VENUE_IDS = Object.keys(DIALECTS) as readonly ScriptedVenueId[];
