import { NOT_SO, wholeNumber } from "./frame-bytes.ts";

/** Which members of an object a scanner has met: each is a bit of its own. */
export class SeenMembers {
  #bits = 0;

  /** A new object begins. */
  begin(): void {
    this.#bits = 0;
  }

  /** Notes the member; false if it stands there a second time. */
  isFirst(member: number): boolean {
    if ((this.#bits & member) !== 0) return false;
    this.#bits |= member;
    return true;
  }

  /** Reads the whole number of a member into a column, as `wholeNumber`, if it is the first. */
  number(
    bytes: Uint8Array,
    at: number,
    column: Float64Array,
    place: number,
    member: number,
  ): number {
    return this.isFirst(member) ? wholeNumber(bytes, at, column, place) : NOT_SO;
  }

  /** Those that were met, for `restore`. */
  get bits(): number {
    return this.#bits;
  }

  /** The same members are met as in another object. */
  restore(bits: number): void {
    this.#bits = bits;
  }

  /** Whether every one of these members was met. */
  has(members: number): boolean {
    return (this.#bits & members) === members;
  }
}
