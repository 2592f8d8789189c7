import { assert } from "#core/assert.ts";

/** Keeps the last `capacity` items, oldest first; one more drops the oldest. */
export class Ring<Item> {
  readonly #capacity: number;
  readonly #items: Item[] = [];
  #oldest = 0;

  constructor(options: { readonly capacity: number }) {
    const { capacity } = options;
    assert(Number.isSafeInteger(capacity) && capacity > 0, "a ring has room for at least one item");
    this.#capacity = capacity;
  }

  push(item: Item): void {
    if (this.#items.length < this.#capacity) {
      this.#items.push(item);
      return;
    }
    this.#items[this.#oldest] = item;
    this.#oldest = (this.#oldest + 1) % this.#capacity;
    assert(this.#items.length === this.#capacity, "a ring never holds more than its capacity");
  }

  get length(): number {
    return this.#items.length;
  }

  /** From 0, the oldest, to below `length`. */
  at(index: number): Item {
    const { length } = this.#items;
    assert(index >= 0 && index < length, "what is asked for is in the ring");
    return this.#items[(this.#oldest + index) % length] as Item;
  }
}
