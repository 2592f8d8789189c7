import { quotedText } from "#core/visible-text.ts";
import type { Command } from "commander";
import type { ConfigFlag } from "#config/load-config.ts";
import { collect } from "./config-options.ts";
import { UsageError } from "./errors.ts";
import { parseVenueId } from "./venue-id.ts";

/** Adds the repeatable `--venue`. */
export function addVenueOption(command: Command): Command {
  return command.option(
    "--venue <id[:symbols]>",
    "venue, with the symbols wanted of it, such as binance:BTC-USDT,ETH-USDT; repeatable",
    collect,
  );
}

/** The setting that `--venue` options stand for; none if there are none. */
export function venueFlags(venues: readonly string[] = []): ConfigFlag[] {
  if (venues.length === 0) return [];
  return [{ flag: "--venue", key: "ingest.venues", value: venues.map(parseVenue) }];
}

/** `binance:BTC-USDT,ETH-USDT` as an entry of `ingest.venues`. Throws UsageError. */
export function parseVenue(text: string): { readonly id: string; readonly instruments?: string[] } {
  const colon = text.indexOf(":");
  if (colon === -1 && text !== "") return { id: parseVenueId(text) };
  const instruments = text
    .slice(colon + 1)
    .split(",")
    .filter((symbol) => symbol !== "");
  if (colon < 1 || instruments.length === 0) {
    throw new UsageError(`--venue takes ID or ID:SYMBOL,SYMBOL, not ${quotedText(text)}`);
  }
  return { id: parseVenueId(text.slice(0, colon)), instruments };
}
