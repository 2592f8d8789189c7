import fc from "fast-check";
import { expect, test } from "vitest";
import { tableLines } from "./table.ts";

const TABLE = {
  header: ["NAME", ">COUNT", "WHAT"],
  rows: [
    ["a", "5", "first"],
    ["longer", "12345", { text: "second and last", style: "bad" }],
  ],
  hasColours: false,
} as const;

test("columns stand below each other, numbers at the right", () => {
  expect(tableLines({ ...TABLE, columns: undefined })).toEqual([
    "NAME    COUNT  WHAT",
    "a           5  first",
    "longer  12345  second and last",
  ]);
});

test("what does not fit is cut in the widest column", () => {
  expect(tableLines({ ...TABLE, columns: 24 }).at(-1)).toBe("longer  12345  second a…");
});

test("with colours the text is the same", () => {
  const lines = tableLines({ ...TABLE, columns: undefined, hasColours: true });
  expect(lines[2]).toContain("\u001b[31msecond and last\u001b[0m");
  // oxlint-disable-next-line no-control-regex -- what colours are made of
  const plain = lines.map((line) => line.replaceAll(/\u001b\[\d+m/g, ""));
  expect(plain).toEqual(tableLines({ ...TABLE, columns: undefined }));
});

test("no line is wider than the terminal, unless columns would vanish", () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(fc.string({ maxLength: 60 }), { minLength: 3, maxLength: 3 }), {
        maxLength: 8,
      }),
      fc.integer({ min: 30, max: 200 }),
      (rows, columns) => {
        const lines = tableLines({ ...TABLE, rows, columns });
        for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
        expect(lines).toHaveLength(rows.length + 1);
      },
    ),
    { numRuns: 200, seed: 1 },
  );
});
