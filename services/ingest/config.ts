import { z } from "zod";
import { FEED_CHANNELS } from "#core/instrument.ts";
import { parseShard, SHARDS_MAX } from "#core/shard.ts";
import { PUBLISH_LIMITS_DEFAULTS } from "#publish/publish-limits.ts";
import { publishSettings } from "#publish/publish-settings.ts";
import { isProxyUrl, NO_PROXY, PROXY_SCHEMES } from "./feed/network/proxy-url.ts";
import { INGEST_LIMITS_DEFAULTS } from "./limits.ts";
import { simulatedSchema, simulatedSymbolProblem } from "./simulated/simulated-settings.ts";
import { VENUE_IDS } from "./venues/venue-ids.ts";

const count = (fallback: number, high: number) => z.int().min(1).max(high).default(fallback);

const venueSchema = z
  .strictObject({
    id: z.enum(VENUE_IDS),
    instruments: z
      .array(z.string().min(1))
      .default([])
      .describe("Tickwire's or the venue's symbols; none means all that the venue lists"),
    channels: z
      .array(z.enum(FEED_CHANNELS))
      .min(1)
      .optional()
      .describe("all that the venue has, if absent"),
    bookDepth: count(1_000, 10_000).describe("levels per side, or the venue's nearest"),
    endpoints: z
      .strictObject({
        webSocket: z.string().min(1).optional(),
        rest: z.string().min(1).optional(),
        derivativesWebSocket: z
          .string()
          .min(1)
          .optional()
          .describe("where the venue serves derivatives from hosts of their own"),
        derivativesRest: z.string().min(1).optional().describe("likewise"),
      })
      .default({})
      .describe("in place of the venue's own addresses"),
    network: z
      .strictObject({
        proxy: z
          .string()
          .refine((text) => text === NO_PROXY || isProxyUrl(text), {
            error: `must be the URL of a proxy (${PROXY_SCHEMES.join(", ")}) or ${NO_PROXY}`,
          })
          .optional()
          .describe(
            "URL of an HTTP or SOCKS proxy, or direct; if absent, HTTPS_PROXY and NO_PROXY decide",
          ),
        tlsCaFile: z
          .string()
          .min(1)
          .optional()
          .describe("PEM file of the authorities to trust, in place of the usual ones"),
        sourceAddress: z
          .union([z.ipv4(), z.ipv6()])
          .optional()
          .describe("local address that connections leave from"),
      })
      .default({})
      .describe("how the venue is reached"),
    silenceMsMax: z
      .partialRecord(z.enum(FEED_CHANNELS), z.int().min(1_000).max(86_400_000))
      .optional()
      .describe("by channel: one silent for longer is stale; the venue's own time if absent"),
    instrumentsIntervalMs: z
      .int()
      .min(0)
      .max(86_400_000)
      .optional()
      .describe("as ingest.instrumentsIntervalMs, for this venue"),
    simulated: simulatedSchema.optional(),
    shard: z
      .string()
      .refine((text) => parseShard(text) !== undefined, {
        error: `must be INDEX/COUNT, such as 1/3, with a count from 2 to ${SHARDS_MAX}`,
      })
      .optional()
      .describe(
        "INDEX/COUNT, such as 1/3: only the instruments of this shard, where COUNT ingestors share " +
          "the venue; see docs/standby.md",
      ),
  })
  .refine((venue) => venue.simulated === undefined || venue.id === "simulated", {
    path: ["simulated"],
    error: "only the simulated venue has a market to set",
  })
  .superRefine((venue, context) => {
    if (venue.id !== "simulated") return;
    const message = simulatedSymbolProblem(venue);
    if (message === undefined) return;
    context.addIssue({ code: "custom", path: ["instruments"], message });
  });

/**
 * Everything that can be set about an ingestor. Units are in the names; every key has a default,
 * so `{}` is a valid configuration: the simulated venue.
 */
export const ingestConfigSchema = z
  .strictObject({
    venues: z
      .array(venueSchema)
      .min(1)
      .default([venueSchema.parse({ id: "simulated" })]),
    instrumentsMax: count(INGEST_LIMITS_DEFAULTS.instrumentsMax, 1_000_000).describe(
      "instruments of one venue; more are left out",
    ),
    batchEventsMax: count(PUBLISH_LIMITS_DEFAULTS.batchEventsMax, 65_536).describe(
      "events of one topic in one bus message",
    ),
    bufferedDeltasMax: count(INGEST_LIMITS_DEFAULTS.bufferedDeltasMax, 1_000_000).describe(
      "of one book that waits for its snapshot; the oldest are dropped",
    ),
    bookRefreshIntervalMs: z
      .int()
      .min(0)
      .max(86_400_000)
      .default(INGEST_LIMITS_DEFAULTS.bookRefreshIntervalMs)
      .describe("mean time between fresh snapshots of a live book, where REST has them; 0 is none"),
    instrumentsIntervalMs: z
      .int()
      .min(0)
      .max(86_400_000)
      .default(600_000)
      .describe(
        "mean time between two readings of a venue's lists of instruments, longer where they would " +
          "take more than 2 % of its budget for REST; 0 reads them once",
      ),
    recentTradeIdsMax: count(INGEST_LIMITS_DEFAULTS.recentTradeIdsMax, 1_000_000).describe(
      "of one instrument, to recognise a trade that comes twice",
    ),
    recentTradesMax: count(PUBLISH_LIMITS_DEFAULTS.recentTradesMax, 100_000).describe(
      "of one instrument, for GetTrades",
    ),
    recentCandlesMax: count(PUBLISH_LIMITS_DEFAULTS.recentCandlesMax, 100_000).describe(
      "of one instrument and interval, for GetCandles",
    ),
    ...publishSettings({ historyBytesMax: PUBLISH_LIMITS_DEFAULTS.historyBytesMax }),
    drainTimeoutMs: z
      .int()
      .min(0)
      .max(60_000)
      .default(5_000)
      .describe("longest wait for the bus to take what is left on shutdown"),
  })
  .refine(({ venues }) => new Set(venues.map(({ id }) => id)).size === venues.length, {
    path: ["venues"],
    error: "a venue may be listed once",
  });

/** A whole, checked configuration. */
export type IngestConfig = Readonly<z.infer<typeof ingestConfigSchema>>;
export type VenueConfig = IngestConfig["venues"][number];

/** The defaults with what is given in their place. Throws z.ZodError naming every bad key. */
export function ingestConfig(given: z.input<typeof ingestConfigSchema> = {}): IngestConfig {
  return Object.freeze(ingestConfigSchema.parse(given));
}
