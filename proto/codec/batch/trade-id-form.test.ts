import { expect, test } from "vitest";
import type { TradeRow } from "../types.ts";
import { TradeIdForm, emptyChainState } from "./chain-state.ts";
import { TradeIdPlan, joinTradeId, splitTradeId } from "./trade-id-form.ts";

test.each([
  ["17", { prefix: "", digits: 0, number: 17 }],
  ["0", { prefix: "", digits: 0, number: 0 }],
  ["9223372036854775807", { prefix: "", digits: 0, number: 2n ** 63n - 1n }],
  ["007", { prefix: "", digits: 3, number: 7 }],
  ["-5", { prefix: "-", digits: 0, number: 5 }],
  ["T-0042", { prefix: "T-", digits: 4, number: 42 }],
  ["202601010000000000000000007", { prefix: "202601010000", digits: 15, number: 7 }],
])("the id %s is a number behind a prefix", (id, split) => {
  expect(splitTradeId(id)).toEqual(split);
  expect(joinTradeId(split.prefix, split.digits, split.number)).toBe(id);
});

test.each(["", "abc", "1e", `${"x".repeat(65)}1`])("the id %j travels as text", (id) => {
  expect(splitTradeId(id)).toBeUndefined();
});

/** The forms after each of the batches, whose ids are given. */
function formsOf(batches: readonly (readonly string[])[]): number[] {
  const state = emptyChainState("trades", 1, 0);
  const plan = new TradeIdPlan();
  return batches.map((ids) => {
    const rows = ids.map((tradeId) => ({ tradeId })) as unknown as readonly TradeRow[];
    plan.plan(state, rows);
    return state.tradeIdForm;
  });
}

const { None, Number: Numbers, Text } = TradeIdForm;

test("a topic without ids has none until the first comes", () => {
  expect(formsOf([[""], ["", ""], ["5"]])).toEqual([None, None, Numbers]);
});

test("an id that is no number makes them texts, and they stay so", () => {
  expect(formsOf([["5"], ["x"], ["6"]])).toEqual([Numbers, Text, Text]);
});

test("a prefix that changes at once is not worth a base each time", () => {
  expect(formsOf([["a1"], ["b2"], ["b3"]])).toEqual([Numbers, Text, Text]);
});

test("a prefix that lasted is changed for another", () => {
  const many = Array.from({ length: 64 }, (_, index) => `a${index + 100}`);
  expect(formsOf([many, ["b7"], ["b8"]])).toEqual([Numbers, Numbers, Numbers]);
});
