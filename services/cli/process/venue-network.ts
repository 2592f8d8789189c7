import type { Clock } from "#core/clock.ts";
import type { VenueConfig } from "#ingest/config.ts";
import {
  createFetchRestClient,
  FETCH_REST_CLIENT_DEFAULTS,
} from "#ingest/feed/rest/fetch-rest-client.ts";
import { createWebSocketDialer } from "#ingest/feed/connection/web-socket-dialer.ts";
import type { VenueNetwork } from "#ingest/venue/venue-ingest.ts";
import { SIMULATED_MARKET_DEFAULTS } from "#ingest/simulated/simulated-settings.ts";
import { createSimulatedVenue } from "#ingest/simulated/simulated-dialer.ts";

/** How one venue is reached, for commands that use its network themselves. */
export function openVenueNetwork(
  venue: VenueConfig,
  clock: Clock,
): VenueNetwork & { close(): void } {
  if (venue.id === "simulated") {
    const simulated = createSimulatedVenue({
      clock,
      ...(venue.simulated ?? SIMULATED_MARKET_DEFAULTS),
    });
    const { dialer, rest: restClient } = simulated;
    return { dialer, restClient, close: () => simulated.close() };
  }
  const restClient = createFetchRestClient({ clock, ...FETCH_REST_CLIENT_DEFAULTS });
  return { dialer: createWebSocketDialer(), restClient, close: () => restClient.close?.() };
}
