import type { GatewayConfig } from "../config.ts";
import type { LimitUse } from "../metrics.ts";

/** What is counted against the limits of a whole gateway. */
type LimitedParts = {
  readonly gateway: { readonly sockets: number };
  readonly hub: { readonly topics: number; readonly views: number };
  readonly catalog: { readonly size: number };
};

/** How much is used of each limit that all clients of a gateway share. */
export function limitUse(
  config: Pick<GatewayConfig, "connectionsMax" | "topicsMax" | "viewsMax" | "instrumentsMax">,
  { gateway, hub, catalog }: LimitedParts,
): LimitUse[] {
  return [
    { limit: "connectionsMax", used: gateway.sockets, max: config.connectionsMax },
    { limit: "topicsMax", used: hub.topics, max: config.topicsMax },
    { limit: "viewsMax", used: hub.views, max: config.viewsMax },
    { limit: "instrumentsMax", used: catalog.size, max: config.instrumentsMax },
  ];
}
