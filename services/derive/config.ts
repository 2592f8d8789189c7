import { z } from "zod";
import { parseShard, SHARDS_MAX } from "#core/shard.ts";
import { isSymbol, isVenueId } from "#core/topic.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { publishSettings } from "#publish/publish-settings.ts";

const count = (fallback: number, high: number) => z.int().min(1).max(high).default(fallback);

/** `VENUE:SYMBOL`, of which the venue may be "*". */
function isSourcePattern(text: string): boolean {
  const colon = text.indexOf(":");
  const [venue, symbol] = [text.slice(0, colon), text.slice(colon + 1)];
  return colon > 0 && (venue === "*" || isVenueId(venue)) && isSymbol(symbol);
}

/** The lengths of candles that are made where the configuration says nothing. */
const INTERVALS_MS = [1_000, 60_000, 300_000, 900_000, 3_600_000, 14_400_000, 86_400_000] as const;

const consolidatedSchema = z.strictObject({
  symbol: z
    .string()
    .regex(/^[^-\s:/*@]+-[^-\s:/*@]+$/, "must be BASE-QUOTE, such as BTC-USD")
    .describe("of the consolidated instrument"),
  sources: z
    .array(z.string().refine(isSourcePattern, "is not VENUE:SYMBOL, such as binance:BTC-USDT"))
    .min(1)
    .max(32)
    .optional()
    .describe("VENUE:SYMBOL each, `*` for any venue; `*:` and the symbol itself if absent"),
  channels: z
    .array(z.enum(["quotes", "book", "ticker"]))
    .min(1)
    .default(["quotes", "book", "ticker"]),
});

/** Everything that can be set about a deriver. Units are in the names; every key has a default. */
export const deriveConfigSchema = z.strictObject({
  enabled: z
    .boolean()
    .default(false)
    .describe(
      "derive in the process of `dev`, which has it true without a replay; `derive` always does",
    ),
  candles: z
    .strictObject({
      enabled: z.boolean().default(true).describe("make candles of trades"),
      venues: z
        .array(z.string().refine(isVenueId, "is no venue's id"))
        .default([])
        .describe("whose trades; none means all that are announced"),
      instrumentsMax: count(2_000, 100_000).describe("of all venues; more are left out"),
      intervalsMs: z
        .array(z.int().min(1_000).max(86_400_000))
        .min(1)
        .max(16)
        .default([...INTERVALS_MS])
        .describe("lengths, each of which divides a day"),
      graceMs: z
        .int()
        .min(0)
        .max(60_000)
        .default(1_000)
        .describe("after its end, by the venue's clock, a candle waits for late trades"),
      updateIntervalMs: z
        .int()
        .min(100)
        .max(60_000)
        .default(1_000)
        .describe("between two tellings of a candle that is under way"),
    })
    .refine(({ intervalsMs }) => intervalsMs.every((each) => 86_400_000 % each === 0), {
      path: ["intervalsMs"],
      error: "must each divide a day",
    })
    .prefault({}),
  consolidated: z
    .array(consolidatedSchema)
    .max(1_000)
    .default([])
    .describe("assets over several venues, each by its symbol"),
  sharedPairsMax: z
    .int()
    .min(0)
    .max(1_000)
    .default(20)
    .describe("spot pairs that two venues have are consolidated by themselves, up to so many"),
  shard: z
    .string()
    .refine((text) => parseShard(text) !== undefined, {
      error: `must be INDEX/COUNT, such as 1/3, with a count from 2 to ${SHARDS_MAX}`,
    })
    .optional()
    .describe("INDEX/COUNT, such as 1/3: only the instruments of this shard"),
  instrumentsMax: count(200_000, 10_000_000).describe("instruments of all venues that are read"),
  topicsMax: count(20_000, 1_000_000).describe("topics that are read; more are left out"),
  queryTimeoutMs: z.int().min(1).max(86_400_000).default(2_000).describe("answer of an ingestor"),
  batchEventsMax: count(PUBLISH_LIMITS_DEFAULTS.batchEventsMax, 65_536).describe(
    "events of one topic in one bus message",
  ),
  recentCandlesMax: count(PUBLISH_LIMITS_DEFAULTS.recentCandlesMax, 100_000).describe(
    "of one instrument and interval, for GetCandles",
  ),
  ...publishSettings({ historyBytesMax: 1_048_576 }),
});

/** A whole, checked configuration. */
export type DeriveConfig = Readonly<z.infer<typeof deriveConfigSchema>>;
export type ConsolidatedConfig = DeriveConfig["consolidated"][number];

/** The defaults with what is given in their place. Throws z.ZodError naming every bad key. */
export function deriveConfig(given: z.input<typeof deriveConfigSchema> = {}): DeriveConfig {
  return Object.freeze(deriveConfigSchema.parse(given));
}
