import type { MarketEvent, Trade } from "@tickwire/client";
import type { TradeRow } from "@tickwire/proto/codec";
import type { TypedRow } from "./event-json.ts";

/** What the client received, in the form that the printed output is made from. */
export function rowOfClientEvent(event: MarketEvent): TypedRow {
  switch (event.type) {
    case "trade":
      return { type: "trade", row: tradeRowOf(event) };
    case "quote":
      return { type: "quote", row: event };
    case "book": {
      const { snapshot, priceScale, sizeScale, venueTimeUs, receivedTimeUs } = event;
      const { bids, asks } = event.columns;
      const row = { snapshot, priceScale, sizeScale, bids, asks, venueTimeUs, receivedTimeUs };
      return { type: "book", row };
    }
    case "candle":
      return { type: "candle", row: event.row };
    case "ticker":
      return { type: "ticker", row: event.row };
    case "funding":
      return { type: "funding", row: event.row };
    case "mark-price":
      return { type: "mark-price", row: event.row };
    case "open-interest":
      return { type: "open-interest", row: event.row };
    case "liquidation":
      return { type: "liquidation", row: event.row };
    case "status":
      return { type: "status", row: event };
  }
}

function tradeRowOf(trade: Trade): TradeRow {
  const { venueTimeUs, receivedTimeUs, aggressorSide, tradeId = "", historical } = trade;
  const { priceMantissa, priceScale, sizeMantissa, sizeScale } = trade;
  const times = { venueTimeUs, receivedTimeUs };
  const decimals = { priceMantissa, priceScale, sizeMantissa, sizeScale };
  return { ...times, ...decimals, aggressorSide, tradeId, historical };
}
