import { SeededRandom } from "./seeded-random.ts";

type OrderArrivalsOptions = {
  readonly seed: number;
  /** As regular as a clock instead of by chance. */
  readonly even: boolean;
};

/** Mean distances, in shares of the mean of all, which they come out at together. */
const DISTANCE_MEAN = 1.23;
const CLUSTER_DISTANCE_MEAN = 0.1;
const CLUSTER_CHANCE = 0.03;
const CLUSTER_ORDERS_MIN = 3;
const CLUSTER_ORDERS_SPREAD = 12;

/** When the orders of one market arrive: by chance, and at times several close together. */
export class OrderArrivals {
  readonly #random: SeededRandom;
  readonly #even: boolean;
  /** Orders expected since the last one. */
  #expected = 0;
  #distance = 1;
  #clusterLeft = 0;

  constructor({ seed, even }: OrderArrivalsOptions) {
    this.#random = new SeededRandom(seed);
    this.#even = even;
  }

  /** How many arrive in a time in which so many are expected, a whole number. */
  due(expected: number): number {
    this.#expected += expected;
    if (this.#even) {
      const count = Math.floor(this.#expected);
      this.#expected -= count;
      return count;
    }
    let count = 0;
    while (this.#expected >= this.#distance) {
      this.#expected -= this.#distance;
      this.#distance = this.#nextDistance();
      count += 1;
    }
    return count;
  }

  #nextDistance(): number {
    if (this.#clusterLeft > 0) {
      this.#clusterLeft -= 1;
      return this.#random.exponential(CLUSTER_DISTANCE_MEAN);
    }
    if (this.#random.next() < CLUSTER_CHANCE) {
      this.#clusterLeft = CLUSTER_ORDERS_MIN + this.#random.integer(CLUSTER_ORDERS_SPREAD);
    }
    return this.#random.exponential(DISTANCE_MEAN);
  }
}
