import type { Channel } from "#core/instrument.ts";
import type { Asked } from "../../reading/subscription-answers.ts";

/** What is published of the venue's channels, by the first part of their names. */
const CHANNELS: ReadonlyMap<string, readonly Channel[]> = new Map<string, readonly Channel[]>([
  ["book", ["book"]],
  ["trades", ["trades", "liquidations"]],
  ["quote", ["quotes"]],
  ["ticker", ["ticker", "funding", "mark-price", "open-interest"]],
  ["chart", ["candles"]],
]);

/** What a channel is about: `book.BTC-PERPETUAL.100ms`, `chart.trades.ETH-PERPETUAL.1`. */
export function partsOf(name: string): Asked {
  const [kind = "", ...rest] = name.split(".");
  const venueSymbol = (kind === "chart" ? rest[1] : rest[0]) ?? "";
  return { venueSymbol, channels: CHANNELS.get(kind) ?? [] };
}
