import { expect, test } from "vitest";
import { AccessKeeper } from "./access-keeper.ts";

const ENDING = `e30.${btoa('{"exp":9}')}.s`;

function keeperOf(token: string) {
  const state = {
    isConnected: false,
    told: [] as number[],
    timers: [] as (() => void)[],
  };
  const keeper = new AccessKeeper(token, {
    isConnected: () => state.isConnected,
    afterMs: (_delayMs, callback) => state.timers.push(callback),
    onRenewal: (endsAtMs) => state.told.push(endsAtMs),
  });
  return { keeper, state };
}

test("a connection gets the token at once, and the next one the one that was entered since", () => {
  const { keeper, state } = keeperOf(ENDING);
  expect(keeper.current()).toBe(ENDING);
  expect(keeper.enter("second")).toBe(false);
  expect(keeper.current()).toBe("second");
  expect(state.told).toEqual([]);
});

test("access that ends waits for the reader, who is told, and goes on with what he enters", async () => {
  const { keeper, state } = keeperOf(ENDING);
  state.isConnected = true;
  const renewed = keeper.current();
  expect(state.told).toEqual([9_000]);
  expect(keeper.enter("next")).toBe(true);
  expect(await renewed).toBe("next");
});

test("a reader who is slow holds nothing up: what he enters later is shown at the next asking", async () => {
  const { keeper, state } = keeperOf(ENDING);
  state.isConnected = true;
  const renewed = keeper.current();
  state.timers[0]!();
  expect(await renewed).toBe(ENDING);
  expect(keeper.enter("next")).toBe(true);
  expect(keeper.current()).toBe("next");
});

test("a key, which does not end, is given at once also on another connection beside the first", () => {
  const { keeper, state } = keeperOf("twk_key");
  state.isConnected = true;
  expect(keeper.current()).toBe("twk_key");
  expect(state.told).toEqual([]);
});

test("a connection that broke while a token was waited for begins anew with it", () => {
  const { keeper, state } = keeperOf(ENDING);
  state.isConnected = true;
  void keeper.current();
  state.isConnected = false;
  expect(keeper.enter("next")).toBe(false);
  expect(keeper.current()).toBe("next");
});
