import { BusError } from "#bus/bus.ts";
import type { KeptLease, LeaseStore } from "#bus/lease-store.ts";
import { assert } from "#core/assert.ts";
import type { Clock } from "#core/clock.ts";
import { isFencingToken, isLaterToken, nextFencingToken, NO_TOKEN } from "#core/fencing-token.ts";
import type { Claim, Claims } from "./claims.ts";

type LeaseClaimsParts = {
  readonly store: LeaseStore;
  readonly key: string;
  /** Who we are. */
  readonly holder: string;
  readonly clock: Clock;
  /** A lease that nobody has written for so long, seen from here, may be taken. */
  readonly expiryMs: number;
};

/** A record as it was seen, and since when it has been the same. */
type Seen = { readonly revision: number; readonly sinceUs: number };

/**
 * Who leads is said by a record that is written by comparing and setting: of two who would take it,
 * one does. The record has no time to live, because the clock of a server would have to be right
 * for it: whoever wants the lease watches the record by its own clock, which is never set, and
 * takes it when nobody has written it for `expiryMs`. The token in it outlives every holder, so
 * terms are counted on after everything was restarted.
 */
export class LeaseClaims implements Claims {
  readonly leased = true;
  readonly #parts: LeaseClaimsParts;
  #seen: Seen | undefined;
  /** Of the record that we wrote last; undefined while it is not ours. */
  #held: { readonly token: number; revision: number } | undefined;

  constructor(parts: LeaseClaimsParts) {
    assert(parts.expiryMs > 0, "a lease expires after a positive time");
    this.#parts = parts;
  }

  async watch(): Promise<"changed" | "unchanged" | "failed"> {
    const record = await this.#read();
    if (record === "failed") return "failed";
    const before = this.#seen;
    this.#see(record);
    if (record === undefined || record.holder === "") return "unchanged";
    return before !== undefined && before.revision !== record.revision ? "changed" : "unchanged";
  }

  async claim(after: number): Promise<Claim> {
    const record = await this.#read();
    if (record === "failed") return { kind: "failed" };
    const seen = this.#see(record);
    const { clock, expiryMs, holder } = this.#parts;
    // A process that starts has seen nothing yet: a lease that is held it has to watch first.
    const isTaken = record !== undefined && record.holder !== "" && record.holder !== holder;
    const unchangedMs = (clock.monotonicUs() - seen.sinceUs) / 1_000;
    if (isTaken && unchangedMs < expiryMs) return { kind: "refused" };
    const last = isFencingToken(record?.token ?? NO_TOKEN) ? (record?.token ?? NO_TOKEN) : NO_TOKEN;
    const token = nextFencingToken(isLaterToken(after, last) ? after : last);
    const revision = await this.#write(holder, token, record?.revision ?? 0);
    if (revision === "failed") return { kind: "failed" };
    if (revision === "conflict") return { kind: "refused" };
    this.#held = { token, revision };
    return { kind: "granted", token };
  }

  async renew(): Promise<"held" | "lost" | "failed"> {
    const held = this.#held;
    assert(held !== undefined, "a lease that is renewed is held");
    const revision = await this.#write(this.#parts.holder, held.token, held.revision);
    if (revision === "failed") return "failed";
    if (revision !== "conflict") {
      held.revision = revision;
      return "held";
    }
    return await this.#reclaim(held);
  }

  async release(): Promise<void> {
    const held = this.#held;
    this.#held = undefined;
    if (held === undefined) return;
    // A failure costs whoever is next the time until the lease has expired.
    await this.#write("", held.token, held.revision);
  }

  /**
   * The record is not the one that we wrote last: an answer may have been lost, or the store has
   * lost the record, or another one has written it.
   */
  async #reclaim(held: { readonly token: number; revision: number }) {
    const record = await this.#read();
    if (record === "failed") return "failed";
    const { holder } = this.#parts;
    const isOurs = record?.holder === holder && record.token === held.token;
    if (record !== undefined && !isOurs) {
      this.#held = undefined;
      this.#see(record);
      return "lost";
    }
    const revision = await this.#write(holder, held.token, record?.revision ?? 0);
    if (revision === "failed" || revision === "conflict") return "failed";
    held.revision = revision;
    return "held";
  }

  #see(record: KeptLease | undefined): Seen {
    const revision = record?.revision ?? 0;
    if (this.#seen?.revision !== revision) {
      this.#seen = { revision, sinceUs: this.#parts.clock.monotonicUs() };
    }
    return this.#seen;
  }

  async #read(): Promise<KeptLease | undefined | "failed"> {
    try {
      return await this.#parts.store.read(this.#parts.key);
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      return "failed";
    }
  }

  async #write(
    holder: string,
    token: number,
    revision: number,
  ): Promise<number | "conflict" | "failed"> {
    const { store, key } = this.#parts;
    try {
      return await store.write(key, { holder, token }, { revision });
    } catch (error) {
      if (!(error instanceof BusError)) throw error;
      return "failed";
    }
  }
}
