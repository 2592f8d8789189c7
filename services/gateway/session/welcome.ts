import type { Clock } from "#core/clock.ts";
import { PROTOCOL_VERSION } from "#wire/protocol.ts";
import type { GatewayConfig } from "../config.ts";
import type { WelcomeInit } from "./wire-messages.ts";

/** What the gateway says of itself. */
type WelcomeParts = {
  readonly config: GatewayConfig;
  readonly clock: Clock;
  readonly serverVersion: string;
  readonly gatewayId: string;
};

/** What is said to a client that is let in: who serves it, and within which limits. */
export function welcomeOf(
  { config, clock, serverVersion, gatewayId }: WelcomeParts,
  own: { readonly sessionId: string; readonly bandwidthBytesPerSecondMax: number },
): WelcomeInit {
  return {
    protocolVersion: PROTOCOL_VERSION,
    sessionId: own.sessionId,
    serverVersion,
    gatewayId,
    serverTimeUs: clock.nowUs(),
    limits: {
      frameBytesMax: config.frameBytesMax,
      subscriptionsMax: config.subscriptionsMax,
      topicsPerRequestMax: config.topicsPerRequestMax,
      concurrentCallsMax: config.concurrentCallsMax,
      requestsPerSecondMax: config.requestsPerSecondMax,
      bandwidthBytesPerSecondMax: own.bandwidthBytesPerSecondMax,
    },
  };
}
