import { assert } from "#core/assert.ts";
import type { GatewayMetrics } from "../metrics.ts";
import { QuickLists } from "./quick-lists.ts";
import type { SharedBatch } from "./shared-batch.ts";
import { WaitingBatches } from "./waiting-batches.ts";

type FanOutLimits = {
  /** Batches that wait in one list; its owner takes a full one at once. */
  readonly listBatchesMax: number;
  /** Different batches that wait in all lists; beyond it every owner takes its own. Up to 2^16. */
  readonly batchesMax: number;
};
/**
 * A list takes 7 of the processor's cache lines. An odd number of them, because lists that lie a
 * power of two apart would all be kept in the same few places of the cache.
 */
const FAN_OUT_LIMITS: FanOutLimits = { listBatchesMax: 224, batchesMax: 32_768 };
const LISTS_MIN = 16;
const BLOCKS_MIN = 16;
/** The lists of larger frames are taken by their owners: copying costs more than being asked. */
const LIST_FRAME_BYTES_MAX = 16 * 1024;
/** A round of more lists does not always begin with the same one. */
const TURNED_LISTS_MIN = 256;
/** By so many lists further the next round begins. */
const ROUND_STEP = 389;
/** To find one that is due, so many are looked at. */
const SCANNED_LISTS_MAX = 16;
/** Written in vain behind the last batch of a frame. */
const FRAME_REST_BYTES = 3;

/** Whose list it is. */
export type ListOwner = {
  /** It is the turn of the list, which came due since its last turn. */
  onListDue(nowUs: number): void;
  /** The list is full: it is to be taken now. */
  onListFull(): void;
};

/** A list, as whoever delivers to it knows it. */
export type ListSeat = { readonly fanOut: FanOut; readonly list: number };

/**
 * Gives a batch to many sessions. To give it to one is the most frequent step of a gateway, so it
 * is one number written into a table: which of the batches at hand waits for which session. A
 * session takes what is in its list before anything else is done with it, in the order of arrival.
 * Lists of the same batches make one frame, which is put together once.
 *
 * What holds, and what enforces it:
 * 1. A number in a list names a batch: batches are forgotten when every list is empty, or when a
 *    round has ended in which each list was emptied, those that came before it (`#isRoundWhole`).
 * 2. A list never runs into the next one: its owner takes it when it is full. Asserted.
 * 3. A list is given to nobody else while somebody may deliver to it: `retain` and `release` count.
 * 4. A list is due once until its turn: a mark for each list.
 * 5. A frame is that of the list that it is asked for: it is kept for as long as its batches are.
 * 6. A list that is not empty has a block of its own: it takes one with its first batch, and gives
 *    it back when it is empty again. So a session to which nothing is under way takes no room.
 */
export class FanOut {
  readonly #owners: (ListOwner | undefined)[] = [];
  readonly #free: number[] = [];
  /** How many may deliver to a list, by list. */
  readonly #uses: number[] = [];
  readonly #metrics: Pick<GatewayMetrics, "fullLists">;
  readonly #listBatchesMax: number;
  readonly #batches: WaitingBatches;
  /** Which lists their owners leave to whoever sends their frames. */
  readonly quick = new QuickLists(LISTS_MIN);
  readonly #onDue: () => void;
  /** Lists that are not empty. */
  #waiting = 0;
  /** How many batches are in a list, by list. */
  #counts = new Int32Array(LISTS_MIN);
  /** The block of a list that is not empty, by list. */
  #blockOf = new Int32Array(LISTS_MIN);
  /** Which batches are in a list, by block: `listBatchesMax` for each. */
  #numbers: Uint16Array;
  /** Blocks that no list has; the first `#freeBlockCount` count. */
  #freeBlocks = new Int32Array(BLOCKS_MIN);
  #freeBlockCount = 0;
  /** Blocks that were ever taken. */
  #blocks = 0;
  /** Whether the list is due, by list. */
  #isDue = new Uint8Array(LISTS_MIN);
  /** The lists that are due, in the order in which they came to be. */
  #due = new Int32Array(LISTS_MIN);
  #dueCount = 0;
  /** Those of the round under way. */
  #round = new Int32Array(LISTS_MIN);
  #roundCount = 0;
  /** Which of them has the first turn. */
  #roundStart = 0;
  /** Each list that had its turn was empty after it. */
  #isRoundWhole = true;
  /** The frame that was made last, and what is in it. */
  readonly #buffer = new Uint8Array(LIST_FRAME_BYTES_MAX + FRAME_REST_BYTES);
  readonly #target = { bytes: this.#buffer, view: new DataView(this.#buffer.buffer) };
  #frame = this.#buffer;
  #frameCount = 0;
  readonly #frameNumbers: Uint16Array;

