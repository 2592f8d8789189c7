import { BatchWriter } from "@tickwire/proto/codec";
import type { Clock } from "#core/clock.ts";
import type { Catalog } from "../catalog/catalog.ts";
import { channelsOf } from "../catalog/channel-names.ts";
import type { Hub } from "./hub.ts";
import { INGESTOR_LOST_REASON } from "../rpc/get-status.ts";

/**
 * Tells everyone who follows a status of the venue that its channels are down. The batch is marked
 * as a state at the position that the client has, so it changes nothing about what counts as
 * received: sequences belong to the publisher, and the gateway has none to give.
 */
export function announceLostIngestor(
  hub: Hub,
  catalog: Catalog,
  loss: { readonly venue: string; readonly sinceTimeUs: number },
  clock: Clock,
): void {
  for (const feed of hub.feedsOf(loss.venue)) {
    const instrument = catalog.instrument(feed.name.venue, feed.name.symbol);
    if (feed.name.channel !== "status" || instrument === undefined) continue;
    const nowUs = clock.nowUs();
    const rows = channelsOf(instrument)
      .filter((channel) => channel !== "status")
      .map((channel) => ({
        venueTimeUs: undefined,
        receivedTimeUs: nowUs,
        channel,
        state: "down" as const,
        reason: INGESTOR_LOST_REASON,
        sinceTimeUs: loss.sinceTimeUs,
      }));
    const { epoch, sequence } = feed.position;
    if (rows.length === 0 || sequence === 0) continue;
    const chain = { kind: "statuses", epoch, sequence } as const;
    const init = { publishedTimeUs: nowUs };
    feed.announce(BatchWriter.snapshot(chain, { kind: "statuses", rows }, init));
  }
}
