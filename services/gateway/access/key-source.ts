import type { Clock } from "#core/clock.ts";
import type { Logger } from "#core/logger.ts";
import { foreignMessage } from "#core/visible-text.ts";
import type { AccessMetrics } from "./access-metrics.ts";
import { readKeySet, TokenKeys } from "./token-keys.ts";
import type { TokenKey } from "./token-keys.ts";

type KeySourceParts = {
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Pick<AccessMetrics, "keySetFetches">;
  /** Where the set is, for the log. */
  readonly name: string;
  readonly origin: "file" | "url";
  /** Reads the text of the set. Rejects if that is not possible now, or takes too long. */
  readonly fetchText: () => Promise<string>;
  /** A key that is not known is looked for at most this often. */
  readonly refetchMsMin: number;
  /** The set is read anew after this long, so that keys that were taken out go. */
  readonly refreshMs: number;
};

/**
 * The keys that tokens are checked with, from a file or an address. What was read last stays in use
 * until something whole comes in its place, so that an outage of the address, or a file that is
 * being written, costs nobody anything. A key that is not known is a reason to look again, though
 * not more often than every `refetchMsMin`, whatever tokens come.
 */
export class KeySource {
  readonly #parts: KeySourceParts;
  #keys = new TokenKeys([]);
  #hasKeys = false;
  #readAtUs = Number.NEGATIVE_INFINITY;
  #reading: Promise<void> | undefined;

  constructor(parts: KeySourceParts) {
    this.#parts = parts;
  }

  /** False before the first set was read. */
  get hasKeys(): boolean {
    return this.#hasKeys;
  }

  /** The key of a token; undefined if there is none, also after looking again. */
  async find(kid: string | undefined, algorithm: string): Promise<TokenKey | undefined> {
    const { clock, refetchMsMin, refreshMs } = this.#parts;
    const ageMs = (clock.monotonicUs() - this.#readAtUs) / 1_000;
    const known = this.#keys.find(kid, algorithm);
    if (known !== undefined) {
      // Nobody waits for it: the key is good until the set says otherwise.
      if (ageMs >= refreshMs) void this.refresh();
      return known;
    }
    if (this.#reading !== undefined || ageMs >= refetchMsMin) await this.refresh();
    return this.#keys.find(kid, algorithm);
  }

  /** Reads the set now, once for all who ask meanwhile. Never rejects. */
  refresh(): Promise<void> {
    this.#reading ??= this.#read().finally(() => {
      this.#reading = undefined;
    });
    return this.#reading;
  }

  /** Reads the set after whoever reads it now, who may have seen less. Never rejects. */
  async readAgain(): Promise<void> {
    await this.#reading;
    await this.refresh();
  }

  async #read(): Promise<void> {
    const { clock, logger, metrics, name, origin, fetchText } = this.#parts;
    // Also if it fails: an address that does not answer is asked no more often than one that does.
    this.#readAtUs = clock.monotonicUs();
    let reason: string;
    try {
      const set = await readKeySet(await fetchText(), origin);
      if (set.kind === "keys") {
        this.#keys = set.keys;
        this.#hasKeys = true;
        metrics.keySetFetches.inc({ outcome: "read" });
        return;
      }
      reason = set.reason;
    } catch (error) {
      reason = foreignMessage((error as Error).message);
    }
    metrics.keySetFetches.inc({ outcome: "failed" });
    const message = "the keys of tokens cannot be read; those that were read last stay in use";
    logger.warn({ from: name, reason }, message);
  }
}
