import type { ThreadClock } from "#core/clock.ts";
import type { GatewayMetrics } from "../../metrics.ts";
import type { Connection, SendResult } from "../../transport/transport.ts";

/**
 * For each microsecond in which the thread had nothing to do, so many may be spent on compressing:
 * what else there is keeps its time, and a fifth of the rest stays free.
 */
const US_PER_IDLE_US = 4;
/** What was not spent is kept up to this, for bursts. */
const KEPT_US_MAX = 50_000;

type CompressionTimeParts = {
  readonly clock: ThreadClock;
  readonly metrics: Pick<GatewayMetrics, "compressionsSkipped">;
};

/**
 * How long frames may be compressed. Compressing takes ten times as long as sending, and longer the
 * more has piled up: a gateway that has fallen behind would never catch up. So it has only time in
 * which nothing else is to be done; where there is none, frames leave as they are.
 */
export class CompressionTime {
  readonly #clock: ThreadClock;
  readonly #metrics: CompressionTimeParts["metrics"];
  #idleBeforeUs: number;
  #leftUs = KEPT_US_MAX;

  constructor({ clock, metrics }: CompressionTimeParts) {
    this.#clock = clock;
    this.#metrics = metrics;
    this.#idleBeforeUs = clock.idleUs();
  }

  /** Takes into account what was idle since the last time. To be called once for many frames. */
  gain(): void {
    const idleUs = this.#clock.idleUs();
    const gainedUs = (idleUs - this.#idleBeforeUs) * US_PER_IDLE_US;
    this.#idleBeforeUs = idleUs;
    this.#leftUs = Math.min(KEPT_US_MAX, this.#leftUs + gainedUs);
  }

  /** Whether one more frame may be compressed. One that may not is counted. */
  allows(): boolean {
    if (this.#leftUs > 0) return true;
    this.#metrics.compressionsSkipped.inc();
    return false;
  }

  /** Compresses and sends a frame. */
  send(connection: Pick<Connection, "send">, frame: Uint8Array): SendResult {
    const startedUs = this.#clock.monotonicUs();
    const result = connection.send(frame, true);
    this.#leftUs -= this.#clock.monotonicUs() - startedUs;
    return result;
  }
}
