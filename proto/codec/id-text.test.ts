import fc from "fast-check";
import { expect, test } from "vitest";
import { idText } from "./id-text.ts";

test("the text of an id is what String() gives, whatever id came before", () => {
  const id = fc.oneof(
    fc.nat({ max: 2_000 }),
    fc.maxSafeNat(),
    fc.constantFrom(999, 1_000, 1_001, 1_000_000, Number.MAX_SAFE_INTEGER),
    fc.bigInt({ min: 2n ** 53n, max: 2n ** 63n }),
    fc.string(),
  );
  const check = (ids: readonly (number | bigint | string)[]) => {
    expect(ids.map(idText)).toEqual(ids.map(String));
  };
  fc.assert(fc.property(fc.array(id, { maxLength: 8 }), check));
});
