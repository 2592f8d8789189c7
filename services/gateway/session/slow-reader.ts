import type { Logger } from "#core/logger.ts";
import type { GatewayConfig } from "../config.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { Lateness } from "./outbound/outbound.ts";
import { exceededLimit } from "./outbound/slow-policy.ts";
import type { SessionOutput } from "./session-output.ts";
import type { Subscriptions } from "./subscriptions.ts";

type SlowReaderParts = {
  readonly sessionId: string;
  readonly config: GatewayConfig;
  readonly metrics: GatewayMetrics;
  readonly logger: Logger;
  readonly output: () => SessionOutput;
  /** Undefined before the client has asked for topics. */
  readonly subscriptions: () => Subscriptions | undefined;
  readonly owedBytes: () => number;
  /** Whether the session still serves, so that the client is to be told. */
  readonly serves: () => boolean;
  readonly close: (reason: string) => void;
};

/** What a session does about a client that reads too slowly: tells it, owes it less, closes. */
export class SlowReader {
  readonly #parts: SlowReaderParts;

  constructor(parts: SlowReaderParts) {
    this.#parts = parts;
  }

  /** The client is to be told, ahead of all that waits; states wait for it from here on. */
  onLag({ owedBytes, lagMs }: Lateness): void {
    const { sessionId, metrics, config, logger, output, subscriptions, serves } = this.#parts;
    if (!serves()) return;
    const { outboundBytesMax, lagMsMax } = config;
    metrics.lagNotices.inc();
    logger.warn({ sessionId, owedBytes, lagMs }, "session reads too slowly");
    const message =
      `${owedBytes} bytes are waiting, the oldest for ${lagMs} ms; ` +
      `above ${outboundBytesMax} bytes events are given up, above ${lagMsMax} ms this closes`;
    output().urgentNotice({ kind: "NOTICE_KIND_LAG", message, lagMs, owedBytes });
    subscriptions()?.lag("events-wait");
  }

  onRecovered(): void {
    this.#parts.subscriptions()?.recover();
  }

  /** A limit is exceeded: closes, unless owing the client less will do. */
  onSlow(lateness: Lateness): void {
    const { metrics, config, close } = this.#parts;
    const { limit, reason } = exceededLimit(lateness, config);
    if (limit !== "lagMsMax" && this.#owesLess()) return;
    metrics.slowConsumers.inc({ limit });
    close(reason);
  }

  /** Gives up events that wait, which the client is told. False if that is not enough. */
  #owesLess(): boolean {
    const { config, subscriptions, owedBytes } = this.#parts;
    subscriptions()?.lag("events-go");
    return owedBytes() <= config.outboundBytesMax;
  }
}
