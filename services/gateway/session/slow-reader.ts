import type { Logger } from "#core/logger.ts";
import type { GatewayConfig } from "../config.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { Lateness } from "./outbound/outbound.ts";
import { exceededLimit } from "./outbound/slow-policy.ts";
import type { SessionOutput } from "./session-output.ts";
import type { Subscriptions } from "./subscriptions.ts";

type SlowReader = {
  readonly config: GatewayConfig;
  readonly metrics: GatewayMetrics;
  /** Undefined before the client has asked for topics. */
  readonly subscriptions: Pick<Subscriptions, "lag"> | undefined;
};

/**
 * A client reads too slowly: it is told, ahead of all that waits, and states wait for it from here
 * on.
 */
export function tellLag(
  { owedBytes, lagMs }: Lateness,
  reader: SlowReader & {
    readonly sessionId: string;
    readonly logger: Logger;
    readonly output: Pick<SessionOutput, "urgentNotice">;
  },
): void {
  const { sessionId, metrics, config, logger, output, subscriptions } = reader;
  const { outboundBytesMax, lagMsMax } = config;
  metrics.lagNotices.inc();
  logger.warn({ sessionId, owedBytes, lagMs }, "session reads too slowly");
  const message =
    `${owedBytes} bytes are waiting, the oldest for ${lagMs} ms; ` +
    `above ${outboundBytesMax} bytes events are given up, above ${lagMsMax} ms this closes`;
  output.urgentNotice({ kind: "NOTICE_KIND_LAG", message, lagMs, owedBytes });
  subscriptions?.lag("events-wait");
}

/**
 * A client exceeds a limit: events that wait are given up, which it is told. Returns why the
 * session is to close all the same; undefined if owing the client less will do.
 */
export function oweLess(
  lateness: Lateness,
  { config, metrics, subscriptions, owedBytes }: SlowReader & { readonly owedBytes: () => number },
): string | undefined {
  const { limit, reason } = exceededLimit(lateness, config);
  if (limit !== "lagMsMax") {
    subscriptions?.lag("events-go");
    if (owedBytes() <= config.outboundBytesMax) return undefined;
  }
  metrics.slowConsumers.inc({ limit });
  return reason;
}
