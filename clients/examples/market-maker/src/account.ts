import type { Fill } from "./paper-exchange.ts";
import type { Units } from "./units.ts";

/** What we have, exactly. Cash is in units of price times size. */
export class Account {
  readonly #feeTenthsOfBasisPoint: number;
  #position = 0;
  #cash = 0n;
  #fees = 0n;
  #fills = 0;

  /** `feeBasisPoints` of what is traded, with one decimal; below 0 if the venue pays. */
  constructor(feeBasisPoints: number) {
    this.#feeTenthsOfBasisPoint = Math.round(feeBasisPoints * 10);
  }

  get position(): Units {
    return this.#position;
  }

  get fills(): number {
    return this.#fills;
  }

  get fees(): bigint {
    return this.#fees;
  }

  onFill({ side, price, size }: Fill): void {
    const amount = BigInt(price) * BigInt(size);
    const fee = (amount * BigInt(this.#feeTenthsOfBasisPoint)) / 100_000n;
    this.#position += side === "bid" ? size : -size;
    this.#cash += (side === "bid" ? -amount : amount) - fee;
    this.#fees += fee;
    this.#fills += 1;
  }

  /** Profit, or loss below 0, with the position at the mid price (given times two). */
  profit(doubleMid: Units): bigint {
    return this.#cash + (BigInt(this.#position) * BigInt(doubleMid)) / 2n;
  }
}
