import { describe, expect, test } from "vitest";
import { accessStepOf } from "./access-table.ts";
import type { AccessAction, AccessEvent, AccessState } from "./access-table.ts";

const STATES = ["unasked", "checking", "granted", "renewing", "over"] as const;
const EVENTS = ["hello", "renew", "proved", "refuted", "expired", "revoked", "ended"] as const;

/** By state, what each event leads to, in the order of EVENTS; `-` cannot happen. */
const EXPECTED: Record<AccessState, string> = {
  unasked: "checking check, -, -, -, -, unasked ignore, over ignore",
  checking: "-, -, granted welcome, over close, -, checking ignore, over ignore",
  granted: "-, renewing check, -, -, over close, over close, over ignore",
  renewing: "-, renewing busy, granted replace, granted tell, over close, over close, over ignore",
  over: EVENTS.map(() => "over ignore").join(", "),
};

test.each(STATES)("what is %s goes on as it should", (state) => {
  const row = EVENTS.map((event) => accessStepOf(state, event)?.join(" ") ?? "-");
  expect(row.join(", ")).toBe(EXPECTED[state]);
});

const cells = STATES.flatMap((state) =>
  EVENTS.map((event) => ({ state, event, step: accessStepOf(state, event) })),
);
const cellsThat = (action: AccessAction): (readonly [AccessState, AccessEvent])[] =>
  cells.filter(({ step }) => step?.[1] === action).map(({ state, event }) => [state, event]);

describe("access", () => {
  test("is given in one place: after a check that found the proof right", () => {
    expect(cellsThat("welcome")).toEqual([["checking", "proved"]]);
  });

  test("is checked once at a time", () => {
    for (const [state, event] of cellsThat("check")) {
      const next = accessStepOf(state, event)?.[0] ?? "over";
      for (const more of ["hello", "renew"] as const) {
        expect(accessStepOf(next, more)?.[1]).not.toBe("check");
      }
    }
  });

  test("that is over stays over", () => {
    expect(new Set(EVENTS.map((event) => accessStepOf("over", event)?.[0]))).toEqual(
      new Set(["over"]),
    );
  });
});
