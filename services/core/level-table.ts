const SLOTS_MIN = 32;
/** Odd, and near 2^32 divided by the golden ratio: neighbours are spread over the whole table. */
const SPREAD = 0x9e37_79b1;

/**
 * Sizes by price, in no order: an open table of doubles, of which at most half are taken. A Map
 * would keep an object for each price that is no small integer.
 */
export class LevelTable {
  #prices = new Float64Array(SLOTS_MIN);
  /** 0 where nothing is. */
  #sizes = new Float64Array(SLOTS_MIN);
  /** Of a hash, so that its highest bits choose the slot. */
  #shift = 32 - Math.log2(SLOTS_MIN);
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** 0 if there is no such level. */
  sizeAt(price: number): number {
    return this.#sizes[this.#slotOf(price)]!;
  }

  /** Sets the size of a level; 0 removes it. Returns the size that it had, 0 for none. */
  set(price: number, size: number): number {
    const slot = this.#slotOf(price);
    const before = this.#sizes[slot]!;
    if (size !== 0) {
      this.#prices[slot] = price;
      this.#sizes[slot] = size;
      if (before === 0) this.#onAdded();
    } else if (before !== 0) {
      this.#removeAt(slot);
      this.#count -= 1;
    }
    return before;
  }

  /** The prices of all levels, in no order. */
  prices(): Float64Array {
    const prices = new Float64Array(this.#count);
    let count = 0;
    for (let slot = 0; slot < this.#sizes.length; slot += 1) {
      if (this.#sizes[slot] === 0) continue;
      prices[count] = this.#prices[slot]!;
      count += 1;
    }
    return prices;
  }

  clear(): void {
    this.#count = 0;
    if (this.#sizes.length === SLOTS_MIN) this.#sizes.fill(0);
    else this.#resize(SLOTS_MIN);
  }

  /** Where the price is, or the free slot that it belongs in. */
  #slotOf(price: number): number {
    const prices = this.#prices;
    const sizes = this.#sizes;
    const mask = sizes.length - 1;
    let slot = this.#homeOf(price);
    while (sizes[slot] !== 0 && prices[slot] !== price) slot = (slot + 1) & mask;
    return slot;
  }

  /** Where the price is if nothing was in its way. */
  #homeOf(price: number): number {
    return Math.imul(price, SPREAD) >>> this.#shift;
  }

  /** What stands behind it moves up, so that whoever looks for it is not stopped by the hole. */
  #removeAt(removed: number): void {
    const prices = this.#prices;
    const sizes = this.#sizes;
    const mask = sizes.length - 1;
    let hole = removed;
    for (let slot = (hole + 1) & mask; sizes[slot] !== 0; slot = (slot + 1) & mask) {
      const home = this.#homeOf(prices[slot]!);
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      prices[hole] = prices[slot]!;
      sizes[hole] = sizes[slot]!;
      hole = slot;
    }
    sizes[hole] = 0;
  }

  #onAdded(): void {
    this.#count += 1;
    if (2 * this.#count > this.#sizes.length) this.#resize(2 * this.#sizes.length);
  }

  #resize(slots: number): void {
    const prices = this.#prices;
    const sizes = this.#sizes;
    const kept = this.#count;
    this.#prices = new Float64Array(slots);
    this.#sizes = new Float64Array(slots);
    this.#shift = 32 - Math.log2(slots);
    if (kept === 0) return;
    for (let slot = 0; slot < sizes.length; slot += 1) {
      if (sizes[slot] === 0) continue;
      const place = this.#slotOf(prices[slot]!);
      this.#prices[place] = prices[slot]!;
      this.#sizes[place] = sizes[slot]!;
    }
  }
}
