/** The array is compacted when more slots than this are empty at its front. */
const FRONT_SLOTS_MAX = 64;

/**
 * First in, first out, with a capacity. What happens at the limit is the caller's policy: `push`
 * refuses, and `pushEvicting` makes room by giving back the oldest. Memory grows with the contents,
 * not the capacity.
 */
export class BoundedQueue<Item> {
  readonly capacity: number;
  #items: (Item | undefined)[] = [];
  #head = 0;

  /** Throws RangeError unless the capacity is a whole number from 1. */
  constructor(options: { readonly capacity: number }) {
    if (!Number.isSafeInteger(options.capacity) || options.capacity < 1) {
      throw new RangeError(`capacity ${options.capacity} is not a whole number from 1`);
    }
    this.capacity = options.capacity;
  }

  get length(): number {
    return this.#items.length - this.#head;
  }

  get isFull(): boolean {
    return this.length >= this.capacity;
  }

  /** False, and nothing changed, if the queue is full. */
  push(item: Item): boolean {
    if (this.isFull) return false;
    this.#items.push(item);
    return true;
  }

  /** Always takes the item; returns the oldest if it had to make room for it. */
  pushEvicting(item: Item): Item | undefined {
    const evicted = this.isFull ? this.shift() : undefined;
    this.#items.push(item);
    return evicted;
  }

  /** Removes and returns the oldest. */
  shift(): Item | undefined {
    if (this.#head >= this.#items.length) return undefined;
    const item = this.#items[this.#head];
    this.#items[this.#head] = undefined;
    this.#head++;
    if (this.#head === this.#items.length) {
      this.#items.length = 0;
      this.#head = 0;
    } else if (this.#head > FRONT_SLOTS_MAX && this.#head * 2 > this.#items.length) {
      this.#items.splice(0, this.#head);
      this.#head = 0;
    }
    return item;
  }

  /** The item `index` places behind the oldest; undefined beyond the end. */
  at(index: number): Item | undefined {
    return this.#items[this.#head + index];
  }

  clear(): void {
    this.#items = [];
    this.#head = 0;
  }
}
