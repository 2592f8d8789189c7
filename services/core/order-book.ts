import { OrderBook } from "@tickwire/proto/model";
import { TickLadder } from "./tick-ladder.ts";

/** A book as the server keeps it: a change costs the same however many levels there are. */
export function createOrderBook(): OrderBook {
  return new OrderBook((side) => new TickLadder(side));
}
