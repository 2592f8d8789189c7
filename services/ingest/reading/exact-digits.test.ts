import { expect, test } from "vitest";
import { exactDigits } from "./exact-digits.ts";

const ID = /"id"\s*:\s*(\d+)/;

function digitsIn(text: string): string | undefined {
  return exactDigits((JSON.parse(text) as { readonly id?: unknown }).id, text, ID);
}

test("integers keep every digit, whether a double holds them or not", () => {
  expect(digitsIn('{"id":7}')).toBe("7");
  expect(digitsIn(`{"id":${Number.MAX_SAFE_INTEGER}}`)).toBe("9007199254740991");
  expect(digitsIn('{"id" : 1483653649371725839}')).toBe("1483653649371725839");
});

test("what is no integer has no digits", () => {
  for (const text of ['{"id":1.5}', '{"id":"7"}', '{"id":null}', "{}"]) {
    expect(digitsIn(text)).toBeUndefined();
  }
});
