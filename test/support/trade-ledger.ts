import type { StreamEvent } from "@tickwire/client";

/**
 * Keeps the trades of a client by the venue's own ids, which in the simulated market rise by one
 * with each trade of an instrument: it knows what is missing or doubled without a word of ours.
 */
export class TradeLedger {
  trades = 0;
  /** When the last trade came, by the clock of this process, and the longest time between two. */
  lastAtMs = 0;
  pauseMsMax = 0;
  readonly #ids = new Map<string, Set<number>>();
  readonly #doubled: string[] = [];

  take(event: StreamEvent): void {
    if (event.type !== "trade") return;
    const nowMs = performance.now();
    if (this.lastAtMs > 0) this.pauseMsMax = Math.max(this.pauseMsMax, nowMs - this.lastAtMs);
    this.lastAtMs = nowMs;
    this.trades += 1;
    let ids = this.#ids.get(event.topic);
    if (ids === undefined) {
      ids = new Set();
      this.#ids.set(event.topic, ids);
    }
    const id = Number(event.tradeId);
    if (ids.has(id)) this.#doubled.push(`${event.topic} ${id}`);
    ids.add(id);
  }

  /** Begins to measure the time between two trades. */
  measure(): void {
    this.pauseMsMax = 0;
    this.lastAtMs = performance.now();
  }

  /** Trades that came twice. */
  get doubled(): readonly string[] {
    return this.#doubled;
  }

  /** Trades between the first and the last of an instrument that did not come. */
  get missing(): readonly string[] {
    const missing: string[] = [];
    for (const [topic, ids] of this.#ids) {
      const [first, last] = [Math.min(...ids), Math.max(...ids)];
      for (let id = first; id <= last; id += 1) if (!ids.has(id)) missing.push(`${topic} ${id}`);
    }
    return missing;
  }
}
