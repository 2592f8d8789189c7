import type { Clock } from "#core/clock.ts";
import type { AccessMetrics } from "./access-metrics.ts";
import type { NamedTopic } from "./grant-pattern.ts";
import type { Principal } from "./principal.ts";
import type { Terms } from "./rights.ts";

/** Somebody may have several windows open, or come back at once, before he has to wait. */
const LOOKS_AT_ONCE = 4;
/** Of topics by principal. If all of them are in use, nobody else gets a look. */
const LOOKS_KEPT_MAX = 100_000;
/** Of those that are kept, so many are examined to make room for another one. */
const EXAMINED_MAX = 100;

type LooksParts = {
  readonly clock: Pick<Clock, "monotonicUs">;
  readonly metrics: Pick<AccessMetrics, "accessLimited">;
};

/**
 * How often somebody sees the state of a topic as it is now, who may have a batch of it only every
 * so often: by beginning it anew, and by calls. Without this he could begin it again and again, and
 * see every event. Whoever may have every event costs nothing here.
 */
export class Looks {
  readonly #parts: LooksParts;
  /** When all looks that were taken are made up for, by principal and topic. */
  readonly #paidAtUs = new Map<string, number>();

  constructor(parts: LooksParts) {
    this.#parts = parts;
  }

  /** Takes a look. The result is 0, or how many milliseconds there is none for him. */
  take(principal: Principal, topic: NamedTopic, { intervalMsMin }: Terms): number {
    if (intervalMsMin === 0) return 0;
    const nowUs = this.#parts.clock.monotonicUs();
    const intervalUs = intervalMsMin * 1_000;
    const { venue, symbol, channel } = topic;
    const key = JSON.stringify([principal.id, venue, symbol, channel]);
    const paidAtUs = Math.max(nowUs, this.#paidAtUs.get(key) ?? nowUs);
    const waitUs = paidAtUs - nowUs - (LOOKS_AT_ONCE - 1) * intervalUs;
    if (waitUs > 0) return this.#refuse(waitUs);
    // What was looked at last stands last.
    this.#paidAtUs.delete(key);
    if (!this.#hasRoom(nowUs)) return this.#refuse(intervalUs);
    this.#paidAtUs.set(key, paidAtUs + intervalUs);
    return 0;
  }

  #refuse(waitUs: number): number {
    this.#parts.metrics.accessLimited.inc({ limit: "intervalMsMin" });
    return Math.ceil(waitUs / 1_000);
  }

  #hasRoom(nowUs: number): boolean {
    if (this.#paidAtUs.size < LOOKS_KEPT_MAX) return true;
    let examined = 0;
    for (const [key, paidAtUs] of this.#paidAtUs) {
      if (paidAtUs <= nowUs) {
        this.#paidAtUs.delete(key);
        return true;
      }
      examined += 1;
      if (examined >= EXAMINED_MAX) break;
    }
    return false;
  }
}
