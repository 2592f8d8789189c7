import { expect, test } from "vitest";
import { sizeInBase, valueInQuote, type SizedInstrument } from "./contract-size.ts";

const SPOT: SizedInstrument = { sizeUnit: "base", contractSizeText: undefined, inverse: false };
const LINEAR: SizedInstrument = { ...SPOT, sizeUnit: "contract", contractSizeText: "0.01" };
const INVERSE: SizedInstrument = { ...LINEAR, contractSizeText: "100", inverse: true };
const IN_QUOTE: SizedInstrument = { ...SPOT, sizeUnit: "quote", inverse: true };

test("a size in the base asset is itself, and worth its price", () => {
  expect(sizeInBase("0.50", SPOT)).toBe("0.5");
  expect(valueInQuote({ size: "0.5", price: "30000.10" }, SPOT)).toBe("15000.05");
});

test("linear contracts are a fixed amount of the base asset each", () => {
  expect(sizeInBase("7", LINEAR)).toBe("0.07");
  expect(valueInQuote({ size: "7", price: "30000" }, LINEAR)).toBe("2100");
});

test("inverse contracts are a fixed amount of the quote asset, whatever the price", () => {
  expect(sizeInBase("7", INVERSE)).toBeUndefined();
  expect(valueInQuote({ size: "7", price: "30000" }, INVERSE)).toBe("700");
  expect(sizeInBase("250", IN_QUOTE)).toBeUndefined();
  expect(valueInQuote({ size: "250", price: "30000" }, IN_QUOTE)).toBe("250");
});

test("a contract of unknown worth is not guessed", () => {
  for (const inverse of [true, false]) {
    const unknown: SizedInstrument = { ...LINEAR, contractSizeText: undefined, inverse };
    expect(sizeInBase("7", unknown)).toBeUndefined();
    expect(valueInQuote({ size: "7", price: "30000" }, unknown)).toBeUndefined();
  }
});

test("nothing is rounded, and what is no decimal is nothing", () => {
  const tiny = { ...LINEAR, contractSizeText: "0.000000000000000001" };
  expect(sizeInBase("12345678901234567890.123456789", tiny)).toBe("12.345678901234567890123456789");
  expect(sizeInBase("x", SPOT)).toBeUndefined();
  expect(valueInQuote({ size: "1", price: "" }, SPOT)).toBeUndefined();
});
