import type { CancelTimer, Clock } from "#core/clock.ts";
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
  /** Keys that were good are not any more, and with them the tokens that they signed. */
  readonly onKeysGone: () => void;
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
  #cancelTimer: CancelTimer = () => undefined;
  #closed = false;

  constructor(parts: KeySourceParts) {
    this.#parts = parts;
  }

  /** Reads the set now, and again after each `refreshMs`. Never rejects. */
  async start(): Promise<void> {
    this.#arm();
    await this.refresh();
  }

  /** Nothing is read by itself any more. Idempotent. */
  close(): void {
    this.#closed = true;
    this.#cancelTimer();
  }

  /** False before the first set was read. */
  get hasKeys(): boolean {
    return this.#hasKeys;
  }

  /** Whether a key of this print is in the set that was read last. */
  has(print: string): boolean {
    return this.#keys.has(print);
  }

  /** The key of a token; undefined if there is none, also after looking again. */
  async find(kid: string | undefined, algorithm: string): Promise<TokenKey | undefined> {
    const known = this.#keys.find(kid, algorithm);
    if (known !== undefined) return known;
    await this.#lookAgain();
    return this.#keys.find(kid, algorithm);
  }

  /**
   * The key that goes by the name of one which did not fit, after looking again: some issuers
   * exchange a key without giving the next one a name of its own. Undefined if it is the same.
   */
  async findInsteadOf({ kid, algorithm, print }: TokenKey): Promise<TokenKey | undefined> {
    await this.#lookAgain();
    const found = this.#keys.find(kid, algorithm);
    return found?.print === print ? undefined : found;
  }

  async #lookAgain(): Promise<void> {
    const { clock, refetchMsMin } = this.#parts;
    const ageMs = (clock.monotonicUs() - this.#readAtUs) / 1_000;
    if (this.#reading !== undefined || ageMs >= refetchMsMin) await this.refresh();
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

  #arm(): void {
    if (this.#closed) return;
    this.#cancelTimer = this.#parts.clock.after(this.#parts.refreshMs, () => {
      this.#arm();
      // It never rejects, and nobody waits for it: the keys are good until the set says otherwise.
      void this.refresh();
    });
  }

  async #read(): Promise<void> {
    const { clock, logger, metrics, name, origin, fetchText } = this.#parts;
    // Also if it fails: an address that does not answer is asked no more often than one that does.
    this.#readAtUs = clock.monotonicUs();
    let reason: string;
    try {
      const set = await readKeySet(await fetchText(), origin);
      if (set.kind === "keys") {
        metrics.keySetFetches.inc({ outcome: "read" });
        this.#take(set.keys);
        return;
      }
      reason = set.reason;
    } catch (error) {
      reason = foreignMessage(reasonOf(error));
    }
    metrics.keySetFetches.inc({ outcome: "failed" });
    const message = "the keys of tokens cannot be read; those that were read last stay in use";
    logger.warn({ from: name, reason }, message);
  }
  #take(keys: TokenKeys): void {
    const before = this.#keys;
    this.#keys = keys;
    this.#hasKeys = true;
    if (!keys.hasAllOf(before)) this.#parts.onKeysGone();
  }
}

/** `fetch` says only that it failed; why is in the cause. */
function reasonOf(error: unknown): string {
  const { message, cause } = error as Error;
  return cause instanceof Error ? `${message}: ${cause.message}` : message;
}
