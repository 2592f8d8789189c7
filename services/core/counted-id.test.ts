import { expect, test } from "vitest";
import { countedId } from "./counted-id.ts";

test("an id that is counted is its number, and its text is that of the number", () => {
  for (const text of ["0", "7", "123456789012", "999999999999999"]) {
    expect(String(countedId(text))).toBe(text);
  }
});

test.each(["", "00", "07", "1000000000000000", "-1", "1.5", "1e3", "a", "ab-12", " 1"])(
  "%j is not counted",
  (text) => {
    expect(countedId(text)).toBe(-1);
  },
);
