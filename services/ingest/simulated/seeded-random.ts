/**
 * Random numbers that are the same for the same seed, on every machine (mulberry32). Good enough
 * for a simulated market, and for nothing that has to be unpredictable.
 */
export class SeededRandom {
  #state: number;

  /** Only the lowest 32 bits of `seed` count. */
  constructor(seed: number) {
    this.#state = seed >>> 0;
  }

  /** In [0, 1). */
  next(): number {
    this.#state = (this.#state + 0x6d2b79f5) >>> 0;
    let mixed = this.#state;
    mixed = Math.imul(mixed ^ (mixed >>> 15), mixed | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  }

  /** A whole number in [0, below). */
  integer(below: number): number {
    return Math.floor(this.next() * below);
  }

  /** From 0 with the given mean, exponentially distributed: small ones are the likeliest. */
  exponential(mean: number): number {
    return -Math.log(1 - this.next()) * mean;
  }

  /** From -1.7 to 1.7 with mean 0 and variance 1; the sum of three is nearly normal. */
  symmetric(): number {
    return (this.next() - 0.5) * 2 * Math.sqrt(3);
  }
}
