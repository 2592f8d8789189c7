import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { LinkedNumbers } from "./linked-numbers.ts";

const BASE = 1_724_294_007_352_168_320n;

function number(offset: number): string {
  return String(BASE + BigInt(offset));
}

describe("numbers of 19 digits, of which doubles would take several for one", () => {
  test("a change follows the book, and the next one follows it", () => {
    const numbers = new LinkedNumbers();
    const book = numbers.begin(number(10));
    const first = numbers.follow(number(11), number(10));
    const second = numbers.follow(number(15), number(11));
    expect(first.previousUpdateId).toBe(book);
    expect(second.previousUpdateId).toBe(first.lastUpdateId);
    expect(second.lastUpdateId).toBeGreaterThan(first.lastUpdateId);
  });

  test("one that says that nothing has changed follows, and so does what follows it", () => {
    const numbers = new LinkedNumbers();
    const book = numbers.begin(number(10));
    const quiet = numbers.follow(number(10), number(10));
    expect(quiet).toEqual({ lastUpdateId: book, previousUpdateId: book });
    expect(numbers.follow(number(12), number(10)).previousUpdateId).toBe(book);
  });

  test("one that names another than the last leaves a hole", () => {
    const numbers = new LinkedNumbers();
    const book = numbers.begin(number(10));
    const late = numbers.follow(number(13), number(12));
    expect(late.previousUpdateId).not.toBe(book);
    expect(late.lastUpdateId).toBeGreaterThan(book);
    expect(numbers.follow(number(14), number(13)).previousUpdateId).toBe(late.lastUpdateId);
  });

  test("one that came before is behind, and changes nothing", () => {
    const numbers = new LinkedNumbers();
    numbers.begin(number(10));
    const last = numbers.follow(number(12), number(10)).lastUpdateId;
    for (const [again, previous] of [
      [12, 10],
      [10, 9],
    ] as const) {
      const old = numbers.follow(number(again), number(previous));
      expect(old.lastUpdateId).toBeLessThanOrEqual(last);
      expect(old.previousUpdateId).not.toBe(last);
    }
    expect(numbers.follow(number(13), number(12)).previousUpdateId).toBe(last);
  });

  test("numbers that begin anew are no hole", () => {
    const numbers = new LinkedNumbers();
    const book = numbers.begin(number(10));
    const anew = numbers.follow("3", number(10));
    expect(anew.previousUpdateId).toBe(book);
    expect(numbers.follow("5", "3").previousUpdateId).toBe(anew.lastUpdateId);
  });
});

test("small numbers link exactly where the large ones do", () => {
  const steps = fc.array(fc.tuple(fc.nat(3), fc.boolean()), { maxLength: 40 });
  fc.assert(
    fc.property(steps, (path) => {
      const numbers = new LinkedNumbers();
      let last = 100;
      let small = numbers.begin(number(last));
      for (const [step, isLost] of path) {
        const before = isLost ? last + 1 : last;
        const next = before + step + (isLost ? 1 : 0);
        const ids = numbers.follow(number(next), number(before));
        expect(ids.previousUpdateId === small).toBe(!isLost);
        expect(ids.lastUpdateId).toBeGreaterThanOrEqual(small);
        last = next;
        small = ids.lastUpdateId;
      }
    }),
  );
});
