import { assert } from "#core/assert.ts";
import type { GatewayMetrics } from "../metrics.ts";
import type { SharedBatch } from "./shared-batch.ts";

type FanOutLimits = {
  /** Batches that wait in one list; its owner takes a full one at once. */
  readonly listBatchesMax: number;
  /** Different batches that wait in all lists; beyond it every owner takes its own. */
  readonly batchesMax: number;
};
const FAN_OUT_LIMITS: FanOutLimits = { listBatchesMax: 64, batchesMax: 16_384 };
const LISTS_MIN = 16;

/** Whose list it is. */
export type ListOwner = {
  /** The first batch is in the list. */
  onListed(): void;
  /** The list is full: it is to be taken now. */
  onListFull(): void;
};

/** A list, as whoever delivers to it knows it. */
export type ListSeat = { readonly fanOut: FanOut; readonly list: number };

/**
 * Gives a batch to many sessions. To give it to one is the most frequent step of a gateway, so it
 * is one number written into a table: which of the batches at hand waits for which session. A
 * session takes what is in its list before anything else is done with it, in the order of arrival.
 *
 * What holds, and what enforces it:
 * 1. A number in a list names a batch: batches are forgotten only while every list is empty.
 * 2. A list never runs into the next one: its owner takes it when it is full. Asserted.
 * 3. A list is given to nobody else while somebody may deliver to it: `retain` and `release` count.
 */
export class FanOut {
  readonly #owners: (ListOwner | undefined)[] = [];
  readonly #free: number[] = [];
  /** How many may deliver to a list, by list. */
  readonly #uses: number[] = [];
  readonly #metrics: Pick<GatewayMetrics, "fullLists">;
  readonly #listBatchesMax: number;
  readonly #batchesMax: number;
  readonly #batches: SharedBatch[] = [];
  /** Lists that are not empty. */
  #waiting = 0;
  /** How many batches are in a list, by list. */
  #counts = new Int32Array(LISTS_MIN);
  /** Which ones, by list: `listBatchesMax` for each. */
  #numbers: Int32Array;

  constructor(metrics: Pick<GatewayMetrics, "fullLists">, limits = FAN_OUT_LIMITS) {
    this.#metrics = metrics;
    this.#listBatchesMax = limits.listBatchesMax;
    this.#batchesMax = limits.batchesMax;
    this.#numbers = new Int32Array(LISTS_MIN * limits.listBatchesMax);
  }

  /** Batches that wait for somebody. */
  get batches(): number {
    return this.#waiting === 0 ? 0 : this.#batches.length;
  }

  /** A list of the owner's own. */
  open(owner: ListOwner): ListSeat {
    const list = this.#free.pop() ?? this.#owners.length;
    this.#owners[list] = owner;
    this.#uses[list] = 1;
    if (list >= this.#counts.length) this.#grow();
    return { fanOut: this, list };
  }

  /** Nothing comes into the list any more; what is in it is to be taken before. */
  close(list: number): void {
    assert(this.#counts[list] === 0, "a list that closes was taken");
    this.#owners[list] = undefined;
    this.release(list);
  }

  /** One more may deliver to the list. */
  retain(list: number): void {
    this.#uses[list] = (this.#uses[list] ?? 0) + 1;
  }

  /** One less. */
  release(list: number): void {
    const uses = (this.#uses[list] ?? 0) - 1;
    assert(uses >= 0, "a list is released as often as it was retained");
    this.#uses[list] = uses;
    if (uses === 0) this.#free.push(list);
  }

  /** Puts the batch into the first `count` of these lists. */
  deliver(batch: SharedBatch, lists: Int32Array, count: number): void {
    if (this.#waiting === 0) this.#batches.length = 0;
    else if (this.#batches.length >= this.#batchesMax) this.#takeAll();
    const number = this.#batches.length;
    this.#batches.push(batch);
    const counts = this.#counts;
    const numbers = this.#numbers;
    const listMax = this.#listBatchesMax;
    for (let index = 0; index < count; index += 1) {
      const list = lists[index] as number;
      const length = counts[list] as number;
      numbers[list * listMax + length] = number;
      counts[list] = length + 1;
      if (length === 0) this.#listed(list);
      else if (length + 1 === listMax) this.#full(list);
    }
  }

  /** Moves what is in the list behind the entries; says how many bytes that are. */
  take(list: number, entries: Pick<SharedBatch, "bytes">[]): number {
    const count = this.#counts[list] as number;
    if (count === 0) return 0;
    const first = list * this.#listBatchesMax;
    let bytes = 0;
    for (let index = first; index < first + count; index += 1) {
      const batch = this.#batches[this.#numbers[index] as number] as SharedBatch;
      bytes += batch.bytes.byteLength;
      entries.push(batch);
    }
    this.#counts[list] = 0;
    this.#waiting -= 1;
    return bytes;
  }

  #listed(list: number): void {
    this.#waiting += 1;
    const owner = this.#owners[list];
    if (owner !== undefined) {
      owner.onListed();
      return;
    }
    // The session has ended, and its subscriptions are being taken out.
    this.#counts[list] = 0;
    this.#waiting -= 1;
  }

  #full(list: number): void {
    this.#metrics.fullLists.inc();
    this.#owners[list]?.onListFull();
  }

  #takeAll(): void {
    for (const [list, owner] of this.#owners.entries()) {
      if (owner !== undefined && (this.#counts[list] as number) > 0) this.#full(list);
    }
    assert(this.#waiting === 0, "every list was taken");
    this.#batches.length = 0;
  }

  #grow(): void {
    const counts = new Int32Array(this.#counts.length * 2);
    counts.set(this.#counts);
    this.#counts = counts;
    const numbers = new Int32Array(this.#numbers.length * 2);
    numbers.set(this.#numbers);
    this.#numbers = numbers;
  }
}
