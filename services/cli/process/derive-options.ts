import type { Command } from "commander";
import type { ConfigFlag } from "#config/load-config.ts";
import { quotedText } from "#core/visible-text.ts";
import { collect } from "./config-options.ts";
import { UsageError } from "./errors.ts";

/** What the command line says of what is derived. */
export type DeriveFlags = { readonly consolidate?: readonly string[] };

/** Adds the repeatable `--consolidate`. */
export function addConsolidateOption(command: Command): Command {
  return command.option(
    "--consolidate <symbol[=sources]>",
    "asset over several venues, such as BTC-USD (that symbol at every venue) or " +
      "BTC-USD=*:BTC-USD,binance:BTC-USDT; repeatable",
    collect,
  );
}

/** The settings that the options stand for; none if there are none. */
export function deriveFlags({ consolidate = [] }: DeriveFlags): ConfigFlag[] {
  if (consolidate.length === 0) return [];
  const flag = "--consolidate";
  return [
    { flag, key: "derive.consolidated", value: consolidate.map(parseConsolidated) },
    { flag, key: "derive.enabled", value: true },
  ];
}

/** `BTC-USD=*:BTC-USD,binance:BTC-USDT` as an entry of `derive.consolidated`. Throws UsageError. */
function parseConsolidated(text: string): {
  readonly symbol: string;
  readonly sources?: string[];
} {
  const [symbol = "", sources] = text.split("=");
  if (symbol === "" || sources === "") {
    throw new UsageError(
      `--consolidate takes SYMBOL or SYMBOL=VENUE:SYMBOL,..., not ${quotedText(text)}`,
    );
  }
  return sources === undefined ? { symbol } : { symbol, sources: sources.split(",") };
}
