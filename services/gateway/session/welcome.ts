import { PROTOCOL_VERSION } from "#wire/protocol.ts";
import type { SessionParts } from "./session-parts.ts";
import type { WelcomeInit } from "./wire-messages.ts";

/** What a gateway says to a client that it lets in. */
export function welcomeOf(
  {
    id,
    bandwidthBytesPerSecondMax,
  }: { readonly id: string; readonly bandwidthBytesPerSecondMax: number },
  { config, clock, serverVersion, gatewayId }: SessionParts,
): WelcomeInit {
  return {
    protocolVersion: PROTOCOL_VERSION,
    sessionId: id,
    serverVersion,
    gatewayId,
    serverTimeUs: clock.nowUs(),
    limits: {
      frameBytesMax: config.frameBytesMax,
      subscriptionsMax: config.subscriptionsMax,
      topicsPerRequestMax: config.topicsPerRequestMax,
      concurrentCallsMax: config.concurrentCallsMax,
      requestsPerSecondMax: config.requestsPerSecondMax,
      bandwidthBytesPerSecondMax: bandwidthBytesPerSecondMax,
    },
  };
}
