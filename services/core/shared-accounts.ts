import { assert } from "./assert.ts";

/** Counts of an account; what they count is the users' to say. */
const FIELDS = 2;

/** The lower bits of a word count the holders of its account, the upper ones name it. */
const HOLDER_BITS = 20n;
const HOLDERS = (1n << HOLDER_BITS) - 1n;

/** Places that are looked at for an account; where all are taken there is no room for it. */
const PROBES_MAX = 64;
/** Others may take a place between two steps; whoever is that unlucky is told of no room. */
const ATTEMPTS_MAX = 64;

/** Memory in which several threads keep accounts together. It can be sent to threads. */
export type SharedAccountsMemory = {
  readonly buffer: SharedArrayBuffer;
  readonly slots: number;
  readonly threads: number;
  /** Makes names into places that nobody outside can foresee. */
  readonly seed: number;
};

type SharedAccountsOptions = {
  /** Accounts that have holders at once, at most; half of that works well. */
  readonly accountsMax: number;
  readonly threads: number;
  /** An integer of 32 bits that strangers do not know. */
  readonly seed: number;
};

/** Memory for so many accounts. What is never used of it is never taken from the system. */
export function createSharedAccounts(options: SharedAccountsOptions): SharedAccountsMemory {
  const { accountsMax, threads, seed } = options;
  const slots = 2 ** Math.ceil(Math.log2(accountsMax * 2));
  return { buffer: new SharedArrayBuffer(layoutOf(slots, threads).bytes), slots, threads, seed };
}

/**
 * Accounts that several threads keep together, by name: what each holds, in all and by name, and
 * how fast it asks. No thread waits for another. What is granted is never more than the limit; two
 * threads that ask for the last of something at the same moment may both be refused.
 *
 * An account is there while somebody holds it. Each thread also notes what is its own, so that
 * `reclaim` can give back what a thread held that has died.
 */
export class SharedAccounts {
  readonly #memory: SharedAccountsMemory;
  readonly #thread: number;
  readonly #words: BigInt64Array;
  /** When the bucket of each account is full again, in nanoseconds; behind them that of all. */
  readonly #fullAtNs: BigInt64Array;
  /** Counts of each account; behind them those of all. */
  readonly #counts: Int32Array;
  readonly #ownHolds: Int32Array;
  readonly #ownCounts: Int32Array;

  constructor(memory: SharedAccountsMemory, thread: number) {
    const { buffer, slots, threads } = memory;
    assert(thread >= 0 && thread < threads, "a thread is one of those that the memory is for");
    this.#memory = memory;
    this.#thread = thread;
    const { words, fullAt, counts, ownHolds, ownCounts } = layoutOf(slots, threads);
    this.#words = new BigInt64Array(buffer, words, slots);
    this.#fullAtNs = new BigInt64Array(buffer, fullAt, slots + 1);
    this.#counts = new Int32Array(buffer, counts, (slots + 1) * FIELDS);
    this.#ownHolds = new Int32Array(buffer, ownHolds, slots * threads);
    this.#ownCounts = new Int32Array(buffer, ownCounts, (slots + 1) * FIELDS * threads);
  }

  /** What all accounts together are: their counts are those of nobody in particular. */
  get all(): number {
    return this.#memory.slots;
  }

