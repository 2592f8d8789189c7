import { z } from "zod";
import { LEASE_MODES } from "./leadership/open-claims.ts";
import { ANNOUNCE_INTERVAL_MS_DEFAULT, PUBLISH_LIMITS_DEFAULTS } from "./publish-limits.ts";

/** What can be set about publishing, the same for all who publish venues. */
export function publishSettings(defaults: { readonly historyBytesMax: number }) {
  return {
    historyBytesMax: z
      .int()
      .min(0)
      .max(1_073_741_824)
      .default(defaults.historyBytesMax)
      .describe("of one topic's last batches, for gateways that missed some; 0 keeps none"),
    historyTotalBytesMax: z
      .int()
      .min(0)
      .max(68_719_476_736)
      .default(PUBLISH_LIMITS_DEFAULTS.historyTotalBytesMax)
      .describe("of all topics' last batches together"),
    historyAgeMs: z
      .int()
      .min(0)
      .max(86_400_000)
      .default(PUBLISH_LIMITS_DEFAULTS.historyAgeMs)
      .describe("age up to which last batches are kept while memory is left; older ones make room"),
    announceIntervalMs: z
      .int()
      .min(100)
      .max(600_000)
      .default(ANNOUNCE_INTERVAL_MS_DEFAULT)
      .describe("between two signs of life; after 3 without one, gateways report its venues down"),
    standby: z
      .strictObject({
        heartbeatMs: z
          .int()
          .min(100)
          .max(60_000)
          .default(300)
          .describe(
            "between two signs of life to others that publish the same venue; after 3 without one, " +
              "another takes over",
          ),
        lease: z
          .enum(LEASE_MODES)
          .default("auto")
          .describe(
            "who publishes: by a lease in JetStream where it is there (auto), always (jetstream), " +
              "or by who is heard (none)",
          ),
        leaseReplicas: z
          .union([z.literal(1), z.literal(3), z.literal(5)])
          .default(1)
          .describe("copies of the leases in a cluster, when they are first made"),
      })
      .prefault({})
      .describe("several that publish one venue; see docs/standby.md"),
  };
}
