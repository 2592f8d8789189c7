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

  /** The last `count`, oldest first. */
  last(count: number): Item[] {
    const { length } = this.#items;
    const items: Item[] = [];
    for (let index = Math.max(0, length - count); index < length; index += 1) {
      items.push(this.#items[(this.#oldest + index) % length] as Item);
    }
    return items;
  }
}
