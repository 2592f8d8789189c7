import type { Principal } from "../../access/principal.ts";
import type { GatewayConfig } from "../../config.ts";
import type { HelloMessage } from "../wire-messages.ts";

/** How much market data a second a session gets at most: the smallest bound; 0 is none. */
export function bandwidthBound(
  hello: Pick<HelloMessage, "bandwidthBytesPerSecondMax">,
  config: Pick<GatewayConfig, "bandwidthBytesPerSecondMax">,
  { limits }: Pick<Principal, "limits">,
): number {
  const bounds = [hello, config, limits].map((each) => each.bandwidthBytesPerSecondMax ?? 0);
  const set = bounds.filter((bound) => bound > 0);
  return set.length === 0 ? 0 : Math.min(...set);
}
