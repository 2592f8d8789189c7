import { describe, expect, test } from "vitest";
import { bidShare, ladderRows, priceSteps } from "./ladder.ts";

type Levels = Parameters<typeof ladderRows>[0];

const levels = (...rows: [string, string][]): Levels =>
  rows.map(([priceText, sizeText]) => ({
    price: Number(priceText),
    priceText,
    size: Number(sizeText),
    sizeText,
  })) as unknown as Levels;

describe("the ladder", () => {
  const bids = levels(["10.09", "1"], ["10.05", "2"], ["9.99", "4"]);

  test("groups bids down and asks up, and sums from the best price on", () => {
    const grouped = ladderRows(bids, { step: 0.1, stepText: "0.1", side: "bid" }, 10);
    expect(grouped.map(({ priceText, size, total }) => [priceText, size, total])).toEqual([
      ["10.0", 3, 3],
      ["9.9", 4, 7],
    ]);
    const asks = levels(["10.11", "1"], ["10.20", "2"]);
    const up = ladderRows(asks, { step: 0.1, stepText: "0.1", side: "ask" }, 10);
    expect(up.map(({ priceText, total }) => [priceText, total])).toEqual([["10.2", 3]]);
  });

  test.each([1, 2, 3])("shows at most %d rows, whole ones", (rowsMax) => {
    const rows = ladderRows(bids, { step: 0, stepText: "", side: "bid" }, rowsMax);
    expect(rows.map(({ sizeText }) => sizeText)).toEqual(["1", "2", "4"].slice(0, rowsMax));
  });

  test("a balanced book is balanced, and an empty one is nothing", () => {
    const rows = ladderRows(bids, { step: 0, stepText: "", side: "bid" }, 10);
    expect([bidShare(rows, rows), bidShare([], [])]).toEqual([0.5, undefined]);
    expect(priceSteps("0.01", 100)).toEqual(["0.01", "0.1", "0.5", "1", "5"]);
  });
});
