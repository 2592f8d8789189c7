/** Where its time begins: the first moment of 2026, in microseconds. */
export const TRADES_FROM_US = 1_767_225_600_000_000;

/** Prices near each other, as those of a market are; sizes that seldom repeat. */
export function tradeAt(index) {
  return {
    venueTimeUs: TRADES_FROM_US + index * 1_000,
    receivedTimeUs: TRADES_FROM_US + index * 1_000 + 300,
    priceMantissa: 4_200_000 + ((index * 7_919) % 100),
    priceScale: 2,
    sizeMantissa: 1_000 + ((index * 31) % 5_000),
    sizeScale: 5,
    aggressorSide: index % 2 === 0 ? "seller" : "buyer",
    tradeId: String(1_000_000 + index),
    historical: false,
  };
}
