import { SCALE_MAX } from "../limits.ts";
import { TradeIdForm } from "./chain-state.ts";
import type { ChainState } from "./chain-state.ts";
import type { PendingBooks, PendingColumns } from "./pending-columns.ts";

/** True if the chain's base says all that these columns need, whatever their numbers are. */
export function fitsChain(state: ChainState, columns: PendingColumns): boolean {
  const { priceScale, sizeScale } = columns;
  if (!isScale(priceScale) || !isScale(sizeScale)) return false;
  // Of a state that has just begun these are numbers of the columns, which nobody has seen yet.
  if (!Number.isSafeInteger(state.receivedTimeUs)) return false;
  if (!Number.isSafeInteger(state.venueTimeUs)) return false;
  if (columns.kind === "quotes") {
    const { scales, values, absent } = state;
    for (let field = 0; field < values.length; field += 1) {
      if (!Number.isSafeInteger(values[field])) return false;
    }
    return priceScale === scales[0] && sizeScale === scales[1] && absent === 0;
  }
  return (
    priceScale === state.priceScale &&
    sizeScale === state.sizeScale &&
    Number.isSafeInteger(state.price) &&
    Number.isSafeInteger(state.askPrice)
  );
}

function isScale(scale: number): boolean {
  return scale >>> 0 === scale && scale <= SCALE_MAX;
}

/** Sets an empty state so that the chain begins with these columns, if it may begin plainly. */
export function startChain(state: ChainState, columns: PendingColumns): void {
  const { count, receivedTimesUs, venueTimesUs, priceScale, sizeScale } = columns;
  state.receivedTimeUs = receivedTimesUs[0] as number;
  for (let index = count - 1; index >= 0; index -= 1) {
    const venue = venueTimesUs[index] as number;
    if (venue !== venue) continue;
    if (state.venueTimeUnitUs !== 1) state.venueTimeUnitUs = venue % 1_000 === 0 ? 1_000 : 1;
    state.venueTimeUs = venue;
    state.venueReceivedTimeUs = receivedTimesUs[index] as number;
  }
  if (columns.kind === "quotes") {
    const { bidPrices, bidSizes, askPrices, askSizes } = columns;
    state.scales = [priceScale, sizeScale, priceScale, sizeScale];
    state.values = [bidPrices, bidSizes, askPrices, askSizes].map((column) => column[0] as number);
    return;
  }
  if (columns.kind === "books" && columns.levelCount === 0) return;
  state.priceScale = priceScale;
  state.sizeScale = sizeScale;
  state.price = columns.prices[0] as number;
  if (columns.kind === "books") startSides(state, columns);
  else if (Number.isSafeInteger(columns.ids[0])) {
    state.tradeIdForm = TradeIdForm.Number;
    state.tradeId = (columns.ids[0] as number) - 1;
  }
}

function startSides(state: ChainState, { count, prices, bidCounts, askCounts }: PendingBooks) {
  let level = 0;
  let isBidKnown = false;
  let isAskKnown = false;
  state.price = 0;
  for (let index = 0; index < count && !(isBidKnown && isAskKnown); index += 1) {
    const bids = bidCounts[index] as number;
    const asks = askCounts[index] as number;
    if (bids > 0 && !isBidKnown) {
      state.price = prices[level] as number;
      isBidKnown = true;
    }
    level += bids;
    if (asks > 0 && !isAskKnown) {
      state.askPrice = prices[level] as number;
      isAskKnown = true;
    }
    level += asks;
  }
}

/** Moves the state behind the events, once all of them are written. */
export function moveBehind(state: ChainState, columns: PendingColumns): void {
  const last = columns.count - 1;
  state.receivedTimeUs = columns.receivedTimesUs[last] as number;
  moveVenueTime(state, columns);
  switch (columns.kind) {
    case "trades":
      state.price = columns.prices[last] as number;
      if (state.tradeIdForm === TradeIdForm.Number) state.tradeId = columns.ids[last] as number;
      return;
    case "quotes":
      state.values[0] = columns.bidPrices[last] as number;
      state.values[1] = columns.bidSizes[last] as number;
      state.values[2] = columns.askPrices[last] as number;
      state.values[3] = columns.askSizes[last] as number;
      return;
    case "books":
      moveSides(state, columns);
      return;
  }
}

function moveVenueTime(state: ChainState, columns: PendingColumns): void {
  if (state.venueTimeUnitUs === 0) return;
  for (let index = columns.count - 1; index >= 0; index -= 1) {
    const venue = columns.venueTimesUs[index] as number;
    if (venue !== venue) continue;
    state.venueTimeUs = venue;
    state.venueReceivedTimeUs = columns.receivedTimesUs[index] as number;
    return;
  }
}

function moveSides(state: ChainState, columns: PendingBooks): void {
  const { bidCounts, askCounts, prices } = columns;
  let level = columns.levelCount;
  let isBidKnown = false;
  let isAskKnown = false;
  for (let index = columns.count - 1; index >= 0; index -= 1) {
    if (isBidKnown && isAskKnown) return;
    const asks = askCounts[index] as number;
    const bids = bidCounts[index] as number;
    if (asks > 0 && !isAskKnown) {
      state.askPrice = prices[level - 1] as number;
      isAskKnown = true;
    }
    if (bids > 0 && !isBidKnown) {
      state.price = prices[level - asks - 1] as number;
      isBidKnown = true;
    }
    level -= asks + bids;
  }
}