  /** `onDue` is called when a list is due, and none was. */
  constructor(
    metrics: Pick<GatewayMetrics, "fullLists">,
    limits = FAN_OUT_LIMITS,
    onDue = (): void => {},
  ) {
    this.#metrics = metrics;
    this.#onDue = onDue;
    this.#frameNumbers = new Uint16Array(limits.listBatchesMax);
    this.#listBatchesMax = limits.listBatchesMax;
    const bytesMax = LIST_FRAME_BYTES_MAX;
    this.#batches = new WaitingBatches({ capacity: limits.batchesMax, bytesMax });
    this.#numbers = new Uint16Array(BLOCKS_MIN * limits.listBatchesMax);
  }

  /** Batches that wait for somebody. */
  get batches(): number {
    return this.#waiting === 0 ? 0 : this.#batches.count;
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
    this.quick.close(list);
    this.release(list);
  }

  /** One more may deliver to the list, which has its owner. */
  retain(list: number): void {
    assert(this.#owners[list] !== undefined, "nobody begins to deliver to a list that is closed");
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
    if (this.#waiting === 0) this.#forget();
    else if (this.#batches.isFull) this.#takeAll();
    const number = this.#batches.add(batch);
    const counts = this.#counts;
    const blockOf = this.#blockOf;
    const listMax = this.#listBatchesMax;
    for (let index = 0; index < count; index += 1) {
      const list = lists[index] as number;
      const length = counts[list] as number;
      if (length === 0) blockOf[list] = this.#takeBlock();
      this.#numbers[(blockOf[list] as number) * listMax + length] = number;
      counts[list] = length + 1;
      if (length === 0) this.#listed(list);
      else if (length + 1 === listMax) this.#full(list);
    }
  }

  /** Moves what is in the list behind the entries; says how many bytes that are. */
  take(list: number, entries: Pick<SharedBatch, "bytes">[]): number {
    const count = this.#counts[list] as number;
    if (count === 0) return 0;
    const first = this.#firstOf(list);
    let bytes = 0;
    for (let index = first; index < first + count; index += 1) {
      const batch = this.#batches.at(this.#numbers[index] as number);
      batch.keep();
      bytes += batch.byteLength;
      entries.push(batch);
    }
    this.#empty(list);
    return bytes;
  }

  /** How many lists are due. */
  get due(): number {
    return this.#dueCount;
  }

  /** The lists that are due; says how many. They have their turn one by one. */
  beginRound(): number {
    const lists = this.#due;
    this.#due = this.#round;
    this.#round = lists;
    const count = this.#dueCount;
    this.#dueCount = 0;
    this.#roundCount = count;
    this.#orderRound(count);
    // Who is the last of many waits for all of them, and so is another one each time.
    this.#roundStart = count < TURNED_LISTS_MIN ? 0 : (this.#roundStart + ROUND_STEP) % count;
    this.#isRoundWhole = true;
    this.#batches.beginRound();
    return count;
  }

  /** Every list of the round has had its turn. */
  endRound(): void {
    if (!this.#isRoundWhole) return;
    this.#frameCount = 0;
    this.#batches.endRound();
  }

  /** The turn of one of the lists of the round: what comes into it from now on is of the next. */
  beginTurn(place: number): number {
    const at = this.#roundStart + place;
    const list = this.#round[at < this.#roundCount ? at : at - this.#roundCount] as number;
    this.#isDue[list] = 0;
    return list;
  }

  /**
   * Brings the lists of the round into their order. What is known of sessions, here, in their
   * transport and in the kernel, lies in memory in about the same.
   */
  #orderRound(count: number): void {
    const round = this.#round;
    const lists = this.#owners.length;
    if (count * SCANNED_LISTS_MAX < lists) {
      round.subarray(0, count).sort();
      return;
    }
    let place = 0;
    for (let list = 0; list < lists; list += 1) {
      if (this.#isDue[list] === 0) continue;
      round[place] = list;
      place += 1;
    }
    assert(place === count, "a list that is due is of the round");
  }

  /** The turn of a list for its owner, who may have taken it before. */
  giveTurn(list: number, nowUs: number): void {
    this.#owners[list]?.onListDue(nowUs);
    if (this.#counts[list] === 0 || this.#isDue[list] === 1) return;
    // It was left as it is. What came after it was emptied would have made it due again.
    this.#isRoundWhole = false;
    this.#setDue(list);
  }

  /** How many batches are in the list. */
  countOf(list: number): number {
    return this.#counts[list] as number;
  }

  /**
   * The batches of a list that has some, as one frame; undefined if they are too large. Valid until
   * the next call: the next list has the same frame if it has the same batches.
   */
  frameOf(list: number): Uint8Array | undefined {
    const count = this.#counts[list] as number;
    const first = this.#firstOf(list);
    const numbers = this.#numbers;
    const frameNumbers = this.#frameNumbers;
    let same = 0;
    if (count === this.#frameCount) {
      while (same < count && numbers[first + same] === frameNumbers[same]) same += 1;
      if (same === count) return this.#frame;
    }
    this.#frameCount = 0;
    const batches = this.#batches;
    let length = 0;
    for (let index = 0; index < count; index += 1) {
      const number = numbers[first + index] as number;
      const byteLength = batches.lengthOf(number);
      if (length + byteLength > LIST_FRAME_BYTES_MAX) return undefined;
      batches.put(number, this.#target, length);
      length += byteLength;
      frameNumbers[index] = number;
    }
    this.#frameCount = count;
    this.#frame = this.#buffer.subarray(0, length);
    return this.#frame;
  }

  /** The first batch of a list that has some. */
  oldestOf(list: number): SharedBatch {
    return this.#batches.at(this.#numbers[this.#firstOf(list)] as number);
  }

  /** What is in the list has left. */
  sent(list: number): void {
    if (this.#counts[list] !== 0) this.#empty(list);
  }

  #empty(list: number): void {
    this.#counts[list] = 0;
    this.#waiting -= 1;
    this.#freeBlocks[this.#freeBlockCount] = this.#blockOf[list] as number;
    this.#freeBlockCount += 1;
  }

  /** Where the numbers of a list begin that is not empty. */
  #firstOf(list: number): number {
    return (this.#blockOf[list] as number) * this.#listBatchesMax;
  }

  #takeBlock(): number {
    if (this.#freeBlockCount > 0) {
      this.#freeBlockCount -= 1;
      return this.#freeBlocks[this.#freeBlockCount] as number;
    }
    const block = this.#blocks;
    this.#blocks += 1;
    if (block === this.#freeBlocks.length) {
      const blocks = block * 2;
      this.#numbers = grown(this.#numbers, new Uint16Array(blocks * this.#listBatchesMax));
      this.#freeBlocks = grown(this.#freeBlocks, new Int32Array(blocks));
    }
    return block;
  }

  #forget(): void {
    this.#batches.forget();
    this.#frameCount = 0;
  }

  #listed(list: number): void {
    this.#waiting += 1;
    if (this.#owners[list] === undefined) {
      // The session has ended, and its subscriptions are being taken out.
      this.#empty(list);
      return;
    }
    if (this.#isDue[list] === 0) this.#setDue(list);
  }

  #setDue(list: number): void {
    this.#isDue[list] = 1;
    this.#due[this.#dueCount] = list;
    this.#dueCount += 1;
    if (this.#dueCount === 1) this.#onDue();
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
    this.#forget();
  }

  #grow(): void {
    const lists = this.#counts.length * 2;
    this.#counts = grown(this.#counts, new Int32Array(lists));
    this.#blockOf = grown(this.#blockOf, new Int32Array(lists));
    this.#due = grown(this.#due, new Int32Array(lists));
    this.#round = grown(this.#round, new Int32Array(lists));
    this.#isDue = grown(this.#isDue, new Uint8Array(lists));
    this.quick.grow(lists);
  }
}

function grown<Table extends Int32Array | Uint16Array | Uint8Array>(
  table: Table,
  larger: Table,
): Table {
  larger.set(table);
  return larger;
}