  /** Holds the account of a name, which is made if it is not there; -1 if there is no room. */
  hold(name: string): number {
    const hash = this.#hashOf(name);
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const place = this.#find(hash);
      if (place < 0) return -1;
      const word = Atomics.load(this.#words, place);
      const isThere = word >> HOLDER_BITS === hash;
      // Somebody may have taken the place since it was found.
      if (!isThere && (word & HOLDERS) !== 0n) continue;
      const next = isThere ? word + 1n : (hash << HOLDER_BITS) | 1n;
      if (Atomics.compareExchange(this.#words, place, word, next) !== word) continue;
      this.#ownHolds[this.#thread * this.#memory.slots + place]! += 1;
      return place;
    }
    return -1;
  }

  /** To be called once for each hold, when what was counted under it has been given back. */
  release(account: number): void {
    const own = this.#thread * this.#memory.slots + account;
    assert((this.#ownHolds[own] ?? 0) > 0, "an account is released once for each hold");
    this.#ownHolds[own]! -= 1;
    Atomics.sub(this.#words, account, 1n);
  }

  /** Counts so many more. False if it were more than `most`; then nothing is counted. */
  take(account: number, field: 0 | 1, amount: number, most: number): boolean {
    const at = account * FIELDS + field;
    const before = Atomics.add(this.#counts, at, amount);
    if (before + amount > most) {
      Atomics.sub(this.#counts, at, amount);
      return false;
    }
    this.#ownCounts[this.#thread * this.#counts.length + at]! += amount;
    return true;
  }

  /** Counts so many less, which this thread has counted before. */
  give(account: number, field: 0 | 1, amount: number): void {
    const at = account * FIELDS + field;
    this.#ownCounts[this.#thread * this.#counts.length + at]! -= amount;
    Atomics.sub(this.#counts, at, amount);
  }

  /** What all threads have counted. */
  count(account: number, field: 0 | 1): number {
    return Atomics.load(this.#counts, account * FIELDS + field);
  }

  /**
   * Takes tokens from a bucket that fills at a rate, and holds what comes in `burstSeconds`. False
   * if there are not so many; then nothing is taken. `nowNs` is of a clock that all threads share.
   */
  ask(
    account: number,
    tokens: number,
    rate: { readonly perSecond: number; readonly burstSeconds: number },
    nowNs: bigint,
  ): boolean {
    const costNs = BigInt(Math.ceil((tokens * 1e9) / rate.perSecond));
    const burstNs = BigInt(Math.round(rate.burstSeconds * 1e9));
    for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt += 1) {
      const fullAt = Atomics.load(this.#fullAtNs, account);
      const next = (fullAt > nowNs ? fullAt : nowNs) + costNs;
      if (next - nowNs > burstNs) return false;
      if (Atomics.compareExchange(this.#fullAtNs, account, fullAt, next) === fullAt) return true;
    }
    return false;
  }

  /** Whether the bucket is full, as that of somebody who has not asked for long. */
  isFull(account: number, nowNs: bigint): boolean {
    return Atomics.load(this.#fullAtNs, account) <= nowNs;
  }

  /** Gives back what a thread held that runs no more. To be called before it is started again. */
  reclaim(thread: number): void {
    const { slots } = this.#memory;
    const counts = this.#counts.length;
    for (let at = 0; at < counts; at += 1) {
      const own = this.#ownCounts[thread * counts + at] as number;
      if (own === 0) continue;
      this.#ownCounts[thread * counts + at] = 0;
      Atomics.sub(this.#counts, at, own);
    }
    for (let account = 0; account < slots; account += 1) {
      const own = this.#ownHolds[thread * slots + account] as number;
      if (own === 0) continue;
      this.#ownHolds[thread * slots + account] = 0;
      Atomics.sub(this.#words, account, BigInt(own));
    }
  }

  /** Where the name is, or the first place that nobody holds; -1 if there is neither. */
  #find(hash: bigint): number {
    const mask = this.#memory.slots - 1;
    const home = Number(hash & 0xffff_ffffn);
    let free = -1;
    for (let probe = 0; probe < PROBES_MAX; probe += 1) {
      const place = (home + probe) & mask;
      const word = Atomics.load(this.#words, place);
      if (word >> HOLDER_BITS === hash) return place;
      if (free < 0 && (word & HOLDERS) === 0n) free = place;
      // Nobody was ever here, so the name is nowhere behind it.
      if (word === 0n) break;
    }
    return free;
  }

  /** 43 bits, and never 0. */
  #hashOf(name: string): bigint {
    let [low, high] = [this.#memory.seed | 0, ~this.#memory.seed];
    for (let at = 0; at < name.length; at += 1) {
      const code = name.charCodeAt(at);
      low = Math.imul(low ^ code, 0x0100_0193);
      high = Math.imul(high ^ code, 0x85eb_ca6b);
      high ^= low >>> 13;
      low ^= high >>> 16;
    }
    return (BigInt(high & 0x7ff) << 32n) | BigInt(low >>> 0) || 1n;
  }
}

function layoutOf(slots: number, threads: number) {
  const words = 0;
  const fullAt = words + slots * 8;
  const counts = fullAt + (slots + 1) * 8;
  const ownHolds = counts + (slots + 1) * FIELDS * 4;
  const ownCounts = ownHolds + slots * threads * 4;
  const bytes = ownCounts + (slots + 1) * FIELDS * threads * 4;
  return { words, fullAt, counts, ownHolds, ownCounts, bytes };
}
