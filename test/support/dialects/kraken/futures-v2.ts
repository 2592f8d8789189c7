import type { Dialect } from "../dialect.ts";
import { kraken } from "./dialect.ts";
import { krakenFutures } from "./futures.ts";

const { market: _market, ...spot } = kraken;

/**
 * The format of spot with the contracts of the older feed; requests must name their market.
 * https://docs.kraken.com/exchange/api-reference/unified-websocket
 */
export const krakenFuturesV2: Dialect = {
  // What tells of the market as a whole is documented for spot alone.
  ...spot,
  webSocketPath: "/v2/public",
  quote: krakenFutures.quote,
  sizeScale: krakenFutures.sizeScale,
  venueSymbol: (market) => krakenFutures.venueSymbol(market),
  symbol: (market) => krakenFutures.symbol(market),
  read(frame, context) {
    const { method, params } = JSON.parse(frame) as {
      method: string;
      params?: { asset_class?: string };
    };
    if (params === undefined || params.asset_class === "derivatives") {
      return kraken.read(frame, context);
    }
    const refusal = { method, success: false, error: "EGeneral:Invalid arguments:asset_class" };
    return [{ kind: "answer", frame: JSON.stringify(refusal) }];
  },
  listsTrades: false,
  rest: (request, markets, book) => krakenFutures.rest(request, markets, book),
};
