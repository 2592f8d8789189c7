import type { Clock } from "#core/clock.ts";
import type { VenueConfig } from "./config.ts";
import {
  createWebSocketDialer,
  WEB_SOCKET_DIALER_DEFAULTS,
} from "./feed/connection/web-socket-dialer.ts";
import type { FeedAdapter } from "./feed/feed-adapter.ts";
import { createVenueRoute } from "./feed/network/venue-route.ts";
import { createHttpRestClient, HTTP_REST_CLIENT_DEFAULTS } from "./feed/rest/http-rest-client.ts";
import { createSimulatedVenue } from "./simulated/simulated-dialer.ts";
import type { SimulatedFaults } from "./simulated/simulated-faults.ts";
import { SIMULATED_MARKET_DEFAULTS } from "./simulated/simulated-settings.ts";
import type { VenueNetwork } from "./venue/venue-ingest.ts";
import { VENUES } from "./venues/registry.ts";

/** A way to a venue that somebody has opened. */
export type OpenVenueNetwork = VenueNetwork & {
  /** What was asked to go wrong; undefined for networks that need no asking. */
  readonly faults?: SimulatedFaults;
  close(): void;
};

/** Whether the venue is one that only this process has: another process has a market of its own. */
export function isOwnMarket({ id, endpoints }: VenueConfig): boolean {
  return id === "simulated" && endpoints.webSocket === undefined;
}

/**
 * How one venue is reached: the simulated one brings its own network unless it has an address, the
 * others share the real one and may each leave by another way. Throws if the venue's certificates
 * cannot be read.
 */
export function openVenueNetwork(venue: VenueConfig, clock: Clock): OpenVenueNetwork {
  if (isOwnMarket(venue)) {
    const settings = venue.simulated ?? SIMULATED_MARKET_DEFAULTS;
    const simulated = createSimulatedVenue({ clock, ...settings });
    const { dialer, rest: restClient, faults } = simulated;
    return { dialer, restClient, faults, close: () => simulated.close() };
  }
  const route = createVenueRoute(venue.network);
  const { headers }: FeedAdapter = VENUES[venue.id];
  const restClient = createHttpRestClient({ clock, route, headers, ...HTTP_REST_CLIENT_DEFAULTS });
  const dialer = createWebSocketDialer({ ...WEB_SOCKET_DIALER_DEFAULTS, route, headers });
  return { dialer, restClient, close: () => restClient.close?.() };
}
